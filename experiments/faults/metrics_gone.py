"""F-25: nobody measures any more: the metrics API is gone while an autoscaler acts by it, or Prometheus is."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import urlopen

import msgspec

from experiments.faults import autoscaled, own_pods
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.objects import Pods
from fixtures.safety.preflight import Permission
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import Undo, UndoError, undoes, way_back
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.extension import APIService
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.selectors import matches

SERVER, PROMETHEUS = "metrics-server", "prometheus"
SILENT = "no answer"
API = "v1beta1.metrics.k8s.io"
SYSTEM = "kube-system"
BACK_WITHIN_S = 150.0
ANSWER_S = 2.0


class MetricsGone(Fault):
    """What measures is never what serves: an autoscaler that sees nothing must leave everything as large as it is, and
    say so; and nothing at all may depend on Prometheus.

    The autoscaler and what it scales are our own, made before and removed after.
    """

    id = "F-25"
    title = "stop what measures"
    targets = {
        SERVER: "whatever serves the metrics API, scaled to nothing while an autoscaler of our own acts",
        PROMETHEUS: "the Prometheus that watches from beside the cluster",
    }
    soaks = True
    also_needs = {PROMETHEUS: frozenset({Capability.MONITORING})}
    permissions = (
        *autoscaled.PERMISSIONS,
        Permission("get", "apiservices", "apiregistration.k8s.io", "", API),
        Permission("get", "services", "", SYSTEM),
        Permission("list", "deployments", "apps", SYSTEM),
        Permission("patch", "deployments/scale", "apps", SYSTEM),
    )
    proof_within_s = 60.0

    def choose(self, scene: Scene, target: str) -> Victim:
        if target == PROMETHEUS:
            url = scene.cluster.entrances().prometheus
            if url is None or _started(url) == SILENT:
                raise NoVictimError(f"no Prometheus answers beside {scene.cluster.name}")
            return Victim(kind="Prometheus", name=url, target=target)
        served = _serves(scene)
        return Victim(
            kind="Deployment",
            name=served.name,
            namespace=served.namespace,
            why=f"serves {API} with {served.spec.replicas} replica(s)",
            target=target,
            mark=f"scaled-{secrets.token_hex(4)}",
        )

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [autoscaled.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        if victim.target == PROMETHEUS:
            return way_back(start, "start Prometheus again", scene.cluster, {})
        arguments = {
            "namespace": victim.namespace,
            "deployment": victim.name,
            "replicas": _serves(scene).spec.replicas,
            "workload": victim.mark,
        }
        return way_back(scale_back, f"scale {victim.namespace}/{victim.name} back", scene.cluster, arguments)

    def set_up(self, scene: Scene, victim: Victim) -> None:
        if victim.target == SERVER:
            scene.cluster.provide([own_pods.RESOURCE_CONSUMER])
            autoscaled.make(scene.rest, victim.mark)
            autoscaled.await_action(scene, victim.mark)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        if victim.target == PROMETHEUS:
            return {f"Prometheus at {victim.name}": _started(victim.name)}
        pods = _pods(scene, victim)
        return {f"UIDs of the pods of {victim.name}": ", ".join(pods) or "none"}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Gone, not merely replaced."""
        return super().proven(before, after) and set(after.values()) <= {"none", SILENT}

    def inject(self, scene: Scene, victim: Victim) -> None:
        if victim.target == PROMETHEUS:
            scene.cluster.stop_monitoring()
        else:
            _scale(scene.rest, victim.namespace, victim.name, 0)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        said = autoscaled.inactive(autoscaled.states(changes, victim.mark, injected))
        return [Step(kind="detected", at=said[0], what=f"the autoscaler is not active: {said[1]}")] if said else []

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        if victim.target == PROMETHEUS:
            return []
        said = autoscaled.inactive(autoscaled.states(changes, victim.mark, injected))
        seconds = None if said is None else said[0] - injected
        what = f"the autoscaler says that it can't act{f' ({said[1]})' if said else ''}"
        return [Recovery(name="autoscaler-inactive", seconds=seconds, what=what, judged=False)]

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        if victim.target == SERVER:
            return [autoscaled.kept(autoscaled.states(changes, victim.mark, injected))]
        return [unnoticed(changes, injected)]


def unnoticed(changes: Sequence[Change], injected: float) -> Check:
    """Nothing that was looked at became anything else. Pure."""
    touched = sorted({c.subject for c in changes if c.at > injected and "/" in c.subject})
    said = f"changed meanwhile: {', '.join(touched)}" if touched else "no node, leader, endpoint or pod changed"
    return Check(name="unnoticed", verdict=FAIL if touched else PASS, message=said)


@undoes
def start(cluster: Cluster | None) -> None:
    """Start Prometheus; running already is fine."""
    assert cluster is not None
    cluster.start_monitoring()


@undoes
def scale_back(cluster: Cluster | None, namespace: str, deployment: str, replicas: int, workload: str) -> None:
    """As many replicas as there were, and ours gone. Returns when the metrics API is served again: until then the API
    can't say what kinds it has, and no namespace can be deleted. Raises `RestError`, `UndoError`."""
    assert cluster is not None
    rest = Rest.of(cluster)
    autoscaled.remove(rest, workload)
    _scale(rest, namespace, deployment, replicas)
    deadline = time.monotonic() + BACK_WITHIN_S
    while True:
        available = rest.get(_APISERVICE, APIService).available
        if available is not None and available.status == "True":
            return
        if time.monotonic() > deadline:
            why = available.message if available else "nothing is said about it"
            raise UndoError(f"APIService {API} is not available after {BACK_WITHIN_S:.0f} s: {why}")
        time.sleep(0.5)


_APISERVICE = f"/apis/apiregistration.k8s.io/v1/apiservices/{API}"


class _Deployments(msgspec.Struct):
    items: list[Deployment] = []


def _serves(scene: Scene) -> Deployment:
    """The Deployment behind the metrics API. Raises `NoVictimError`, `RestError`."""
    try:
        found = scene.rest.get(_APISERVICE, APIService)
    except RestError as error:
        if error.status != 404:
            raise
        raise NoVictimError(f"{scene.cluster.name} has no APIService {API}; install metrics-server") from error
    behind = found.spec.service
    if behind is None:
        raise NoVictimError(f"APIService {API} is served by the API server itself")
    service = scene.rest.get(f"/api/v1/namespaces/{name(behind.namespace)}/services/{name(behind.name)}", Service)
    wanted = (service.spec.selector or {}).items()
    for one in scene.rest.get(f"/apis/apps/v1/namespaces/{name(behind.namespace)}/deployments", _Deployments).items:
        if wanted and wanted <= (one.spec.template.metadata.labels or {}).items():
            return one
    raise NoVictimError(f"no Deployment stands behind Service {behind.namespace}/{behind.name}, which serves {API}")


def _pods(scene: Scene, victim: Victim) -> list[str]:
    """UIDs. Raises `NoVictimError`, `RestError`."""
    wanted = _serves(scene).spec.selector
    pods = scene.rest.get(f"/api/v1/namespaces/{name(victim.namespace)}/pods", Pods).items
    return sorted(p.metadata.uid for p in pods if matches(wanted, p.labels))


def _scale(rest: Rest, namespace: str, deployment: str, replicas: int) -> None:
    path = f"/apis/apps/v1/namespaces/{name(namespace)}/deployments/{name(deployment)}/scale"
    rest.merge(path, {"spec": {"replicas": replicas}})


def _started(url: str) -> str:
    """When that Prometheus was started, or that it does not answer."""
    try:
        with urlopen(f"{url}/api/v1/status/runtimeinfo", timeout=ANSWER_S) as answer:
            return f"started {json.load(answer)['data']['startTime']}"
    except (URLError, OSError, ValueError, LookupError):
        return SILENT
