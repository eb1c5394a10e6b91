"""F-08: a worker is drained, as before maintenance: cordoned, then emptied through the Eviction API."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import workers
from experiments.faults.eviction import cordon, evict_all, evictable, uncordon
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Permission, Refusal, Scenery, budgets, survivors
from fixtures.safety.undo import Undo, way_back
from fixtures.snapshot.selectors import matches

DRAINED_WITHIN_S = 180.0


class NodeDrain(Fault):
    """Done on purpose and with all politeness, so nothing at all may be noticed: budgets are honoured, and pods end
    gracefully. Pods with emptyDir volumes move too and lose what is in them, as everywhere."""

    id = "F-08"
    title = "drain a worker"
    targets = {"worker": "the worker that runs most pods of the application"}
    soaks = True
    permissions = (
        Permission("list", "nodes"),
        Permission("patch", "nodes"),
        Permission("list", "pods"),
        Permission("create", "pods/eviction"),
        Permission("list", "poddisruptionbudgets", "policy"),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        return Victim(kind="Node", name=node, node=node, why=f"runs {count} of {total} Ready pods of {scene.app}")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        pods = evictable(scene.rest, victim.node)
        refusals = survivors(scenery, [victim.node]) + workers.alone(scene, {victim.node})
        refusals += [
            Refusal(
                object=f"Pod {p.namespace}/{p.name}",
                value="belongs to no controller",
                next="evicted it would be lost for good: move it or delete it by hand",
            )
            for p in pods
            if p.controller is None
        ]
        return refusals + _no_room(scene, pods)

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        return way_back(uncordon, f"let pods onto {victim.node} again", scene.cluster, {"node": victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        node = next((n for n in scene.nodes() if n.name == victim.node), None)
        if node is None:
            raise ClusterError(f"node {victim.node} is gone")
        here = sorted(p.name for p in evictable(scene.rest, victim.node))
        return {
            f"{victim.node} takes new pods": "no" if node.spec.unschedulable else "yes",
            f"evictable pods on {victim.node}": ", ".join(here) or "none",
        }

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return super().proven(before, after) and list(after.values()) == ["no", "none"]

    def inject(self, scene: Scene, victim: Victim) -> None:
        """Returns when the node is empty: an outage on the way is an outage of the drain."""
        cordon(scene.rest, victim.node, unschedulable=True)
        evict_all(scene.rest, victim.node, DRAINED_WITHIN_S)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, {victim.node}, injected)
        found = [*workers.left_service(changes, losses.names, injected), *losses.steps()]
        empty = losses.emptied
        if empty is not None:
            found.append(Step(kind="acted", at=empty, what=f"the last pod of the application left {victim.node}"))
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """How long it takes is the budgets' business: one pod after the other, each Ready before the next may go."""
        restored = workers.Losses(scene, changes, {victim.node}, injected).restored
        seconds = None if restored is None else restored - injected
        what = "as many replicas are Ready as before"
        return [Recovery(name="replacement-ready", seconds=seconds, what=what, judged=False)]


def _no_room(scene: Scene, pods: Sequence[Pod]) -> list[Refusal]:
    """Budgets that allow nothing now: the drain would wait for them, perhaps for ever."""
    return [
        Refusal(
            object=f"PodDisruptionBudget {one.namespace}/{one.name}",
            value="allows no disruption at the moment",
            next="wait until all its pods are Ready; one that never allows any blocks every maintenance",
        )
        for namespace in sorted({p.namespace for p in pods})
        for one in budgets(scene.rest, namespace)
        if any(p.namespace == namespace and matches(one.spec.selector, p.labels) for p in pods)
        and not (one.status and one.status.disruptions_allowed)
    ]
