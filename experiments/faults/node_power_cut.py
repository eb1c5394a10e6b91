"""F-04: a worker loses power: every process on it is gone at once, and nobody says goodbye."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import workers
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.safety.preflight import Permission, Refusal, Scenery, survivors
from fixtures.safety.undo import Undo, way_back


class NodePowerCut(Fault):
    """The worker with most of the application's pods. Its pods are replaced only when the node is known to be dead;
    until then the access layer must do without them."""

    id = "F-04"
    title = "cut the power of a worker"
    targets = {"worker": "the worker that runs most pods of the application"}
    soaks = True
    needs = frozenset({Capability.NODE_POWER})
    permissions = (Permission("list", "nodes"), Permission("list", "pods"))

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        return Victim(kind="Node", name=node, node=node, why=f"runs {count} of {total} Ready pods of {scene.app}")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return survivors(scenery, [victim.node]) + workers.alone(scene, {victim.node})

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        return way_back(workers.switch_on, f"switch {victim.node} on again", scene.cluster, {"nodes": [victim.node]})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"boot id of {victim.node}": scene.cluster.boot_id(victim.node) or "off"}

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.power_off(victim.node)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, {victim.node}, injected)
        return [
            *workers.noticed(changes, {victim.node}, injected),
            *workers.left_service(changes, losses.names, injected),
            *losses.steps(),
        ]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        restored = workers.Losses(scene, changes, {victim.node}, injected).restored
        seconds = None if restored is None else restored - injected
        return [Recovery(name="replacement-ready", seconds=seconds, what="as many replicas are Ready as before")]
