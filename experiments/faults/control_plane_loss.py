"""F-31: a control-plane node is lost for good, its disks with it; a new machine joins in its place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from experiments.aftermath import Aftermath
from experiments.faults import elections, member_replacement, members
from experiments.faults.etcd_member_kill import choose
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum, survivors
from fixtures.safety.rest import name
from fixtures.safety.undo import Undo, undoes, way_back

NODES = "/api/v1/nodes"


class ControlPlaneLoss(Fault):
    """The machine and its disks are gone, its member of etcd is removed and its Node deleted, as an operator does who
    knows that it won't come back. Healing is a new machine: a new member, joined, promoted, and the Node Ready."""

    id = "F-31"
    title = "lose a control-plane node for good"
    targets = {"follower": "one that does not lead etcd", "leader": "the one that leads etcd"}
    needs = frozenset({Capability.NODE_DISKS, Capability.NODE_POWER, Capability.NODE_EXEC})
    watches_leaders = True
    permissions = (
        Permission("list", "pods", namespace="kube-system"),
        Permission("get", "leases", "coordination.k8s.io", "kube-system"),
        Permission("list", "nodes"),
        Permission("get", "nodes"),
        Permission("delete", "nodes"),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        pod = choose(scene, target)
        member = next((m for m in members.listed(scene.cluster, pod.node) if m.name == pod.node), None)
        if member is None:
            raise NoVictimError(f"no member of etcd is called {pod.node}")
        also = [f"leads {component}" for component in elections.leads(scene, pod.node)]
        why = ", ".join([pod.why, *also])
        return msgspec.structs.replace(
            pod, kind="Node", name=pod.node, namespace="", uid=member.hex, mark=",".join(member.peers), why=why
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return quorum(scenery, [victim.node]) + survivors(scenery, [victim.node], least=2)

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [members.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        arguments = {"node": victim.node, "lost": victim.uid, "peers": victim.mark.split(",")}
        return way_back(replace_control_plane, f"join a new machine as {victim.node}", scene.cluster, arguments)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        ids = [m.hex for m in member_replacement.by_others(scene.cluster, victim.node) if victim.mark in m.peers]
        uids = [n.metadata.uid for n in scene.nodes() if n.name == victim.node]
        return {
            f"boot id of {victim.node}": scene.cluster.boot_id(victim.node) or "off",
            f"member id of etcd on {victim.node}": ", ".join(ids) or members.NOBODY,
            f"UID of Node {victim.node}": ", ".join(uids) or members.NOBODY,
        }

    def inject(self, scene: Scene, victim: Victim) -> None:
        cluster, node = scene.cluster, victim.node
        cluster.wipe(node)
        member_replacement.forget(cluster, node, victim.uid)
        scene.rest.delete(f"{NODES}/{name(node)}", timeout_s=30.0)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return elections.steps(changes, elections.LEADERS, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return elections.recoveries(changes, [c for c in elections.LEADERS if f"leads {c}" in victim.why], injected)

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """As many control planes as before, this one with another member of etcd."""
        listed = members.ask_any(scene.cluster, lambda node: members.listed(scene.cluster, node))
        voting = {m.name: m.hex for m in listed if m.name and not m.learner}
        masters = sorted(n.name for n in scene.nodes() if n.control_plane and n.ready)
        good = masters == members.masters(scene.cluster) == sorted(voting) and voting[victim.node] != victim.uid
        said = f"control planes Ready: {', '.join(masters)}; members of etcd: {voting}, {victim.uid} was lost"
        return [Check(name="control-plane-replaced", verdict=PASS if good else FAIL, message=said)]


@undoes
def replace_control_plane(cluster: Cluster | None, node: str, lost: str, peers: Sequence[str]) -> None:
    """Bring the node back: as it was when it was not wiped yet, else as a new machine. Called again it goes on where it
    stands. Raises `ClusterError`, `UndoError`, `EtcdSilentError`."""
    assert cluster is not None
    member = next((m for m in member_replacement.by_others(cluster, node) if set(m.peers) & set(peers)), None)
    if member is None or not _is_on(cluster, node) or not member_replacement.runs(cluster, node, member):
        if member is not None:
            member_replacement.forget(cluster, node, member.hex)
        member_replacement.forget(cluster, node, lost)
        member = member_replacement.add(cluster, node, peers)
        cluster.rebuild(node)
    member_replacement.promote(cluster, node, member)
    member_replacement.await_voting(cluster, node)
    cluster.enrol(node)


def _is_on(cluster: Cluster, node: str) -> bool:
    return any(n.name == node and n.power == "on" for n in cluster.nodes())
