"""F-13: a member of etcd is killed, by default the one that leads; the members elect a leader anew."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import members, static_pods
from experiments.faults.etcd import EtcdSilentError
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum

LEADS, FOLLOWS = "leads etcd", "follows in etcd"


class EtcdMemberKill(Fault):
    """SIGKILL to the process of the static pod, in its node. The kubelet restarts it: there is nothing to take back."""

    id = "F-13"
    title = "kill a member of etcd"
    targets = {"leader": "the one that leads", "follower": "one that follows"}
    needs = frozenset({Capability.NODE_EXEC})
    watches_leaders = True
    permissions = (Permission("list", "pods", namespace="kube-system"),)

    def choose(self, scene: Scene, target: str) -> Victim:
        return choose(scene, target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return quorum(scenery, [victim.node])

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [members.watched(scene)]

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        leader, term = members.leader(scene.cluster, avoid=[victim.node])
        pid = members.process(scene.cluster, victim.node)
        return {f"etcd's process on {victim.node}": pid, "etcd leader": leader, "etcd term": term}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """The process must be another; and where it led, somebody must lead in a later term."""
        process = next(key for key in before if key.startswith("etcd's process"))
        if after[process] == before[process]:
            return False
        led = process.endswith(f" {before['etcd leader']}")
        return not led or (after["etcd leader"] != members.NOBODY and after["etcd term"] > before["etcd term"])

    def inject(self, scene: Scene, victim: Victim) -> None:
        if not scene.cluster.kill(victim.node, "etcd"):
            raise ClusterError(f"node {victim.node} runs no process etcd; did it end by itself?")

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        found = []
        election = members.elected(changes, injected) if victim.why == LEADS else None
        if election is not None:
            found.append(Step(kind="acted", at=election.at, what="etcd has elected a leader"))
        found += static_pods.steps(changes, victim.name, injected)
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        found = [static_pods.restarted(changes, victim.name, injected)]
        if victim.why == LEADS:
            election = members.elected(changes, injected)
            seconds = None if election is None else election.at - injected
            found.append(Recovery(name="takeover", seconds=seconds, what="etcd has elected a leader"))
        return found


def choose(scene: Scene, target: str) -> Victim:
    """The leader's pod, or a follower's. Raises `NoVictimError`, `EtcdSilentError`."""
    leader, _ = members.leader(scene.cluster)
    if leader == members.NOBODY:
        raise EtcdSilentError("etcd has no leader at the moment")
    pods = sorted(scene.scenery().component("etcd"), key=lambda p: p.name)
    wanted = [p for p in pods if p.ready and (p.spec.node_name == leader) == (target == "leader")]
    if not wanted:
        raise NoVictimError(f"etcd is led by {leader!r}; no Ready pod of etcd in kube-system is the {target}")
    pod = wanted[0]
    return Victim(
        kind="Pod",
        name=pod.name,
        namespace=pod.namespace,
        node=pod.spec.node_name,
        uid=pod.container_id("etcd"),
        why=LEADS if target == "leader" else FOLLOWS,
    )
