"""F-09: a zone loses power: every node in it, masters and workers, at once."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import elections, etcd, workers
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum, survivors
from fixtures.safety.undo import Undo, way_back


class ZoneOutage(Fault):
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
    watches_leaders = True
    permissions = (
        Permission("create", "pods/exec", namespace="kube-system"),
        Permission("get", "leases", "coordination.k8s.io", "kube-system"),
        Permission("list", "nodes"),
        Permission("list", "pods"),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        zones: dict[str, list[str]] = {}
        for node in scene.cluster.nodes():
            if node.zone:
                zones.setdefault(node.zone, []).append(node.name)
        if len(zones) < 2:
            raise NoVictimError(f"{scene.cluster.name} has {len(zones)} zone(s): losing the only one loses everything")
        leader = etcd.leadership(scene).leader
        ready = [p for p in scene.app_pods() if p.ready]
        wanted = [z for z, nodes in zones.items() if (leader in nodes) == (target == "leader")]
        if not wanted:
            raise NoVictimError(f"etcd is led by {leader!r}, which is in none of the zones {', '.join(sorted(zones))}")
        zone = min(wanted, key=lambda z: (-len(workers.on(ready, zones[z])), z))
        nodes = sorted(zones[zone])
        also = [f"leads {c}" for node in nodes for c in elections.leads(scene, node)]
        pods = f"runs {len(workers.on(ready, nodes))} of {len(ready)} Ready pods of {scene.app}"
        why = ["leads etcd" if target == "leader" else "follows in etcd", *also, pods]
        return Victim(kind="Zone", name=zone, node=",".join(nodes), why=", ".join(why))

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        nodes = _nodes(victim)
        return quorum(scenery, nodes) + survivors(scenery, nodes) + workers.alone(scene, set(nodes))

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {victim}: {', '.join(_nodes(victim))}"

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        nodes = _nodes(victim)
        return way_back(workers.switch_on, f"switch {', '.join(nodes)} on again", scene.cluster, {"nodes": nodes})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"boot id of {node}": scene.cluster.boot_id(node) or "off" for node in _nodes(victim)}

    def inject(self, scene: Scene, victim: Victim) -> None:
        """All together: a zone does not die node by node."""
        workers.cut(scene.cluster, _nodes(victim))

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        nodes = _nodes(victim)
        losses = workers.Losses(scene, changes, nodes, injected)
        return [
            *elections.steps(changes, elections.LEADERS, injected),
            *workers.noticed(changes, nodes, injected),
            *workers.left_service(changes, losses.names, injected),
            *losses.steps(),
        ]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        fell = [c for c in elections.LEADERS if f"leads {c}" in victim.why]
        found = elections.recoveries(changes, fell, injected)
        if "runs 0 of" not in victim.why:
            restored = workers.Losses(scene, changes, _nodes(victim), injected).restored
            seconds = None if restored is None else restored - injected
            what = "as many replicas are Ready as before"
            found.append(Recovery(name="replacement-ready", seconds=seconds, what=what, judged=False))
        return found

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Also every node must be known to be dead."""
        dead = [s for s in workers.noticed(changes, _nodes(victim), injected) if s.kind == "detected"]
        return len(dead) == len(_nodes(victim)) and super().over(scene, victim, changes, injected)


def _nodes(victim: Victim) -> list[str]:
    return victim.node.split(",")
