"""What becomes of nodes that are lost to the others, whichever way: without power, or cut off."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import elections, workers
from experiments.faults.fault import Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum, survivors


class NodesLost(Fault):
    """A fault whose victim's `node` is the names of the nodes that it takes, separated by commas; and whose `why` says
    "leads COMPONENT" of each component that leads on one of them."""

    watches_leaders = True
    permissions = (
        Permission("create", "pods/exec", namespace="kube-system"),
        Permission("get", "leases", "coordination.k8s.io", "kube-system"),
        Permission("list", "nodes"),
        Permission("list", "pods"),
    )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        lost = nodes(victim)
        return quorum(scenery, lost) + survivors(scenery, lost) + workers.alone(scene, set(lost))

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, nodes(victim), injected)
        return [
            *elections.steps(changes, elections.LEADERS, injected),
            *workers.noticed(changes, nodes(victim), injected),
            *workers.left_service(changes, losses.names, injected),
            *losses.steps(),
        ]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """Every component that led on one of the nodes has another leader."""
        fell = [c for c in elections.LEADERS if f"leads {c}" in victim.why]
        return elections.recoveries(changes, fell, injected)

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Also every node must be missed."""
        missed = [s for s in workers.noticed(changes, nodes(victim), injected) if s.kind == "detected"]
        return len(missed) == len(nodes(victim)) and super().over(scene, victim, changes, injected)


def nodes(victim: Victim) -> list[str]:
    """Names of the nodes that are lost."""
    return victim.node.split(",")


def replaced(scene: Scene, victim: Victim, changes: Sequence[Change], injected: float, *, judged: bool) -> Recovery:
    """As many pods of the application are Ready as before."""
    restored = workers.Losses(scene, changes, nodes(victim), injected).restored
    seconds = None if restored is None else restored - injected
    return Recovery(
        name="replacement-ready", seconds=seconds, what="as many replicas are Ready as before", judged=judged
    )
