"""Taking a member of etcd its data, and giving the cluster a new member in its place.

Everything here may be called again after it was cut off anywhere: where it stands is read from the node and from the
other members, never remembered.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import msgspec

from experiments.faults import members, static_pods
from experiments.faults.etcd import EtcdSilentError
from experiments.faults.members import Member
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.undo import UndoError, undoes

JOINS_WITHIN_S = 60.0
HEALTHY_WITHIN_S = 20.0
SERVES_WITHIN_S = 1
PAUSE_S = 0.3


def data_directory(cluster: Cluster, node: str) -> str:
    """As the node's manifest names it. Raises `ClusterError`."""
    found = re.search(r"--data-dir=(\S+)", static_pods.original(cluster, node, "etcd"))
    if found is None:
        raise ClusterError(f"node {node}: the manifest of etcd names no --data-dir")
    return found[1].strip("\"'")


def aside(data: str) -> str:
    """Where lost data is kept until it is replaced: beside it, on the same file system."""
    return f"{data}.evenkeel-lost"


def inode(cluster: Cluster, node: str, data: str) -> str:
    """Which directory a member's log is in; `none` when there is none."""
    done = cluster.exec(node, ["stat", "-c", "%i", f"{data}/member"])
    return done.stdout.strip() if done.returncode == 0 else members.NOBODY


def lose(cluster: Cluster, node: str, data: str) -> None:
    """Take an ended member its data. Lost already is fine: then what is there now is worth nothing."""
    away = aside(data)
    command = f"if [ -e {away} ]; then rm -rf {data}/member; else mkdir {away} && mv {data}/member {away}/member; fi"
    static_pods.shell(cluster, node, command)


def give_back(cluster: Cluster, node: str, data: str) -> None:
    """Put lost data back where it was, instead of whatever is there now."""
    away = aside(data)
    command = f"if [ -e {away}/member ]; then rm -rf {data}/member && mv {away}/member {data}/member; fi; rm -rf {away}"
    static_pods.shell(cluster, node, command)


def is_lost(cluster: Cluster, node: str, data: str) -> bool:
    return cluster.exec(node, ["test", "-e", f"{aside(data)}/member"]).returncode == 0


@undoes
def replace_member(cluster: Cluster | None, node: str, lost: str, peers: Sequence[str]) -> None:
    """Bring the node's member back: as it was when its data is still there, else as a new member. Raises `UndoError`,
    `ClusterError`, `EtcdSilentError`: called again it goes on where it stands."""
    assert cluster is not None
    data = data_directory(cluster, node)
    if is_lost(cluster, node, data):
        forget(cluster, node, lost)
        join(cluster, node, peers, data)
    static_pods.release(cluster, node)
    await_voting(cluster, node)
    # It stays told to join a cluster that exists, as kubeadm's own join leaves it: its data is there now, so that has
    # no meaning any more, and taking it back would restart the member once more.
    static_pods.keep(cluster, node, "etcd")
    static_pods.shell(cluster, node, f"rm -rf {aside(data)}")


def forget(cluster: Cluster, node: str, lost: str) -> None:
    """Have the other members forget the lost one, if they still know it."""
    if any(m.hex == lost for m in by_others(cluster, node)):
        members.ask_any(cluster, lambda one: members.tell(cluster, one, "member", "remove", lost), avoid=[node])


def join(cluster: Cluster, node: str, peers: Sequence[str], data: str) -> None:
    """Add the node's member anew and wait until it votes. One added earlier that does not run is removed first."""
    known = next((m for m in by_others(cluster, node) if set(m.peers) & set(peers)), None)
    if known is not None and not runs(cluster, node, known):
        forget(cluster, node, known.hex)
        known = None
    if known is None:
        static_pods.hold(cluster, node, static_pods.API_SERVER, "etcd")
        lose(cluster, node, data)
        known = add(cluster, node, peers)
        static_pods.replace(cluster, node, "etcd", _manifest(cluster, node, by_others(cluster, node)))
    static_pods.release(cluster, node)
    promote(cluster, node, known)


def add(cluster: Cluster, node: str, peers: Sequence[str]) -> Member:
    """Announce a new member, which does not vote before it has caught up. etcd takes none before all of the others have
    been connected for a few seconds. Raises `EtcdSilentError` when it still doesn't."""
    command = ("member", "add", node, "--learner", f"--peer-urls={','.join(peers)}")
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while True:
        try:
            said = members.ask_any(cluster, lambda one: members.ctl(cluster, one, *command), avoid=[node])
            return msgspec.convert(said["member"], Member)
        except EtcdSilentError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)


def _manifest(cluster: Cluster, node: str, everyone: Sequence[Member]) -> str:
    """The node's own, told to join a cluster that exists."""
    urls = ",".join(f"{m.name or node}={url}" for m in everyone for url in m.peers)
    text = static_pods.with_flag(static_pods.original(cluster, node, "etcd"), "initial-cluster-state", "existing")
    return static_pods.with_flag(text, "initial-cluster", urls)


def promote(cluster: Cluster, node: str, member: Member) -> None:
    """Make a learner a voter as soon as it has caught up, and see to it that it serves."""
    _give_a_vote(cluster, node, member)
    _serve(cluster, node)


def _give_a_vote(cluster: Cluster, node: str, member: Member) -> None:
    """etcd refuses until the learner has caught up. Raises `UndoError`."""

    def ask(one: str) -> None:
        members.tell(cluster, one, "member", "promote", member.hex)

    deadline = time.monotonic() + JOINS_WITHIN_S
    said = "it has not started"
    while time.monotonic() < deadline:
        try:
            if any(m.id == member.id and m.name and not m.learner for m in by_others(cluster, node)):
                return
            members.ask_any(cluster, ask, avoid=[node])
            return
        except EtcdSilentError as error:
            said = str(error)
        time.sleep(PAUSE_S)
    raise UndoError(f"the new member of etcd on {node} does not vote after {JOINS_WITHIN_S:.0f} s: {said[-300:]}")


def _serve(cluster: Cluster, node: str) -> None:
    """End a member that votes and serves nobody; its kubelet starts it again.

    A new member announces its address through the others, and serves clients when it sees that applied. Where the
    leader sends it a snapshot that holds the announcement already, it never does, and tries again only after etcd's own
    timeout: 5 s and two elections, seen in half of all joins. Started again with its data there, it gets no snapshot.
    """
    old = members.process(cluster, node)
    try:
        members.ctl(cluster, node, "endpoint", "status", f"--command-timeout={SERVES_WITHIN_S}s")
    except EtcdSilentError:
        cluster.kill(node, "etcd")
        members.await_restart(cluster, node, old)


def await_voting(cluster: Cluster, node: str) -> None:
    """Wait until the node's member runs as its manifest says, follows a leader, and votes."""
    deadline = time.monotonic() + JOINS_WITHIN_S
    said = ""
    while time.monotonic() < deadline:
        try:
            seen = members.view(cluster, node)
            voting = {m.id for m in by_others(cluster, node) if m.name and not m.learner}
            if seen.leader and not seen.learner and seen.member in voting:
                return
            said = f"it sees leader {seen.leader:x}, votes: {seen.member in voting}"
        except EtcdSilentError as error:
            said = str(error)
        time.sleep(PAUSE_S)
    raise UndoError(f"etcd on {node} does not take part after {JOINS_WITHIN_S:.0f} s: {said[-300:]}")


def runs(cluster: Cluster, node: str, member: Member) -> bool:
    """Whether the node's process is this member."""
    try:
        return members.view(cluster, node).member == member.id
    except EtcdSilentError:
        return False


def by_others(cluster: Cluster, node: str) -> list[Member]:
    """All members, as one of the others knows them."""
    return members.ask_any(cluster, lambda one: members.listed(cluster, one), avoid=[node])
