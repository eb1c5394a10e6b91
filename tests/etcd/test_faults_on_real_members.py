"""Faults of etcd on real members: what they break is broken, their proof is right, and their way back leads back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import member_replacement, members, static_pods
from experiments.faults.etcd_full import EtcdFull, make_room
from experiments.faults.etcd_member_kill import LEADS, EtcdMemberKill
from experiments.faults.etcd_member_loss import EtcdMemberLoss
from experiments.faults.etcd_quorum_loss import EtcdQuorumLoss, start_members
from experiments.faults.etcd_restore import EtcdRestore, restore
from experiments.faults.fault import Fault, Victim
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.objects import Condition, Pod, PodSpec, PodStatus
from fixtures.safety.preflight import Scenery
from fixtures.safety.undo import Undo, call
from fixtures.snapshot.model.base import Metadata
from tests.etcd.stand import NAMES, Stand


class Stage:
    """As much of a scene as these faults look at."""

    def __init__(self, stand: Stand) -> None:
        self.cluster = stand

    def scenery(self) -> Scenery:
        pods = [
            Pod(
                metadata=Metadata(name=f"etcd-{name}", namespace="kube-system", labels={"component": "etcd"}),
                spec=PodSpec(node_name=name),
                status=PodStatus(phase="Running", conditions=[Condition(type="Ready", status="True")]),
            )
            for name in NAMES
        ]
        return Scenery(nodes=[], control_plane=pods)


def scene_of(stand: Stand) -> Scene:
    return cast(Scene, Stage(stand))


class Broken(msgspec.Struct):
    """A fault that was injected and proven."""

    victim: Victim
    undo: Undo | None
    before: dict[str, Any]


def broken(stand: Stand, fault: Fault, target: str = "") -> Broken:
    """Inject, as the runner does, and wait for the proof."""
    scene = scene_of(stand)
    victim = fault.choose(scene, target or next(iter(fault.targets)))
    undo = fault.way_back(scene, victim)
    before = dict(fault.evidence(scene, victim))
    fault.inject(scene, victim)
    eventually(lambda: fault.proven(before, dict(fault.evidence(scene, victim))), f"{fault.id} is proven")
    return Broken(victim=victim, undo=undo, before=before)


def eventually(what: Callable[[], bool], said: str, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if what():
                return
        except ClusterError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within {within_s:.0f} s: {said}")


def undo(stand: Stand, way_back: Undo | None) -> None:
    """As another process does: by the journal's line, and twice, because it may have to."""
    assert way_back is not None
    read = msgspec.json.decode(msgspec.json.encode(way_back), type=Undo)
    call(read, lambda reference: stand)
    call(read, lambda reference: stand)


def test_another_member_leads_when_the_leaders_process_is_killed(stand: Stand) -> None:
    made = broken(stand, EtcdMemberKill(), "leader")
    assert made.victim.why == LEADS
    assert stand.put("after", node=next(n for n in NAMES if n != made.victim.node))
    stand.wait_for_leader()  # the one that was killed takes part again


def test_without_a_quorum_no_write_is_acknowledged_and_with_it_all_are_there(stand: Stand) -> None:
    assert stand.put("before")
    made = broken(stand, EtcdQuorumLoss(), "leader")
    survivor = next(n for n in NAMES if n not in made.victim.node.split(","))
    assert not stand.put("during", node=survivor)
    undo(stand, made.undo)
    stand.wait_for_leader()
    assert stand.put("after")
    assert {"before", "after"} <= stand.keys("")


def test_a_lost_member_is_replaced_by_a_new_one_that_votes(stand: Stand) -> None:
    made = broken(stand, EtcdMemberLoss(), "follower")
    others = [n for n in NAMES if n != made.victim.node]
    assert stand.put("without", node=others[0])
    undo(stand, made.undo)
    assert replaced(stand, made.victim)
    assert "without" in stand.keys("", node=made.victim.node)


def replaced(stand: Stand, victim: Victim) -> bool:
    """Three voting members, one of them new, and nothing left aside."""
    stand.wait_for_leader()
    new = next(m for m in members.listed(stand, NAMES[0]) if m.name == victim.node)
    assert len(members.listed(stand, NAMES[0])) == 3
    assert not list(stand.path(victim.node, "/var/lib/etcd").glob("*evenkeel*"))
    assert not static_pods.is_aside(stand, victim.node, "etcd")
    return new.hex != victim.uid


@pytest.mark.parametrize(
    "before",
    [
        "stop kubelet",  # nothing was done yet
        "mv {data}/member",  # ended, its data still there
        "member remove",  # its data gone, the others know it still
    ],
)
def test_a_loss_cut_off_anywhere_is_mended(stand: Stand, before: str) -> None:
    scene, fault = scene_of(stand), EtcdMemberLoss()
    victim = fault.choose(scene, "follower")
    way_back = fault.way_back(scene, victim)
    data = stand.path(victim.node, "/var/lib/etcd/data")
    stand.interrupt_before = before.format(data=data)
    with pytest.raises(InterruptedError):
        fault.inject(scene, victim)
    stand.interrupt_before = ""
    undo(stand, way_back)
    lost = before == "member remove"
    assert replaced(stand, victim) is lost


@pytest.mark.parametrize(
    "before", ["member add", "initial-cluster-state=existing", "start kubelet", "member promote", "rm -rf"]
)
def test_a_replacement_cut_off_anywhere_is_gone_on_with(stand: Stand, before: str) -> None:
    made = broken(stand, EtcdMemberLoss(), "follower")
    assert made.undo is not None
    stand.interrupt_before = before
    with pytest.raises(InterruptedError):
        call(made.undo, lambda reference: stand)
    stand.interrupt_before = ""
    undo(stand, made.undo)
    assert replaced(stand, made.victim)


def test_a_full_member_stops_every_write_and_gets_its_room_back(stand: Stand) -> None:
    made = broken(stand, EtcdFull(), "follower")
    other = next(n for n in NAMES if n != made.victim.node)
    assert not stand.put("during", node=other)
    assert stand.keys("", node=other)  # reads go on
    undo(stand, made.undo)
    stand.wait_for_leader()
    assert stand.put("after", node=other)
    assert not [key for key in stand.keys("") if "filler" in key]
    assert "quota" not in static_pods.original(stand, made.victim.node, "etcd")


def test_a_restart_with_a_quota_and_nothing_filled_in_is_taken_back(stand: Stand) -> None:
    scene, fault = scene_of(stand), EtcdFull()
    victim = fault.choose(scene, "follower")
    stand.interrupt_before = " put "
    with pytest.raises(InterruptedError):
        fault.inject(scene, victim)
    stand.interrupt_before = ""
    make_room(stand, victim.node)
    assert "quota" not in static_pods.original(stand, victim.node, "etcd")
    assert stand.put("after")


def test_a_restore_has_what_was_written_before_the_snapshot_and_higher_revisions(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.faults.etcd_restore.GAP_S", 0.1)
    assert stand.put("before")
    revision = members.view(stand, NAMES[0]).revision
    made = broken(stand, EtcdRestore())
    undo(stand, made.undo)
    stand.wait_for_leader()
    assert "before" in stand.keys("")
    seen = members.view(stand, NAMES[0])
    assert seen.revision > revision + 1000
    assert f"{seen.cluster:x}" != made.victim.uid
    assert not list(stand.path(NAMES[1], "/var/lib/etcd").glob("*evenkeel*"))


@pytest.mark.parametrize(
    ("before", "restored"),
    [("snapshot save", False), ("mv {data}/member", False)],
    ids=["before the snapshot", "after one member's data"],
)
def test_a_loss_of_everything_cut_off_is_taken_back_without_a_restore(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, before: str, restored: bool
) -> None:
    monkeypatch.setattr("experiments.faults.etcd_restore.GAP_S", 0.1)
    scene, fault = scene_of(stand), EtcdRestore()
    victim = fault.choose(scene, "all")
    way_back = fault.way_back(scene, victim)
    stand.interrupt_before = before.format(data=stand.path(NAMES[1], "/var/lib/etcd/data"))
    with pytest.raises(InterruptedError):
        fault.inject(scene, victim)
    stand.interrupt_before = ""
    undo(stand, way_back)
    stand.wait_for_leader()
    assert (f"{members.view(stand, NAMES[0]).cluster:x}" != victim.uid) is restored


@pytest.mark.parametrize("before", ["base64 -d", "etcdutl snapshot restore", "start containerd"])
def test_a_restore_cut_off_anywhere_is_gone_on_with(stand: Stand, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.setattr("experiments.faults.etcd_restore.GAP_S", 0.1)
    assert stand.put("before")
    made = broken(stand, EtcdRestore())
    assert made.undo is not None
    stand.interrupt_before = before
    with pytest.raises(InterruptedError):
        restore(stand, **made.undo.args)
    stand.interrupt_before = ""
    undo(stand, made.undo)
    stand.wait_for_leader()
    assert "before" in stand.keys("")
    assert f"{members.view(stand, NAMES[0]).cluster:x}" != made.victim.uid


def test_starting_members_that_run_changes_nothing(stand: Stand) -> None:
    pids = [members.process(stand, name) for name in NAMES]
    start_members(stand, NAMES)
    member_replacement.await_voting(stand, NAMES[0])
    assert [members.process(stand, name) for name in NAMES] == pids
