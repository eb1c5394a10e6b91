"""What programs in the cluster see: a pod of the application is asked to resolve a name and to call a Service.

Through the API and its server, agnhost's netexec or one that answers /dial as it does: the name by the resolver of its
own container, the Service by its ClusterIP and the rules of its own node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from experiments.scene import Scene
from fixtures.prober.config import Target
from fixtures.safety.preflight import APP, Permission
from fixtures.safety.rest import RestError, name

# A name that every cluster has.
QUESTION: Mapping[str, str | int] = {
    "host": "kubernetes.default.svc",
    "port": 443,
    "protocol": "http",
    "request": "hostname",
    "tries": 1,
}
ANSWER_S = 2.0
PERMISSION = Permission("get", "pods/proxy", "", APP)


def answered(scene: Scene, node: str = "") -> bool:
    """Whether a pod of the application (on `node`) gets an answer now. Raises `RestError` when none could be asked."""
    return _answers(scene, _path(scene, node))


def _answers(scene: Scene, path: str) -> bool:
    try:
        scene.rest.request("GET", path, QUESTION, timeout_s=ANSWER_S)
    except RestError as error:
        if "lookup" in str(error) or "timed out" in str(error):
            return False
        raise
    return True


def targets(scene: Scene, node: str = "") -> Sequence[Target]:
    """The target `names`: one pod of the application (on `node`), asked ten times a second. None where it can't be."""
    try:
        path = _path(scene, node)
        _answers(scene, path)  # or can't be asked; whether names resolve is what is to be measured
    except RestError:
        return ()
    url = f"{scene.rest.host}{path}?{urlencode(QUESTION)}"
    return [Target(name="names", kind="dns", url=url, headers=scene.rest.credentials(), reuse=True, interval_s=0.1)]


def _path(scene: Scene, node: str) -> str:
    """Where a pod of the application is asked. Raises `RestError`."""
    pods = [p for p in scene.app_pods() if p.ready and node in ("", p.spec.node_name)]
    if not pods:
        raise RestError(f"{scene.app} has no Ready pod{f' on {node}' if node else ''}")
    pod = min(pods, key=lambda p: p.name)
    return f"/api/v1/namespaces/{name(pod.namespace)}/pods/{name(pod.name)}/proxy/dial"
