"""F-12: the leading controller-manager is killed; another must take its Lease over."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from experiments.faults import elections
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery


class LeaderKill(Fault):
    """SIGKILL to the leader's process in its node. Its Lease is not given back: it must run out first.

    The kubelet restarts the container, so there is nothing to take back.
    """

    id = "F-12"
    title = "kill the leading controller-manager"
    targets = {"controller-manager": "kube-controller-manager", "scheduler": "kube-scheduler"}
    soaks = True
    needs = frozenset({Capability.NODE_EXEC})
    watches_leaders = True
    permissions = (Permission("get", "leases", "coordination.k8s.io", "kube-system"),)

    def choose(self, scene: Scene, target: str) -> Victim:
        component = self.targets[target]
        node, holder, _ = elections.leader(scene, component)
        if not holder:
            raise NoVictimError(f"Lease kube-system/{component} has no holder; wait for a leader")
        return Victim(kind="Process", name=component, node=node, uid=holder, why=f"leads, on {node}")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return elections.no_successor(scenery, victim.name, victim.node)

    def restarts(self, victim: Victim) -> Collection[str]:
        return {f"{victim.name}-{victim.node}"}

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        _, holder, transitions = elections.leader(scene, victim.name)
        return {f"holder of Lease {victim.name}": holder, "leaseTransitions": transitions}

    def inject(self, scene: Scene, victim: Victim) -> None:
        if not scene.cluster.kill(victim.node, victim.name):
            raise ClusterError(f"node {victim.node} runs no process {victim.name}; is {victim.uid!r} on another node?")

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return elections.steps(changes, [victim.name], injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return elections.recoveries(changes, [victim.name], injected)
