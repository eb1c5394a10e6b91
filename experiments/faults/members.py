"""etcd as it is seen on its members' own nodes: without the API, and without a quorum.

Each member is asked for its own view only, through its own endpoint: what another one would have to forward hangs when
that one is dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from experiments.faults.etcd import ETCDCTL, EtcdSilentError
from experiments.observer import Change, Watched
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError, Unsupported
from fixtures.safety.rest import RestError

CONTROL_PLANE = "control-plane"
NOBODY = "none"
LEADER = "etcd/leader"  # subject of the observer's changes
ANSWER_S = 10.0
FLAGS = ETCDCTL[1:]
RESTART_S = 60.0
T = TypeVar("T")


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the cluster. `name` is empty until it has started for the first time."""

    id: int = msgspec.field(name="ID")
    name: str = ""
    learner: bool = msgspec.field(default=False, name="isLearner")
    peers: list[str] = msgspec.field(default_factory=list, name="peerURLs")

    @property
    def hex(self) -> str:
        """As etcdctl wants it."""
        return format(self.id, "x")


class Reign(msgspec.Struct, frozen=True):
    """Who leads, as a member knows it. One term has one leader at most; each election is of a later one."""

    leader: int  # 0: nobody
    term: int


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What one member says of itself and of the cluster."""

    member: int
    cluster: int
    leader: int  # 0: it knows none
    term: int
    revision: int
    database: int  # bytes
    learner: bool


def masters(cluster: Cluster) -> list[str]:
    """The control-plane nodes that are on."""
    return sorted(n.name for n in cluster.nodes() if n.role == CONTROL_PLANE and n.power == "on")


def ctl(cluster: Cluster, node: str, *command: str, timeout_s: float = ANSWER_S) -> Any:
    """etcdctl's answer on a node, decoded. Raises `EtcdSilentError` with what it said instead."""
    said = tell(cluster, node, *command, timeout_s=timeout_s)
    try:
        return msgspec.json.decode(said) if said.strip() else {}
    except msgspec.DecodeError as error:
        raise EtcdSilentError(f"{node}: etcdctl {command[0]}: {error}") from error


def tell(cluster: Cluster, node: str, *command: str, timeout_s: float = ANSWER_S) -> str:
    """etcdctl's answer on a node, as it is. Raises `EtcdSilentError`."""
    try:
        done = cluster.exec(node, [*ETCDCTL, *command], timeout_s=timeout_s)
    except (ClusterError, Unsupported) as error:
        raise EtcdSilentError(f"{node}: {error}") from error
    if done.returncode:
        raise EtcdSilentError(f"{node}: etcdctl {command[0]}: {_last(done.stderr) or f'exit {done.returncode}'}")
    return done.stdout


def view(cluster: Cluster, node: str) -> View:
    """What the node's member says; it answers without a quorum too. Raises `EtcdSilentError`."""
    said = ctl(cluster, node, "endpoint", "status")
    try:
        status = said[0]["Status"]
        return View(
            member=status["header"]["member_id"],
            cluster=status["header"]["cluster_id"],
            leader=status.get("leader", 0),
            term=status.get("raftTerm", 0),
            revision=status["header"].get("revision", 0),
            database=status.get("dbSize", 0),
            learner=bool(status.get("isLearner", False)),
        )
    except (LookupError, TypeError) as error:
        raise EtcdSilentError(f"{node}: etcdctl's status was not understood: {said!r:.200}") from error


def listed(cluster: Cluster, node: str) -> list[Member]:
    """The members as a node's member knows them. Raises `EtcdSilentError`."""
    return msgspec.convert(ctl(cluster, node, "member", "list").get("members", []), list[Member])


def ask_any(cluster: Cluster, question: Callable[[str], T], avoid: Collection[str] = ()) -> T:
    """The first answer that a member gives. Raises `EtcdSilentError` with what each said."""
    silent = []
    for node in masters(cluster):
        if node in avoid:
            continue
        try:
            return question(node)
        except EtcdSilentError as error:
            silent.append(str(error))
    raise EtcdSilentError("; ".join(silent) or "no control-plane node is on")


def leader(cluster: Cluster, avoid: Collection[str] = ()) -> tuple[str, int]:
    """The leader's name (in kubeadm clusters its node's; `none` without one) and the term, by one member that lives."""

    def ask(node: str) -> tuple[str, int]:
        seen = view(cluster, node)
        if not seen.leader:
            return NOBODY, seen.term
        names = {m.id: m.name for m in listed(cluster, node)}
        return names.get(seen.leader, format(seen.leader, "x")), seen.term

    return ask_any(cluster, ask, avoid)


def process(cluster: Cluster, node: str, program: str = "etcd") -> str:
    """The pid of a program on a node, as the node counts; `none` when it does not run."""
    done = cluster.exec(node, ["sh", "-c", 'grep -slx "$1" /proc/[0-9]*/comm', "-", program[:15]])
    return " ".join(path.split("/")[2] for path in done.stdout.split()) or NOBODY


def await_restart(cluster: Cluster, node: str, old: str, within_s: float = RESTART_S) -> None:
    """Wait until another process of etcd runs on a node and takes part. Raises `ClusterError`."""
    deadline = time.monotonic() + within_s
    said = "its process is still the old one"
    while time.monotonic() < deadline:
        if process(cluster, node) not in (old, NOBODY):
            try:
                if view(cluster, node).leader:
                    return
                said = "it knows no leader"
            except EtcdSilentError as error:
                said = str(error)
        time.sleep(0.2)
    raise ClusterError(f"etcd on {node} did not come back within {within_s:.0f} s: {said}")


def together(nodes: Sequence[str], work: Callable[[str], T]) -> Mapping[str, T]:
    """The same on several nodes at once; the first failure is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        return dict(zip(nodes, pool.map(work, nodes), strict=True))


def watched(scene: Scene, every_s: float = 0.25) -> Watched:
    """Who leads, a `Reign` of subject `LEADER`. Whoever answered last without leading is asked first: leaders are what
    dies."""
    order: list[str] = []

    def look() -> Mapping[str, Any]:
        order[:] = order or masters(scene.cluster)
        for node in tuple(order):
            try:
                seen = view(scene.cluster, node)
            except EtcdSilentError:
                order.append(order.pop(0))
                continue
            if seen.leader == seen.member:
                order.append(order.pop(0))
            return {LEADER: Reign(seen.leader, seen.term)}
        raise RestError("no member of etcd answers")

    return Watched(name="etcd-leader", look=look, every_s=every_s)


def elected(changes: Sequence[Change], injected: float) -> Change | None:
    """The look that first showed a leader of a later term than that of the injection. It may be the same member: a
    process that is back before the others miss it can be elected again, as was seen 1.3 s after a SIGKILL."""
    since = [change for change in changes if change.subject == LEADER and change.at > injected]
    return next((c for c in since if c.new.leader and c.new.term > since[0].old.term), None)


def _last(text: str) -> str:
    """etcdctl's own words: its last line, out of the JSON that its client logs in."""
    lines = [line for line in text.strip().splitlines() if line]
    return lines[-1][-200:] if lines else ""
