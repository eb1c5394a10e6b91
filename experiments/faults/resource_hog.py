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
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.rest import name
from fixtures.safety.undo import Undo, undoes, way_back

CPU, MEMORY, DISK, INODES = "cpu", "memory", "disk", "inodes"
HOG = "hog"
STRESS = "/usr/bin/stress"
LASTS_S = 60  # every hog ends by itself, whatever becomes of us
BURNT_S = 4.0  # CPU seconds by which a hog is known
ENDED = ("OOMKilled", "Evicted")
NEARLY_NONE = 8  # inodes: some always come and go

# Twice its limit, so that it is not the node that runs out.
_MEMORY_LIMIT, _MEMORY_EATEN = "64Mi", "128M"
# 2,000 lines of some hundred bytes a second: over its limit after five, a dozen megabytes in the end.
_DISK_LIMIT, _LINES = "1Mi", 2_000 * LASTS_S


class ResourceHog(Fault):
    """On the worker that runs most of the application, in a pod of our own; each kind bounded by itself.

    CPU: more runnable threads than cores, without request or limit: the scheduler's shares must protect who asked for
    some. Memory: twice its limit, so that the kernel kills it and nobody else. Disk: a log without end, over the pod's
    limit of ephemeral storage: the kubelet must evict it and nobody else. Inodes: see `inodes`; what runs must serve
    on, while nothing new can start there.
    """

    id = "F-21"
    title = "let something eat a worker's resources"
    targets = {
        CPU: "twice as many busy threads as it has cores",
        MEMORY: f"a pod that takes {_MEMORY_EATEN} with a limit of {_MEMORY_LIMIT}",
        DISK: f"a pod that writes its log past a limit of {_DISK_LIMIT}",
        INODES: "no inode is left for the container runtime's state",
    }
    also_needs = {INODES: frozenset({Capability.NODE_EXEC})}
    permissions = (
        *own_pods.PERMISSIONS,
        Permission("list", "nodes"),
        Permission("list", "pods"),
        Permission("get", "nodes/proxy"),
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
                return {f"CPU seconds used by {victim.mark}": _cpu_seconds(scene, victim)}
            case "inodes":
                return {f"free inodes of {inodes.STATE} on {victim.node}": inodes.free(scene.cluster, victim.node)}
            case _:
                return {f"pod {victim.mark}": own_pods.state(own_pods.find(scene, victim.mark))}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        [what] = before
        now = str(after[what])
        if what.startswith("CPU"):
            return float(now) - float(before[what]) >= BURNT_S
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
    lasting = f"--timeout={LASTS_S}s"
    match victim.target:
        case "cpu":
            node = next(n for n in scene.nodes() if n.name == victim.node)
            threads = 2 * max(1, int((node.status.capacity or {}).get("cpu", "1")))
            return own_pods.spec(own_pods.RESOURCE_CONSUMER, [STRESS, f"--cpu={threads}", lasting])
        case "memory":
            command = [STRESS, "--vm=1", f"--vm-bytes={_MEMORY_EATEN}", lasting]
            return own_pods.spec(own_pods.RESOURCE_CONSUMER, command, {"memory": _MEMORY_LIMIT})
        case "disk":
            command = ["/agnhost", "logs-generator", f"--log-lines-total={_LINES}", f"--run-duration={LASTS_S}s"]
            return own_pods.spec(own_pods.AGNHOST, command, {"ephemeral-storage": _DISK_LIMIT})
        case _:
            return own_pods.spec(own_pods.AGNHOST, ["/agnhost", "pause"])


class _Reference(msgspec.Struct):
    name: str = ""


class _Cpu(msgspec.Struct, rename="camel"):
    usage_core_nano_seconds: int = 0


class _PodStats(msgspec.Struct, rename="camel"):
    pod_ref: _Reference
    cpu: _Cpu | None = None


class _Summary(msgspec.Struct):
    pods: list[_PodStats] = []


def _cpu_seconds(scene: Scene, victim: Victim) -> float:
    """As the node's kubelet counts them; it looks every ten seconds. Raises `RestError`."""
    summary = scene.rest.get(f"/api/v1/nodes/{name(victim.node)}/proxy/stats/summary", _Summary)
    used = (p.cpu.usage_core_nano_seconds for p in summary.pods if p.pod_ref.name == victim.mark and p.cpu)
    return round(next(used, 0) / 1e9, 1)
