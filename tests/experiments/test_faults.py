"""Each fault knows what to break, how to see it, and what the changes around it mean. Synthetic changes, no cluster."""

from __future__ import annotations

from typing import Any, cast

import pytest

from experiments.faults import catalogue, elections
from experiments.faults.api_server_kill import ApiServerKill
from experiments.faults.controller_manager_kill import LeaderKill
from experiments.faults.fault import Fault, Victim
from experiments.faults.master_power_cut import MasterPowerCut
from experiments.faults.pod_kill import PodKill
from experiments.observer import AppPod, Change, StaticPod
from experiments.scene import Scene

SCENE = cast(Scene, type("Stage", (), {"app_name": "web", "app_namespace": "reference"})())
MASTER = Victim(kind="Node", name="master-1", node="master-1", why="leads etcd, leads kube-scheduler")


def change(at: float, subject: str, old: Any, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=old, new=new)


def pods(*names: str, unready: str = "") -> frozenset[AppPod]:
    return frozenset(AppPod(f"uid-{n}", n, "worker-1", n != unready) for n in names)


def test_every_fault_is_found_by_its_id_and_says_what_it_needs() -> None:
    assert set(catalogue.every()) >= {"F-01", "F-10", "F-11", "F-12"}
    for id_, fault in catalogue.every().items():
        assert fault.id == id_
        assert fault.title
        assert fault.targets
        assert fault.permissions


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="F-10"):
        catalogue.fault("F-99")


@pytest.mark.parametrize(
    ("before", "after", "proven"),
    [
        ({"pod UID": "a"}, {"pod UID": "gone"}, True),
        ({"pod UID": "a"}, {"pod UID": "b"}, True),
        ({"pod UID": "a"}, {"pod UID": "a"}, False),
        ({}, {}, False),
    ],
)
def test_a_pod_kill_is_proven_by_its_uid(before: dict[str, str], after: dict[str, str], proven: bool) -> None:
    assert PodKill().proven(before, after) is proven


def leads(boot: str, leader: str, term: int) -> dict[str, object]:
    return {"boot id of master-1": boot, "etcd leader": leader, "etcd term": term}


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        (leads("off", "master-2", 4), True),
        (leads("2-99", "master-3", 4), True),
        (leads("off", "master-1", 3), False),  # what etcd says is from before the cut
        (leads("off", "master-2", 3), False),  # another leader without an election
        (leads("1-11", "master-2", 4), False),  # an election alone proves no power cut
    ],
)
def test_a_power_cut_of_the_leader_is_proven_by_boot_id_and_a_later_term(
    after: dict[str, object], proven: bool
) -> None:
    assert MasterPowerCut().proven(leads("1-11", "master-1", 3), after) is proven


def test_a_power_cut_of_a_follower_is_proven_by_its_boot_id_alone() -> None:
    assert MasterPowerCut().proven(leads("1-11", "master-2", 3), leads("off", "master-2", 3))


def test_a_leader_that_keeps_its_lease_was_not_killed() -> None:
    before = {"holder of Lease kube-scheduler": "a_1", "leaseTransitions": 3}
    assert not LeaderKill().proven(before, dict(before))
    assert LeaderKill().proven(before, {"holder of Lease kube-scheduler": "b_2", "leaseTransitions": 4})


def test_a_restarted_container_has_a_new_id_and_one_restart_more() -> None:
    fault = ApiServerKill()
    before = {"container id": "containerd://a", "restarts": 1}
    assert fault.proven(before, {"container id": "containerd://b", "restarts": 2})
    assert not fault.proven(before, {"container id": "containerd://a", "restarts": 1})


def test_a_replacement_counts_from_when_it_is_ready_not_from_when_it_is_made() -> None:
    victim = Victim(kind="Pod", name="a", namespace="reference", uid="uid-a")
    changes = [
        change(10.2, "endpoints/web", frozenset({"a", "b"}), frozenset({"b"})),
        change(10.3, "pods/web", pods("a", "b"), pods("b", "c", unready="c")),
        change(11.9, "pods/web", pods("b", "c", unready="c"), pods("b", "c")),
    ]
    steps = PodKill().steps(SCENE, victim, changes, injected=10.0)
    assert [(s.kind, s.at) for s in steps] == [("detected", 10.2), ("acted", 10.3), ("recovered", 11.9)]
    [ready] = PodKill().recoveries(SCENE, victim, changes, injected=10.0)
    assert ready.seconds is not None
    assert round(ready.seconds, 6) == 1.9


def test_a_replacement_that_never_gets_ready_is_not_seen() -> None:
    changes = [change(10.3, "pods/web", pods("a", "b"), pods("b", "c", unready="c"))]
    victim = Victim(kind="Pod", name="a", namespace="reference")
    assert [r.seconds for r in PodKill().recoveries(SCENE, victim, changes, 10.0)] == [None]
    assert not PodKill().over(SCENE, victim, changes, 10.0)


def test_a_takeover_is_another_holder_and_not_an_empty_lease() -> None:
    subject = "lease/kube-scheduler"
    changes = [
        change(9.0, subject, ("a_1", 1), ("b_2", 2)),  # before the fault
        change(11.0, subject, ("b_2", 2), ("", 2)),
        change(12.5, subject, ("", 2), ("c_3", 3)),
    ]
    found = elections.takeover(changes, "kube-scheduler", 10.0)
    assert found is not None
    assert found.at == 12.5


def test_only_leaders_that_fell_with_the_master_owe_a_takeover() -> None:
    recoveries = MasterPowerCut().recoveries(SCENE, MASTER, [], 10.0)
    assert [(r.name, r.what) for r in recoveries] == [("takeover", "another kube-scheduler leads")]


def test_the_observation_of_a_power_cut_lasts_until_the_node_is_missed() -> None:
    taken = change(13.0, "lease/kube-scheduler", ("master-1_a", 1), ("master-2_b", 2))
    missed = change(18.0, "node/master-1", "Ready", "not Ready")
    fault = MasterPowerCut()
    assert not fault.over(SCENE, MASTER, [taken], 10.0)
    assert fault.over(SCENE, MASTER, [taken, missed], 10.0)
    back = change(30.0, "node/master-1", "not Ready", "Ready")
    kinds = [s.kind for s in fault.steps(SCENE, MASTER, [taken, missed, back], 10.0)]
    assert kinds == ["acted", "detected", "recovered"]


def test_an_api_server_is_back_when_its_pod_is_ready_again() -> None:
    victim = Victim(kind="Pod", name="kube-apiserver-master-1", namespace="kube-system")
    subject = f"static/{victim.name}"
    changes = [
        change(11.0, subject, StaticPod(0, True), StaticPod(0, False)),
        change(12.0, subject, StaticPod(0, False), StaticPod(1, False)),
        change(20.0, subject, StaticPod(1, False), StaticPod(1, True)),
    ]
    steps = ApiServerKill().steps(SCENE, victim, changes, 10.0)
    assert [s.kind for s in steps] == ["detected", "acted", "recovered"]


@pytest.mark.parametrize("fault", [PodKill(), MasterPowerCut(), ApiServerKill(), LeaderKill()], ids=lambda f: f.id)
def test_nothing_observed_is_nothing_concluded(fault: Fault) -> None:
    assert fault.steps(SCENE, MASTER, [], 0.0) == []
    assert all(r.seconds is None for r in fault.recoveries(SCENE, MASTER, [], 0.0))
