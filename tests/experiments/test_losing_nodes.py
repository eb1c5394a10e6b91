"""What is concluded from the pods and nodes seen while nodes are lost. Synthetic changes, no cluster."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.faults import workers
from experiments.faults.container_kill import ContainerKill
from experiments.faults.fault import Victim
from experiments.faults.node_power_cut import NodePowerCut
from experiments.faults.node_reboot import NodeReboot
from experiments.faults.zone_outage import ZoneOutage
from experiments.observer import AppPod, Change
from experiments.scene import Scene

SCENE = cast(Scene, SimpleNamespace(app_name="web", app_namespace="reference", app="Deployment reference/web"))
WORKER = Victim(kind="Node", name="worker-1", node="worker-1")
ZONE = Victim(kind="Zone", name="zone-a", node="master-1,worker-1", why="leads etcd, leads kube-scheduler, runs 2 of 4")

a = AppPod("u1", "a", "worker-1", True)
b = AppPod("u2", "b", "worker-1", True)
c = AppPod("u3", "c", "worker-2", True)
new_1 = AppPod("u4", "new-1", "worker-2", True)
new_2 = AppPod("u5", "new-2", "worker-3", True)


def down(pod: AppPod) -> AppPod:
    return AppPod(pod.uid, pod.name, pod.node, False, pod.restarts)


def again(pod: AppPod) -> AppPod:
    return AppPod(pod.uid, pod.name, pod.node, True, pod.restarts + 1)


def looks(*states: set[AppPod]) -> list[Change]:
    """One look a second, the first at 1.0."""
    return [
        Change(at=float(n), since=n - 0.1, subject="pods/web", old=frozenset(old), new=frozenset(new))
        for n, (old, new) in enumerate(pairwise(states), 1)
    ]


def change(at: float, subject: str, old: Any, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=old, new=new)


def losses(changes: list[Change]) -> workers.Losses:
    return workers.Losses(SCENE, changes, {"worker-1"}, 0.5)


def test_pods_of_a_dead_node_that_still_seem_ready_are_not_counted_as_back() -> None:
    """One replacement, while the second lost pod is Ready only because nobody has noticed yet."""
    assert losses(looks({a, b, c}, {down(a), b, c}, {down(a), b, c, new_1})).restored is None


def test_the_application_is_back_when_the_last_lost_pod_is_replaced() -> None:
    seen = losses(looks({a, b, c}, {down(a), down(b), c}, {down(a), down(b), c, new_1}, {c, new_1, new_2}))
    assert (seen.detected, seen.acted, seen.restored, seen.emptied) == (1.0, 2.0, 3.0, 3.0)


def test_pods_that_run_again_where_they_were_are_back_too() -> None:
    seen = losses(looks({a, b, c}, {down(a), down(b), c}, {again(a), down(b), c}, {again(a), again(b), c}))
    assert (seen.acted, seen.restored) == (None, 3.0)


def test_a_restart_too_quick_to_be_seen_not_ready_is_seen_by_its_count() -> None:
    assert losses(looks({a, c}, {again(a), c})).restored == 1.0


def test_nothing_seen_is_nothing_lost_and_nothing_back() -> None:
    seen = losses([])
    assert (seen.lost, seen.restored, seen.steps()) == (set(), None, [])


def test_what_was_before_the_injection_does_not_count() -> None:
    seen = workers.Losses(SCENE, looks({a, b, c}, {c}, {c, new_1, new_2}), {"worker-1"}, 5.0)
    assert seen.restored is None


def test_pods_leave_a_service_when_the_last_of_them_has() -> None:
    changes = [
        change(1.0, "endpoints/web", frozenset("abc"), frozenset("bc")),
        change(2.0, "endpoints/web", frozenset("bc"), frozenset("c")),
        change(3.0, "endpoints/other", frozenset("a"), frozenset()),
    ]
    assert [(s.at, s.what) for s in workers.left_service(changes, ["a", "b"], 0.0)] == [
        (2.0, "2 pod(s) left endpoints/web")
    ]


def test_a_node_is_noticed_and_returns() -> None:
    changes = [
        change(4.0, "node/worker-1", "Ready", "not Ready"),
        change(5.0, "node/worker-2", "Ready", "not Ready"),
        change(9.0, "node/worker-1", "not Ready", "Ready"),
    ]
    assert [(s.kind, s.at) for s in workers.noticed(changes, {"worker-1"}, 0.0)] == [
        ("detected", 4.0),
        ("recovered", 9.0),
    ]


def test_a_power_cut_is_over_only_when_every_lost_pod_is_replaced() -> None:
    begun = looks({a, b, c}, {down(a), down(b), c, new_1})
    whole = [*begun, change(2.0, "pods/web", begun[-1].new, frozenset({c, new_1, new_2}))]
    assert not NodePowerCut().over(SCENE, WORKER, begun, 0.5)
    assert NodePowerCut().over(SCENE, WORKER, whole, 0.5)
    [back] = NodePowerCut().recoveries(SCENE, WORKER, whole, 0.5)
    assert (back.name, back.seconds) == ("replacement-ready", 1.5)


@pytest.mark.parametrize(("after", "proven"), [("off", False), ("2-9", True), ("1-1", False)])
def test_a_reboot_is_proven_by_a_new_boot_not_by_darkness(after: str, proven: bool) -> None:
    key = "boot id of worker-1"
    assert NodeReboot().proven({key: "1-1"}, {key: after}) is proven


def test_a_reboot_is_not_over_while_its_node_is_away() -> None:
    restored = looks({a, c}, {down(a), c}, {again(a), c})
    away = change(1.5, "node/worker-1", "Ready", "not Ready")
    back = change(6.0, "node/worker-1", "not Ready", "Ready")
    assert not NodeReboot().over(SCENE, WORKER, [*restored, away], 0.5)
    assert NodeReboot().over(SCENE, WORKER, [*restored, away, back], 0.5)


@pytest.mark.parametrize(("after", "proven"), [(("off", "off"), True), (("off", "1-2"), False), (("2-1", "2-2"), True)])
def test_a_zone_is_out_when_each_of_its_nodes_is(after: tuple[str, str], proven: bool) -> None:
    keys = ("boot id of master-1", "boot id of worker-1")
    before = dict(zip(keys, ("1-1", "1-2"), strict=True))
    assert ZoneOutage().proven(before, dict(zip(keys, after, strict=True))) is proven


def test_a_zone_outage_asks_for_takeovers_of_what_led_there_and_for_its_pods() -> None:
    asked = ZoneOutage().recoveries(SCENE, ZONE, [], 0.5)
    assert [(r.what, r.seconds) for r in asked] == [
        ("another kube-scheduler leads", None),
        ("as many replicas are Ready as before", None),
    ]
    assert not ZoneOutage().over(SCENE, ZONE, [], 0.5)


def test_a_container_is_back_when_its_pod_is_ready_with_one_restart_more() -> None:
    victim = Victim(kind="Pod", name="a", namespace="reference", node="worker-1", uid="u1", why="container web, …")
    changes = looks({a, c}, {down(a), c}, {AppPod("u1", "a", "worker-1", False, 1), c}, {again(a), c})
    [back] = ContainerKill().recoveries(SCENE, victim, changes, 0.5)
    assert back.seconds == 2.5
    assert [s.kind for s in ContainerKill().steps(SCENE, victim, changes, 0.5)] == ["detected", "acted", "recovered"]
    [not_yet] = ContainerKill().recoveries(SCENE, victim, looks({a, c}, {down(a), c}, {a, c}), 0.5)
    assert not_yet.seconds is None  # Ready again without a restart: somebody else's trouble


def test_a_new_container_id_alone_is_no_proof_of_a_kill() -> None:
    before = {"id of container web": "x", "restarts": 1}
    assert ContainerKill().proven(before, {"id of container web": "y", "restarts": 2})
    assert not ContainerKill().proven(before, {"id of container web": "y", "restarts": 0})
    assert not ContainerKill().proven(before, {"id of container web": "x", "restarts": 1})
