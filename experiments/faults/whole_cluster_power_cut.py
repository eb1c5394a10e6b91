"""F-30: every node loses power in the same instant, and all of them have it back a moment later."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.faults import elections, inside, nodes_lost, workers
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.safety.preflight import APP, Permission
from fixtures.safety.rest import RestError
from fixtures.safety.undo import Undo, way_back

DARK_S = 2.0
NAMES = "names"
ANSWERED, SILENT = "answered", "silent"


class WholeClusterPowerCut(Fault):
    """Nothing is left that could help anything else up again: each node must start by itself, etcd find its quorum,
    and what was promised before must be there. Outages are counted from the cut, so they contain the dark seconds."""

    id = "F-30"
    title = "cut the power of the whole cluster"
    targets = {"all": "every node at once, all on again after a moment"}
    needs = frozenset({Capability.NODE_POWER})
    exceeds = "every node loses power, so that nothing answers until they are back"
    watches_leaders = True
    permissions = (Permission("get", "pods/proxy", "", APP),)

    def choose(self, scene: Scene, target: str) -> Victim:
        nodes = sorted(n.name for n in scene.cluster.nodes())
        if not nodes:
            raise NoVictimError(f"{scene.cluster.name} has no nodes that its provider knows")
        try:
            known = inside.answered(scene)
        except RestError as error:
            raise NoVictimError(
                f"whether names and ClusterIPs work again can't be seen: {scene.app} does not answer /dial as "
                f"agnhost's netexec does ({error}); name one that does with --app"
            ) from error
        if not known:
            raise NoVictimError("names can't be resolved before anything is broken; mend DNS first")
        return Victim(kind="Cluster", name=scene.cluster.name, node=",".join(nodes), why=f"{len(nodes)} nodes")

    def watches(self, scene: Scene) -> Sequence[Watched]:
        """A pod resolves the API's name and calls it by its ClusterIP: DNS, proxies and pod network in one."""

        def look() -> Mapping[str, Any]:
            try:
                return {NAMES: ANSWERED if inside.answered(scene) else SILENT}
            except RestError:
                return {NAMES: SILENT}

        return [Watched(name=NAMES, look=look)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        nodes = nodes_lost.nodes(victim)
        return way_back(workers.switch_on, f"switch {', '.join(nodes)} on again", scene.cluster, {"nodes": nodes})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"boot id of {node}": scene.cluster.boot_id(node) or "off" for node in nodes_lost.nodes(victim)}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Every node has booted anew."""
        return super().proven(before, after) and "off" not in after.values()

    def inject(self, scene: Scene, victim: Victim) -> None:
        nodes = nodes_lost.nodes(victim)
        workers.cut(scene.cluster, nodes)
        time.sleep(DARK_S)
        workers.switch_on(scene.cluster, nodes)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        nodes = nodes_lost.nodes(victim)
        found = [
            *elections.steps(changes, elections.LEADERS, injected),
            *workers.noticed(changes, nodes, injected),
            *workers.Losses(scene, changes, nodes, injected).steps(),
        ]
        answered = _answered(changes, injected)
        if answered is not None:
            found.append(Step(kind="recovered", at=answered, what="a pod resolves a name and reaches its ClusterIP"))
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        losses = workers.Losses(scene, changes, nodes_lost.nodes(victim), injected)
        restored, answered = losses.restored, _answered(changes, injected)
        return [
            *elections.recoveries(changes, elections.LEADERS, injected),
            Recovery(
                name="replacement-ready",
                seconds=None if restored is None else restored - injected,
                what="as many replicas are Ready as before",
            ),
            Recovery(
                name="names",
                seconds=None if answered is None else answered - injected,
                what="a pod resolves a name and reaches its ClusterIP",
            ),
        ]


def _answered(changes: Sequence[Change], injected: float) -> float | None:
    """When names were answered again; None when they weren't, or were never seen not to be."""
    return next((c.at for c in changes if c.subject == NAMES and c.at > injected and c.new == ANSWERED), None)
