"""F-33: etcd loses all of its data, and is restored from a snapshot on every member.

What a restore can promise is what the snapshot holds: every write acknowledged before the snapshot was asked for is
there afterwards, and so is every one acknowledged after the restore. What was acknowledged in between is gone, and the
report counts it. Revisions are bumped and what was before is marked as compacted, so that no client goes on watching
from a revision that now means something else; API servers, whose memory is of the time that is gone, start anew.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence

from experiments.aftermath import Aftermath
from experiments.faults import member_replacement, members, static_pods
from experiments.faults.etcd import EtcdSilentError
from experiments.faults.etcd_quorum_loss import API, start_members, stop_members
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.preflight import Permission
from fixtures.safety.undo import Undo, undoes, way_back

GAP_S = 2.0  # between the snapshot and the loss, so that there is something to be lost
BUMP = 1_000_000_000  # revisions: more than any cluster writes between its snapshot and its loss
SAVE_S = 60.0
RESTARTED = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


class EtcdRestore(Fault):
    """A snapshot is taken, then every member ends and its data is gone: a drill of the worst day."""

    id = "F-33"
    title = "lose all of etcd's data"
    targets = {"all": "every member, after a snapshot"}
    needs = frozenset({Capability.NODE_EXEC, Capability.NODE_SERVICES})
    permissions = (Permission("list", "pods", namespace="kube-system"),)
    exceeds = "all of etcd's data: the whole cluster's state goes back to a snapshot"
    stops = frozenset({"api-read", "api-write"})
    forgets = True

    def choose(self, scene: Scene, target: str) -> Victim:
        leader, _ = members.leader(scene.cluster)
        if leader == members.NOBODY:
            raise EtcdSilentError("etcd has no leader at the moment")
        listed = members.listed(scene.cluster, leader)
        nodes = sorted(m.name for m in listed)
        if nodes != members.masters(scene.cluster):
            raise NoVictimError(
                f"etcd's members are {nodes}, the control-plane nodes that are on {members.masters(scene.cluster)}"
            )
        return Victim(
            kind="Members",
            name=",".join(f"etcd-{node}" for node in nodes),
            namespace="kube-system",
            node=",".join(nodes),
            uid=f"{members.view(scene.cluster, leader).cluster:x}",
            mark=f"{leader} {secrets.token_hex(4)}",
            why="all of them",
        )

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        source, token = victim.mark.split()
        listed = members.listed(scene.cluster, source)
        arguments = {"peers": {m.name: m.peers for m in listed}, "source": source, "token": f"evenkeel-{token}"}
        return way_back(restore, "restore etcd from the snapshot on every member", scene.cluster, arguments)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        def seen(node: str) -> str:
            data = member_replacement.data_directory(scene.cluster, node)
            return member_replacement.inode(scene.cluster, node, data)

        found = members.together(victim.node.split(","), seen)
        return {f"data of etcd on {node}": directory for node, directory in found.items()}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return members.NOBODY not in before.values() and set(after.values()) == {members.NOBODY}

    def inject(self, scene: Scene, victim: Victim) -> None:
        cluster, nodes = scene.cluster, victim.node.split(",")
        source = victim.mark.split()[0]
        file = snapshot_file(cluster, source)
        members.tell(cluster, source, "snapshot", "save", file, f"--command-timeout={SAVE_S:.0f}s", timeout_s=SAVE_S)
        time.sleep(GAP_S)
        stop_members(cluster, nodes)
        members.together(nodes, lambda node: _lose(cluster, node))

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """Another cluster id than before, as only a restore makes; nothing acknowledged while there was no etcd."""
        now = f"{members.ask_any(scene.cluster, lambda node: members.view(scene.cluster, node)).cluster:x}"
        listed = members.ask_any(scene.cluster, lambda node: members.listed(scene.cluster, node))
        voting = [m.name for m in listed if m.name and not m.learner]
        good = now != victim.uid and sorted(voting) == victim.node.split(",")
        said = f"cluster id {victim.uid} became {now}; voting: {', '.join(sorted(voting))}"
        return [
            Check(name="restored", verdict=PASS if good else FAIL, message=said),
            aftermath.refused("api-write"),
            *(aftermath.returned(target) for target in API),
        ]


def snapshot_file(cluster: Cluster, node: str) -> str:
    """Beside the data that it is of."""
    return f"{member_replacement.data_directory(cluster, node)}.evenkeel-snapshot.db"


def _lose(cluster: Cluster, node: str) -> None:
    member_replacement.lose(cluster, node, member_replacement.data_directory(cluster, node))


@undoes
def restore(cluster: Cluster | None, peers: Mapping[str, Sequence[str]], source: str, token: str) -> None:
    """From the snapshot when all data is lost; where some or the snapshot is not, from the data that was put aside."""
    assert cluster is not None
    nodes = sorted(peers)
    data = members.together(nodes, lambda node: member_replacement.data_directory(cluster, node))
    lost = [node for node in nodes if member_replacement.is_lost(cluster, node, data[node])]
    file = snapshot_file(cluster, source)
    if lost == nodes and cluster.exec(source, ["etcdutl", "snapshot", "status", file]).returncode == 0:
        _copy(cluster, source, file, [node for node in nodes if node != source])
        members.together(nodes, lambda node: _fill(cluster, node, data[node], file, peers, token))
        if all(members.process(cluster, node) == members.NOBODY for node in nodes):
            _forget_memories(cluster, nodes)
    elif lost:
        stop_members(cluster, nodes)
        members.together(lost, lambda node: member_replacement.give_back(cluster, node, data[node]))
    start_members(cluster, nodes)
    for node in nodes:
        member_replacement.await_voting(cluster, node)
    members.together(
        nodes, lambda node: static_pods.shell(cluster, node, f"rm -rf {member_replacement.aside(data[node])} {file}")
    )


def _copy(cluster: Cluster, source: str, file: str, targets: Sequence[str]) -> None:
    """Bring the snapshot to the other nodes, complete or not at all. In its own words, base64."""
    text = static_pods.shell(cluster, source, f"base64 {file}", timeout_s=SAVE_S)
    command = f"umask 077; base64 -d > {file}.new && mv {file}.new {file}"
    members.together(targets, lambda node: static_pods.shell(cluster, node, command, SAVE_S, stdin=text))


def _fill(cluster: Cluster, node: str, data: str, file: str, peers: Mapping[str, Sequence[str]], token: str) -> None:
    """Give a node's member the snapshot's data, unless it has some already. The same token everywhere: the cluster's
    and the members' ids come from it."""
    if member_replacement.inode(cluster, node, data) != members.NOBODY:
        return
    new = f"{data}.evenkeel-new"
    everyone = ",".join(f"{name}={url}" for name, urls in sorted(peers.items()) for url in urls)
    restored = (
        f"rm -rf {new} && etcdutl snapshot restore {file} --data-dir={new} --name={node}"
        f" --initial-cluster={everyone} --initial-cluster-token={token}"
        f" --initial-advertise-peer-urls={','.join(peers[node])} --bump-revision={BUMP} --mark-compacted"
    )
    command = f"{restored} && mkdir -p -m 700 {data} && mv {new}/member {data}/member && rm -rf {new}"
    static_pods.shell(cluster, node, command, timeout_s=SAVE_S)


def _forget_memories(cluster: Cluster, nodes: Sequence[str]) -> None:
    """End everything that holds a memory of the time that is gone; the kubelets start it anew."""
    for program in RESTARTED:
        members.together(nodes, lambda node, program=program: cluster.kill(node, program))  # type: ignore[misc]
