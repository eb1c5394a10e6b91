"""F-17: a part of the cluster is cut off. Its machines live on, and nobody tells either side what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.faults import elections, etcd, workers
from experiments.faults.fault import Evidence, NoVictimError, Recovery, Victim
from experiments.faults.nodes_lost import NodesLost, nodes, replaced
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, Direction
from fixtures.safety.undo import Undo, undoes, way_back

CABLE = "Cable"  # the kind of a victim that is one node, unplugged
SWALLOWED = "packets swallowed around "
DIRECTIONS: Mapping[str, Direction] = {"Network": Direction.BOTH, "Inbound": Direction.IN}


class Partition(NodesLost):
    """Packets vanish, so nothing is refused: every client waits until a timeout of its own. Who was cut off still
    believes to lead until it can't renew its Lease, and must have stopped by the time that somebody else begins."""

    id = "F-17"
    title = "cut a part of the network off"
    targets = {
        "worker": "the worker that runs most pods of the application: its cable is pulled",
        "leader": "the master that leads etcd, from everybody else",
        "minority-master": "a master that does not lead etcd, from everybody else",
        "halves": "the zone of the master that leads etcd, from the other zones; its nodes go on talking to each other",
        "one-way": "the master that leads etcd: what it sends arrives, what is sent to it does not",
    }
    needs = frozenset({Capability.NODE_LINK, Capability.PARTITION})

    def choose(self, scene: Scene, target: str) -> Victim:
        if target == "worker":
            node, count, total = workers.busiest(scene)
            return Victim(kind=CABLE, name=node, node=node, why=f"runs {count} of {total} Ready pods of {scene.app}")
        leader = etcd.leadership(scene).leader
        masters = sorted(n.name for n in scene.cluster.nodes() if n.role == "control-plane")
        wanted = [m for m in masters if (m == leader) == (target != "minority-master")]
        if not wanted:
            raise NoVictimError(f"etcd is led by {leader!r}; the masters of {scene.cluster.name} are {masters}")
        inside = _zone(scene, wanted[0]) if target == "halves" else [wanted[0]]
        kind = "Inbound" if target == "one-way" else "Network"
        also = [f"leads {c}" for node in inside for c in elections.leads(scene, node)]
        why = ["follows in etcd" if target == "minority-master" else f"{wanted[0]} leads etcd", *also]
        return Victim(kind=kind, name=" with ".join(inside), node=",".join(inside), why=", ".join(why))

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        if victim.kind == CABLE:
            return way_back(plug_in, f"plug {victim.node} in again", scene.cluster, {"node": victim.node})
        return way_back(rejoin, f"let {victim.name} talk to the others again", scene.cluster)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """Of a cable: whether it is plugged in. Else what the rules swallowed, and whom the others follow now.

        Only the others are asked, before the cut as well: right after it nothing has been swallowed yet, and a member
        that is cut off answers neither yes nor no until the time for a proof is over.
        """
        if victim.kind == CABLE:
            return {f"cable of {victim.node}": "plugged in" if scene.cluster.link_is_up(victim.node) else "pulled"}
        state = etcd.leadership(scene, avoid=nodes(victim))
        swallowed = scene.cluster.vanished()
        return {f"{SWALLOWED}{victim.node}": swallowed, "etcd leader": state.leader, "etcd term": state.term}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Packets must have vanished; and where etcd's leader was cut off, the others must follow another one."""
        swallowed = next((key for key in before if key.startswith(SWALLOWED)), None)
        if swallowed is None:
            return super().proven(before, after)
        if after[swallowed] <= before[swallowed]:
            return False
        led = before["etcd leader"] in swallowed.removeprefix(SWALLOWED).split(",")
        return not led or (after["etcd leader"] != before["etcd leader"] and after["etcd term"] > before["etcd term"])

    def inject(self, scene: Scene, victim: Victim) -> None:
        if victim.kind == CABLE:
            scene.cluster.link_down(victim.node)
        else:
            scene.cluster.isolate(nodes(victim), DIRECTIONS[victim.kind])

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        found = super().recoveries(scene, victim, changes, injected)
        if victim.kind == CABLE:
            found.append(replaced(scene, victim, changes, injected, judged=True))
        return found


def _zone(scene: Scene, master: str) -> list[str]:
    """Every node of a master's zone. Raises `NoVictimError` where there is no other zone."""
    everyone = scene.cluster.nodes()
    zone = next(n.zone for n in everyone if n.name == master)
    inside = sorted(n.name for n in everyone if n.zone == zone)
    if not zone or len(inside) == len(everyone):
        raise NoVictimError(f"{scene.cluster.name} has no second zone that {master}'s could be cut off from")
    return inside


@undoes
def plug_in(cluster: Cluster | None, node: str) -> None:
    """Plug the node's cable in; plugged in already is fine."""
    assert cluster is not None
    cluster.link_up(node)


@undoes
def rejoin(cluster: Cluster | None) -> None:
    """Let everybody talk to everybody; nobody cut off is fine."""
    assert cluster is not None
    cluster.rejoin()
