"""F-14: a member of etcd is lost for good, its data with it; it is removed, and a new one takes its place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from experiments.aftermath import Aftermath
from experiments.faults import member_replacement, members, static_pods
from experiments.faults.etcd_member_kill import choose
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.observer import Watched
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum
from fixtures.safety.undo import Undo, way_back


class EtcdMemberLoss(Fault):
    """The member's process ends, its data directory is gone, and the others are told to forget it. Healing is what an
    operator does: a new member is added as a learner, fills itself from the leader, and is promoted."""

    id = "F-14"
    title = "lose a member of etcd for good"
    targets = {"follower": "one that follows", "leader": "the one that leads"}
    needs = frozenset({Capability.NODE_EXEC, Capability.NODE_SERVICES})
    watches_leaders = True
    permissions = (Permission("list", "pods", namespace="kube-system"),)

    def choose(self, scene: Scene, target: str) -> Victim:
        victim = choose(scene, target)
        listed = members.listed(scene.cluster, victim.node)
        member = next((m for m in listed if m.name == victim.node), None)
        if member is None:
            raise NoVictimError(f"no member of etcd is called {victim.node}, but {[m.name for m in listed]}")
        return msgspec.structs.replace(victim, uid=member.hex, mark=",".join(member.peers))

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return quorum(scenery, [victim.node])

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [members.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        arguments = {"node": victim.node, "lost": victim.uid, "peers": victim.mark.split(",")}
        text = f"give etcd a new member on {victim.node}"
        return way_back(member_replacement.replace_member, text, scene.cluster, arguments)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """The others' list, and the directory that a member's log is in."""
        listed = members.ask_any(scene.cluster, lambda node: members.listed(scene.cluster, node), avoid=[victim.node])
        ids = [m.hex for m in listed if victim.mark in m.peers or m.name == victim.node]
        data = member_replacement.data_directory(scene.cluster, victim.node)
        return {
            f"member id of etcd on {victim.node}": ", ".join(ids) or members.NOBODY,
            f"data of etcd on {victim.node}": member_replacement.inode(scene.cluster, victim.node, data),
        }

    def inject(self, scene: Scene, victim: Victim) -> None:
        cluster, node = scene.cluster, victim.node
        data = member_replacement.data_directory(cluster, node)
        static_pods.hold(cluster, node, static_pods.API_SERVER, "etcd")
        member_replacement.lose(cluster, node, data)
        members.ask_any(cluster, lambda one: members.ctl(cluster, one, "member", "remove", victim.uid), avoid=[node])

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """As many voting members as before, the lost one's place taken by a new one."""
        listed = members.ask_any(scene.cluster, lambda node: members.listed(scene.cluster, node))
        new = next((m for m in listed if m.name == victim.node), None)
        good = new is not None and new.hex != victim.uid and not new.learner and all(m.name for m in listed)
        told = ", ".join(f"{m.name or 'not started'} {m.hex}{' (learner)' if m.learner else ''}" for m in listed)
        said = f"{victim.uid} was lost; members now: {told}"
        return [Check(name="member-replaced", verdict=PASS if good else FAIL, message=said)]
