"""F-09: a zone loses power: every node in it, masters and workers, at once."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import elections, etcd, workers
from experiments.faults.fault import Evidence, NoVictimError, Recovery, Victim
from experiments.faults.nodes_lost import NodesLost, nodes, replaced
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.safety.undo import Undo, way_back


class ZoneOutage(NodesLost):
    """What a zone is, the provider says. In the worst one the leaders fall together with a part of the application, so
    that nobody notices the dead worker before there is a new controller-manager."""

    id = "F-09"
    title = "cut the power of a zone"
    targets = {
        "leader": "the zone of the master that leads etcd",
        "follower": "of the others, the one that runs most pods of the application",
    }
    soaks = True
    needs = frozenset({Capability.NODE_POWER})

    def choose(self, scene: Scene, target: str) -> Victim:
        zones: dict[str, list[str]] = {}
        for node in scene.cluster.nodes():
            if node.zone:
                zones.setdefault(node.zone, []).append(node.name)
        if len(zones) < 2:
            raise NoVictimError(f"{scene.cluster.name} has {len(zones)} zone(s): losing the only one loses everything")
        leader = etcd.leadership(scene).leader
        ready = [p for p in scene.app_pods() if p.ready]
        wanted = [z for z, there in zones.items() if (leader in there) == (target == "leader")]
        if not wanted:
            raise NoVictimError(f"etcd is led by {leader!r}, which is in none of the zones {', '.join(sorted(zones))}")
        zone = min(wanted, key=lambda z: (-len(workers.on(ready, zones[z])), z))
        inside = sorted(zones[zone])
        also = [f"leads {c}" for node in inside for c in elections.leads(scene, node)]
        pods = f"runs {len(workers.on(ready, inside))} of {len(ready)} Ready pods of {scene.app}"
        why = ["leads etcd" if target == "leader" else "follows in etcd", *also, pods]
        return Victim(kind="Zone", name=zone, node=",".join(inside), why=", ".join(why))

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {victim}: {', '.join(nodes(victim))}"

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        lost = nodes(victim)
        return way_back(workers.switch_on, f"switch {', '.join(lost)} on again", scene.cluster, {"nodes": lost})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"boot id of {node}": scene.cluster.boot_id(node) or "off" for node in nodes(victim)}

    def inject(self, scene: Scene, victim: Victim) -> None:
        """All together: a zone does not die node by node."""
        workers.cut(scene.cluster, nodes(victim))

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        found = super().recoveries(scene, victim, changes, injected)
        if "runs 0 of" not in victim.why:
            found.append(replaced(scene, victim, changes, injected, judged=False))
        return found
