"""F-15: etcd loses its quorum: most of its members are gone at once, and come back when it is healed."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.aftermath import Aftermath
from experiments.faults import members, static_pods
from experiments.faults.etcd import EtcdSilentError
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.result import Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.preflight import Permission
from fixtures.safety.undo import Undo, undoes, way_back

LEAST = 3  # members: fewer have no majority to lose a part of
API = ("api-read", "api-read-reused", "api-write")


class EtcdQuorumLoss(Fault):
    """The leader and as many others as it takes end at once; their data stays. What is left can't decide anything: no
    write may be acknowledged, clients must be refused and not left waiting, and running pods must serve on."""

    id = "F-15"
    title = "take etcd's quorum"
    targets = {"leader": "the leader, and as many followers as it takes", "followers": "followers only"}
    needs = frozenset({Capability.NODE_EXEC, Capability.NODE_SERVICES})
    permissions = (Permission("list", "pods", namespace="kube-system"),)
    exceeds = "etcd's quorum: until it is healed nothing can be written, started, moved or repaired"
    stops = frozenset({"api-read", "api-write"})

    def choose(self, scene: Scene, target: str) -> Victim:
        leader, _ = members.leader(scene.cluster)
        if leader == members.NOBODY:
            raise EtcdSilentError("etcd has no leader at the moment")
        nodes = sorted(p.spec.node_name for p in scene.scenery().component("etcd") if p.ready)
        if len(nodes) < LEAST:
            raise NoVictimError(f"etcd has {len(nodes)} Ready pod(s) in kube-system; {LEAST} or more are needed")
        order = sorted(nodes, key=lambda node: ((node != leader) == (target == "leader"), node))
        lost = sorted(order[: len(nodes) - len(nodes) // 2])
        return Victim(
            kind="Pods",
            name=",".join(f"etcd-{node}" for node in lost),
            namespace="kube-system",
            node=",".join(lost),
            why=f"{len(lost)} of {len(nodes)} members" + (", the leader among them" if leader in lost else ""),
        )

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        nodes = victim.node.split(",")
        return way_back(start_members, f"start etcd on {victim.node} again", scene.cluster, {"nodes": nodes})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """By a member that stays: with a quorum it knows a leader, without one it can't."""
        nodes = victim.node.split(",")
        leader, _ = members.leader(scene.cluster, avoid=nodes)
        running = members.together(nodes, lambda node: members.process(scene.cluster, node))
        return {"etcd leader": leader, **{f"etcd's process on {node}": pid for node, pid in running.items()}}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return members.NOBODY not in before.values() and set(after.values()) == {members.NOBODY}

    def inject(self, scene: Scene, victim: Victim) -> None:
        stop_members(scene.cluster, victim.node.split(","))

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """Nothing acknowledged without a quorum, refusals without waiting, and back soon after the members are."""
        return [
            aftermath.refused("api-write"),
            aftermath.hanging(API),
            *(aftermath.returned(target) for target in API),
        ]


def stop_members(cluster: Cluster, nodes: Sequence[str]) -> None:
    """End the members on these nodes at once, and keep them from being started again."""
    members.together(nodes, lambda node: static_pods.hold(cluster, node, by=static_pods.RUNTIME))
    members.together(nodes, lambda node: static_pods.end(cluster, node, "etcd"))


@undoes
def start_members(cluster: Cluster | None, nodes: Sequence[str]) -> None:
    """Let the members on these nodes be started again; running already is fine."""
    assert cluster is not None
    members.together(nodes, lambda node: static_pods.release(cluster, node, by=static_pods.RUNTIME))
