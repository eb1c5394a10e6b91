"""F-21: something on a worker eats what all share: CPU, memory, disk or inodes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec

from experiments.faults import inodes, neighbours, own_pods, workers
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.rest import RestError, name
from fixtures.safety.undo import Undo, undoes, way_back
from fixtures.snapshot.arithmetic import quantity

CPU, MEMORY, DISK, INODES = "cpu", "memory", "disk", "inodes"
HOG = "hog"

METRICS = "metrics.k8s.io"
LASTS_S = 120  # every hog ends by itself, whatever becomes of us
BURNT = 0.2  # cores by which a hog is known, if those beside it need all the rest
ENDED = ("OOMKilled", "Evicted")
NEARLY_NONE = 8  # inodes: some always come and go

# Twice its limit, so that it is not the node that runs out.
_MEMORY_LIMIT, _MEMORY_EATEN = "64Mi", "128M"
# 2,000 lines of some hundred bytes a second: over its limit after five, some twenty megabytes in the end.
_DISK_LIMIT, _LINES = "1Mi", 2_000 * LASTS_S


class ResourceHog(Fault):
    """On the worker that runs most of the application, in a pod of our own; each kind bounded by itself.

    CPU: a busy thread for each core, without request or limit: the scheduler's shares must protect who asked for
    some. Memory: twice its limit, so that the kernel kills it and nobody else. Disk: a log without end, over the pod's
    limit of ephemeral storage: the kubelet must evict it and nobody else. Inodes: see `inodes`; what runs must serve
    on, while nothing new can start there.
    """

    id = "F-21"
    title = "let something eat a worker's resources"
    targets = {
        CPU: "as many busy threads as it has cores",
        MEMORY: f"a pod that takes {_MEMORY_EATEN} with a limit of {_MEMORY_LIMIT}",
        DISK: f"a pod that writes its log past a limit of {_DISK_LIMIT}",
        INODES: "no inode is left for the container runtime's state",
    }
    soaks = True
    also_needs = {INODES: frozenset({Capability.NODE_EXEC})}
    permissions = (
        *own_pods.PERMISSIONS,
        Permission("get", "pods", METRICS, NAMESPACE),
    )
    proof_within_s = 100.0

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        return Victim(
            kind="Node",
            name=node,
            node=node,
            why=f"{target}; runs {count} of {total} Ready pods of {scene.app}",
            target=target,
            mark=f"{HOG}-{target}-{secrets.token_hex(4)}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return workers.alone(scene, {victim.node})

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {self.targets[victim.target]}, on {victim}"

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [own_pods.watched(scene, HOG), neighbours.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        arguments: dict[str, Any] = {"pod": victim.mark, "node": "", "total_inodes": 0}
        text = f"end pod {victim.mark}"
        if victim.target == INODES:
            arguments |= {"node": victim.node, "total_inodes": inodes.total(scene.cluster, victim.node)}
            text = f"give {victim.node} its inodes back, and {text}"
        return way_back(end, text, scene.cluster, arguments)

    def set_up(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.provide([own_pods.RESOURCE_CONSUMER, own_pods.AGNHOST])

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        match victim.target:
            case "cpu":
                return {f"cores used by {victim.mark}": _cores(scene, victim)}
            case "inodes":
                return {f"free inodes of {inodes.STATE} on {victim.node}": inodes.free(scene.cluster, victim.node)}
            case _:
                return {f"pod {victim.mark}": own_pods.state(own_pods.find(scene, victim.mark))}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        [what] = before
        now = str(after[what])
        if what.startswith("cores"):
            return float(now) - float(before[what]) >= BURNT
        if what.startswith("free inodes"):
            return int(before[what]) > NEARLY_NONE >= int(now)
        return now.startswith(ENDED)

    def inject(self, scene: Scene, victim: Victim) -> None:
        if victim.target == INODES:
            inodes.fill(scene.cluster, victim.node, victim.mark)
        own_pods.make(scene.rest, victim.mark, HOG, _hog(scene, victim), victim.node)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        found = [
            Step(kind="acted" if said.startswith(ENDED) else "detected", at=at, what=f"{victim.mark}: {said}")
            for at, said in _states(victim, changes, injected)
        ]
        found += [Step(kind="acted", at=at, what=what) for at, what in neighbours.harms(changes, victim.node, injected)]
        return sorted(found, key=lambda s: s.at)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """Only memory and disk have somebody who must act; how soon, nobody promised."""
        if victim.target not in (MEMORY, DISK):
            return []
        acted = next((at for at, said in _states(victim, changes, injected) if said.startswith(ENDED)), None)
        who = "the kernel" if victim.target == MEMORY else "the kubelet"
        seconds = None if acted is None else acted - injected
        return [Recovery(name="hog-ended", seconds=seconds, what=f"{who} ended the one at fault", judged=False)]

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        harmed = neighbours.harms(changes, victim.node, injected)
        beside = neighbours.count(scene, victim.node)
        found = [neighbours.unharmed(harmed, beside, victim.node, injected)]
        if victim.target == INODES:
            found.append(held_back(victim, changes, injected))
        return found


def held_back(victim: Victim, changes: Sequence[Change], injected: float) -> Check:
    """A pod that was put on the full node must wait, which shows that the node was full for whoever needs it. Pure."""
    states = [said for _, said in _states(victim, changes, injected)]
    check = "node-was-full"
    if not states:
        return Check(name=check, verdict=UNKNOWN, message=f"pod {victim.mark} was never seen")
    if "Running" in states:
        return Check(name=check, verdict=FAIL, message=f"pod {victim.mark} started on {victim.node} all the same")
    return Check(name=check, verdict=PASS, message=f"pod {victim.mark} could not start on {victim.node}")


@undoes
def end(cluster: Cluster | None, pod: str, node: str, total_inodes: int) -> None:
    """End the hog; where a node was filled, empty it first."""
    if node:
        inodes.clear(cluster, node, pod, total_inodes)
    own_pods.remove(cluster, pod)


def _states(victim: Victim, changes: Sequence[Change], injected: float) -> list[tuple[float, str]]:
    """What was seen of the hog's pod, one after the other."""
    return [(c.at, str(c.new)) for c in changes if c.subject == f"own/{victim.mark}" and c.at > injected and c.new]


def _hog(scene: Scene, victim: Victim) -> dict[str, Any]:
    lasting = ("--timeout", f"{LASTS_S}s")
    match victim.target:
        case "cpu":
            node = next(n for n in scene.nodes() if n.name == victim.node)
            threads = max(1, int((node.status.capacity or {}).get("cpu", "1")))
            return own_pods.spec(own_pods.RESOURCE_CONSUMER, [own_pods.STRESS, "--cpu", str(threads), *lasting])
        case "memory":
            command = [own_pods.STRESS, "--vm", "1", "--vm-bytes", _MEMORY_EATEN, *lasting]
            return own_pods.spec(own_pods.RESOURCE_CONSUMER, command, {"memory": _MEMORY_LIMIT})
        case "disk":
            command = ["/agnhost", "logs-generator", f"--log-lines-total={_LINES}", f"--run-duration={LASTS_S}s"]
            return own_pods.spec(own_pods.AGNHOST, command, {"ephemeral-storage": _DISK_LIMIT})
        case _:
            return own_pods.spec(own_pods.AGNHOST, ["/agnhost", "pause"])


class _Container(msgspec.Struct):
    usage: dict[str, str] = {}


class _PodMetrics(msgspec.Struct):
    containers: list[_Container] = []


def _cores(scene: Scene, victim: Victim) -> float:
    """As the metrics API has it: some ten or twenty seconds late, none until then. Raises `RestError`."""
    path = f"/apis/{METRICS}/v1beta1/namespaces/{NAMESPACE}/pods/{name(victim.mark)}"
    try:
        found = scene.rest.get(path, _PodMetrics)
    except RestError as error:
        if error.status == 404:
            return 0.0
        raise
    return round(float(sum(quantity(c.usage.get("cpu", "0")) for c in found.containers)), 2)
