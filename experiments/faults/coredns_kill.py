"""F-19: the cluster's DNS loses one of its pods, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from experiments.faults import system_pods
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched, pods_of
from experiments.scene import Scene
from fixtures.prober.config import Target
from fixtures.safety.preflight import APP, Permission, Refusal, Scenery
from fixtures.safety.rest import RestError, name

SELECTOR = "k8s-app=kube-dns"
# A name that every cluster has. The application's server is asked to resolve and call it: agnhost's netexec can.
QUESTION: Mapping[str, str | int] = {
    "host": "kubernetes.default.svc",
    "port": 443,
    "protocol": "http",
    "request": "hostname",
    "tries": 1,
}
ANSWER_S = 2.0


class CorednsKill(Fault):
    """Without grace. Meanwhile a pod of the application is asked, through the API, to resolve a name as any program in
    the cluster would: by the resolver of its own container."""

    id = "F-19"
    title = "kill CoreDNS"
    targets = {"one": "one of its pods", "all": "all of its pods at once"}
    soaks = True
    permissions = (
        *(Permission(verb, "pods", "", system_pods.NAMESPACE) for verb in ("delete", "get", "list")),
        Permission("get", "pods/proxy", "", APP),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        pods = system_pods.ready(scene, SELECTOR)
        if not pods:
            raise NoVictimError(
                f"no Ready pod with label {SELECTOR} in {system_pods.NAMESPACE}; is DNS named otherwise?"
            )
        try:
            answered = resolves(scene)
        except RestError as error:
            raise NoVictimError(
                f"how names are resolved inside can't be measured: {scene.app} does not answer /dial as agnhost's "
                f"netexec does ({error}); name one that does with --app"
            ) from error
        if not answered:
            raise NoVictimError(f"{QUESTION['host']} can't be resolved before anything is broken; mend DNS first")
        chosen = pods if target == "all" else pods[:1]
        return system_pods.victim(chosen, f"{len(chosen)} of {len(pods)} Ready")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        sick = [p.name for p in system_pods.every(scene, SELECTOR) if not p.ready]
        if not sick:
            return []
        return [Refusal(object=f"Pod {sick[0]}", value="not Ready", next="DNS is already reduced: wait for it")]

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [pods_of(scene, system_pods.NAMESPACE, SELECTOR)]

    def probes(self, scene: Scene) -> Sequence[Target]:
        """One pod of the application, which this fault leaves alone. None where it can't be asked: `choose` says so."""
        try:
            resolves(scene)
            url = f"{scene.rest.host}{_path(scene)}?{urlencode(QUESTION)}"
        except RestError:
            return ()
        return [Target(name="names", kind="dns", url=url, headers=scene.rest.credentials(), reuse=True, interval_s=0.1)]

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return system_pods.evidence(scene, victim)

    def inject(self, scene: Scene, victim: Victim) -> None:
        system_pods.kill(scene, victim)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return system_pods.steps(changes, SELECTOR, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return [system_pods.recovery(changes, SELECTOR, injected)]


def resolves(scene: Scene) -> bool:
    """Whether a pod of the application resolves a name now. Raises `RestError` when none could be asked."""
    try:
        scene.rest.request("GET", _path(scene), QUESTION, timeout_s=ANSWER_S)
    except RestError as error:
        if "lookup" in str(error) or "timed out" in str(error):
            return False
        raise
    return True


def _path(scene: Scene) -> str:
    """Where a pod of the application is asked. Raises `RestError`."""
    pods = [p for p in scene.app_pods() if p.ready]
    if not pods:
        raise RestError(f"{scene.app} has no Ready pod")
    pod = min(pods, key=lambda p: p.name)
    return f"/api/v1/namespaces/{name(pod.namespace)}/pods/{name(pod.name)}/proxy/dial"
