"""What proves a partition, and what must come back from it. Synthetic changes, no cluster."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.faults import etcd
from experiments.faults.etcd import Leadership
from experiments.faults.fault import Evidence, NoVictimError, Victim
from experiments.faults.partition import CABLE, Partition
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, Direction, Node
from fixtures.safety.undo import resolve

SCENE = cast(Scene, SimpleNamespace(app_name="web", app_namespace="reference", app="Deployment reference/web"))
WORKER = Victim(kind=CABLE, name="worker-1", node="worker-1")
LEADER = Victim(kind="Network", name="master-1", node="master-1", why="master-1 leads etcd, leads kube-scheduler")
HALF = Victim(kind="Network", name="master-1 with worker-1", node="master-1,worker-1", why="master-1 leads etcd")


def change(at: float, subject: str, old: Any, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=old, new=new)


def cut(packets: int, leader: str, term: int, nodes: str = "master-1") -> Evidence:
    return {f"packets swallowed around {nodes}": packets, "etcd leader": leader, "etcd term": term}


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        (cut(40, "master-2", 4), True),
        (cut(0, "master-2", 4), False),  # an election alone proves no partition
        (cut(40, "master-1", 3), False),  # what etcd says is from before
        (cut(40, "master-2", 3), False),  # another leader without an election
    ],
)
def test_the_leader_is_cut_off_when_packets_vanish_and_the_others_follow_another(after: Evidence, proven: bool) -> None:
    assert Partition().proven(cut(0, "master-1", 3), after) is proven


def test_a_follower_is_cut_off_when_packets_vanish() -> None:
    assert Partition().proven(cut(0, "master-2", 3), cut(7, "master-2", 3))
    assert not Partition().proven(cut(0, "master-2", 3), cut(0, "master-2", 3))


def test_a_half_that_holds_the_leader_needs_another_leader_in_the_other() -> None:
    before = cut(0, "master-1", 3, "master-1,worker-1")
    assert not Partition().proven(before, cut(90, "master-1", 3, "master-1,worker-1"))
    assert Partition().proven(before, cut(90, "master-3", 4, "master-1,worker-1"))


def test_a_member_that_may_be_cut_off_is_never_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would answer only when the time for a proof is over."""
    avoided: list[Sequence[str]] = []

    def asked(scene: Scene, avoid: Sequence[str] = ()) -> Leadership:
        avoided.append(avoid)
        return Leadership(leader="master-2", term=3, asked="etcd-master-3")

    monkeypatch.setattr(etcd, "leadership", asked)
    scene = cast(Scene, SimpleNamespace(cluster=SimpleNamespace(vanished=lambda: 0)))
    assert Partition().evidence(scene, HALF) == cut(0, "master-2", 3, "master-1,worker-1")
    assert avoided == [["master-1", "worker-1"]]


def test_a_pulled_cable_is_proven_by_its_link() -> None:
    assert Partition().proven({"cable of worker-1": "plugged in"}, {"cable of worker-1": "pulled"})
    assert not Partition().proven({"cable of worker-1": "plugged in"}, {"cable of worker-1": "plugged in"})


def test_a_worker_without_its_cable_owes_as_many_replicas_as_before() -> None:
    a, b, c = (AppPod(f"u{n}", n, w, True) for n, w in (("a", "worker-1"), ("b", "worker-2"), ("c", "worker-3")))
    lost = AppPod("ua", "a", "worker-1", False)
    looks = [
        change(5.0, "pods/web", frozenset({a, b}), frozenset({lost, b})),
        change(7.0, "pods/web", frozenset({lost, b}), frozenset({lost, b, c})),
    ]
    missed = change(5.0, "node/worker-1", "Ready", "not Ready")
    [back] = Partition().recoveries(SCENE, WORKER, looks, 1.0)
    assert (back.name, back.seconds, back.judged) == ("replacement-ready", 6.0, True)
    assert Partition().over(SCENE, WORKER, [*looks, missed], 1.0)
    assert not Partition().over(SCENE, WORKER, looks[:1], 1.0)


def test_what_led_where_it_was_cut_off_owes_a_takeover() -> None:
    [takeover] = Partition().recoveries(SCENE, LEADER, [], 1.0)
    assert (takeover.name, takeover.seconds, takeover.what) == ("takeover", None, "another kube-scheduler leads")


def test_the_observation_of_a_half_lasts_until_each_of_its_nodes_is_missed() -> None:
    master = change(6.0, "node/master-1", "Ready", "not Ready")
    worker = change(7.0, "node/worker-1", "Ready", "not Ready")
    assert not Partition().over(SCENE, HALF, [master], 1.0)
    assert Partition().over(SCENE, HALF, [master, worker], 1.0)


class Wires:
    """A cluster of three zones that writes down what was cut."""

    provider, name = "wires", "wires"

    def __init__(self) -> None:
        self.did: list[tuple[object, ...]] = []

    def reference(self) -> dict[str, str]:
        return {"provider": "wires"}

    def nodes(self) -> list[Node]:
        return [
            Node(name=f"{role}-{n}", role=kind, address="", zone=f"zone-{n}")
            for role, kind in (("master", "control-plane"), ("worker", "worker"))
            for n in (1, 2, 3)
        ]

    def link_down(self, node: str) -> None:
        self.did.append(("pulled", node))

    def link_up(self, node: str) -> None:
        self.did.append(("plugged in", node))

    def isolate(self, nodes: list[str], direction: Direction) -> None:
        self.did.append((direction, *nodes))

    def rejoin(self) -> None:
        self.did.append(("rejoined",))


@pytest.mark.parametrize(
    ("target", "cut_off", "mended"),
    [
        ("leader", (Direction.BOTH, "master-2"), ("rejoined",)),
        ("minority-master", (Direction.BOTH, "master-1"), ("rejoined",)),
        ("halves", (Direction.BOTH, "master-2", "worker-2"), ("rejoined",)),
        ("one-way", (Direction.IN, "master-2"), ("rejoined",)),
        ("worker", ("pulled", "worker-1"), ("plugged in", "worker-1")),
    ],
)
def test_each_target_cuts_what_it_says_and_has_a_way_back(
    target: str, cut_off: tuple[object, ...], mended: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    wires = Wires()
    scene = cast(Scene, SimpleNamespace(cluster=wires, app="Deployment reference/web"))
    monkeypatch.setattr("experiments.faults.etcd.leadership", lambda _: SimpleNamespace(leader="master-2", term=3))
    monkeypatch.setattr("experiments.faults.elections.leads", lambda *_: [])
    monkeypatch.setattr("experiments.faults.workers.busiest", lambda _: ("worker-1", 2, 4))
    victim = Partition().choose(scene, target)
    Partition().inject(scene, victim)
    back = Partition().way_back(scene, victim)
    assert back is not None
    resolve(back.function)(cast(Cluster, wires), **back.args)
    assert wires.did == [cut_off, mended]


def test_without_a_second_zone_there_are_no_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    wires = SimpleNamespace(name="wires", nodes=lambda: [Node(name="m", role="control-plane", address="", zone="a")])
    monkeypatch.setattr("experiments.faults.etcd.leadership", lambda _: SimpleNamespace(leader="m", term=3))
    with pytest.raises(NoVictimError, match="no second zone"):
        Partition().choose(cast(Scene, SimpleNamespace(cluster=wires)), "halves")
