"""F-16: etcd's database reaches its quota: it raises the NOSPACE alarm and refuses every write of the cluster.

One follower is restarted with a quota just above what its database holds, and is filled beyond it with keys of our own
outside the API server's prefix. That is the real thing in seconds (the alarm of one member counts for all), while
filling the usual 2 GiB would take minutes of the disk that every other measurement shares. Deleting, compacting,
defragmenting, and disarming are the way back, as they are for anybody to whom it happens.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiments.aftermath import Aftermath
from experiments.faults import members, static_pods
from experiments.faults.etcd_member_kill import choose
from experiments.faults.fault import Evidence, Fault, Victim
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum
from fixtures.safety.undo import Undo, UndoError, undoes, way_back

PREFIX = "/evenkeel-filler/"
MEBIBYTE = 1 << 20
ROOM = 8 * MEBIBYTE  # above what the database holds: its own growth must not raise the alarm before we are ready
FILLED = 24 * MEBIBYTE  # at the most
CHUNK = 1000 * 1024  # one key; a request may be 1.5 MiB at most
PUT_S = 15.0  # every member writes it to its disk, and they may share one


class EtcdFull(Fault):
    """What is refused is refused at once, reads and running pods go on, and writes return when there is room again."""

    id = "F-16"
    title = "fill etcd up to its quota"
    targets = {"follower": "through a member that does not lead", "leader": "through the one that leads"}
    needs = frozenset({Capability.NODE_EXEC, Capability.NODE_SERVICES})
    permissions = (
        Permission("list", "pods", namespace="kube-system"),
        Permission("create", "pods/exec", namespace="kube-system"),
    )
    exceeds = "every write of the cluster: until there is room in etcd again nothing can be changed"
    stops = frozenset({"api-write"})
    seen_by = ("SYS-11",)

    def choose(self, scene: Scene, target: str) -> Victim:
        return choose(scene, target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return quorum(scenery, [victim.node])  # it is restarted

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"empty etcd again, give {victim.node} its quota back and disarm the alarm"
        return way_back(make_room, text, scene.cluster, {"node": victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {"etcd alarms": ", ".join(alarms(scene.cluster)) or members.NOBODY}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return "NOSPACE" not in before["etcd alarms"] and "NOSPACE" in after["etcd alarms"]

    def inject(self, scene: Scene, victim: Victim) -> None:
        cluster, node = scene.cluster, victim.node
        quota = members.view(cluster, node).database + ROOM
        manifest = static_pods.original(cluster, node, "etcd")
        old = members.process(cluster, node)
        text = static_pods.with_flag(manifest, "quota-backend-bytes", str(quota))
        static_pods.restart(cluster, node, lambda: static_pods.replace(cluster, node, "etcd", text))
        members.await_restart(cluster, node, old)
        for number in range(FILLED // CHUNK):
            if not _fill(cluster, node, number):
                return
        raise ClusterError(f"etcd on {node} took {FILLED >> 20} MiB with a quota of {quota >> 20} MiB and no alarm")

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """No write acknowledged while the alarm is on, refused at once, back when it is off, and no alarm left."""
        left = alarms(scene.cluster)
        said = f"alarms left: {', '.join(left)}" if left else "no alarm is left, and nothing of the filling"
        return [
            aftermath.refused("api-write"),
            aftermath.hanging(("api-write",)),
            aftermath.returned("api-write"),
            Check(name="alarms-off", verdict=FAIL if left else PASS, message=said),
        ]


def alarms(cluster: Cluster) -> list[str]:
    """Alarms as "NOSPACE of master-2". Raises `EtcdSilentError`."""

    def ask(node: str) -> list[str]:
        raised = members.ctl(cluster, node, "alarm", "list").get("alarms") or []
        names = {m.id: m.name for m in members.listed(cluster, node)} if raised else {}
        kinds = {1: "NOSPACE", 2: "CORRUPT"}
        return [f"{kinds.get(a.get('alarm'), a.get('alarm'))} of {names.get(a.get('memberID'), '?')}" for a in raised]

    return members.ask_any(cluster, ask)


def _fill(cluster: Cluster, node: str, number: int) -> bool:
    """Put one key; False when there was no room for it any more."""
    put = f"head -c {CHUNK} /dev/zero | tr '\\0' x | etcdctl \"$@\" put {PREFIX}{number}"
    done = cluster.exec(node, ["sh", "-c", put, "-", *members.FLAGS, f"--command-timeout={PUT_S:.0f}s"])
    if done.returncode and "database space exceeded" not in done.stdout + done.stderr:
        raise ClusterError(f"etcd on {node} can't be filled: {done.stderr.strip()[-200:]}")
    return done.returncode == 0


@undoes
def make_room(cluster: Cluster | None, node: str) -> None:
    """Delete what was filled in, compact, defragment, disarm, the old quota; in this order, all of it repeatable. The
    member is restarted last: writes need not wait for it."""
    assert cluster is not None
    static_pods.release(cluster, node)
    _empty(cluster, node)
    members.ask_any(cluster, lambda one: members.tell(cluster, one, "alarm", "disarm"))
    if static_pods.is_aside(cluster, node, "etcd"):
        old = members.process(cluster, node)
        static_pods.restart(cluster, node, lambda: static_pods.put_back(cluster, node, "etcd"))
        members.await_restart(cluster, node, old)
    if left := alarms(cluster):
        raise UndoError(f"etcd still raises {', '.join(left)}; `etcdctl alarm list` on {node} shows it")


def _empty(cluster: Cluster, node: str) -> None:
    """Only what carries our prefix; compacted and defragmented only where there was some."""
    gone = members.ask_any(cluster, lambda one: members.ctl(cluster, one, "del", PREFIX, "--prefix"))
    if not gone.get("deleted"):
        return
    revision = str(members.ask_any(cluster, lambda one: members.view(cluster, one).revision))
    members.ask_any(cluster, lambda one: members.tell(cluster, one, "compaction", revision, "--physical"))
    for one in _followers_first(cluster):
        members.tell(cluster, one, "defrag", "--command-timeout=20s", timeout_s=30.0)


def _followers_first(cluster: Cluster) -> Sequence[str]:
    """One after the other, the leader last: a member that is defragmenting answers nobody."""
    leader, _ = members.leader(cluster)
    return sorted(members.masters(cluster), key=lambda node: (node == leader, node))
