"""What is concluded when several nodes fail, or all of them. Synthetic changes, no cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.faults import several_at_once
from experiments.faults.fault import NoVictimError, Victim
from experiments.faults.several_at_once import SeveralAtOnce, one_at_a_time
from experiments.faults.whole_cluster_power_cut import NAMES, WholeClusterPowerCut
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.rest import Rest, RestError

SCENE = cast(Scene, SimpleNamespace(app_name="web", app_namespace="reference", app="Deployment reference/web"))
CLUSTER = Victim(kind="Cluster", name="lab", node="master-1,worker-1", why="2 nodes")


def change(at: float, subject: str, old: Any, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=old, new=new)


def node(at: float, name: str, new: str) -> Change:
    return change(at, f"node/{name}", "", new)


def test_nodes_that_were_down_in_turn_were_down_one_at_a_time() -> None:
    turns = [node(1, "w1", "not Ready"), node(2, "w1", "Ready"), node(3, "w2", "not Ready"), node(4, "w2", "Ready")]
    assert one_at_a_time(turns, {"w1", "w2"}, 0.0).verdict == "pass"


def test_a_second_node_that_fell_before_the_first_was_back_is_named() -> None:
    both = [node(1, "w1", "not Ready"), node(2, "w2", "not Ready"), node(3, "w1", "Ready")]
    found = one_at_a_time(both, {"w1", "w2"}, 0.0)
    assert (found.verdict, found.message) == ("fail", "w1, w2 were not Ready at the same time")
    assert one_at_a_time(both, {"w1"}, 0.0).verdict == "pass"  # the other one is no business of this fault


class Power(Cluster):
    """Three workers that boot as told, and a scene that is well or not."""

    name = "lab"

    def __init__(self) -> None:
        self.rebooted: list[str] = []

    capabilities = property(lambda self: frozenset())  # type: ignore[assignment]

    def why_not(self, capability: Any) -> str:
        return ""

    def nodes(self) -> list[Any]:
        return []

    def entrances(self) -> Any:
        raise NotImplementedError

    def reboot(self, node: str) -> None:
        self.rebooted.append(node)


def in_turn(cluster: Power, troubles: list[str]) -> Scene:
    return cast(Scene, SimpleNamespace(cluster=cluster, troubles=lambda: troubles))


ROLLING = Victim(kind="Nodes", name="w1, w2", node="w1,w2", target="rolling")


def test_the_next_node_goes_when_all_is_well_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_at_once, "SETTLED_S", 0.1)
    cluster = Power()
    SeveralAtOnce().inject(in_turn(cluster, []), ROLLING)
    assert cluster.rebooted == ["w1", "w2"]


def test_a_node_that_does_not_get_well_is_the_last_one_to_be_rebooted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several_at_once, "HEALTHY_WITHIN_S", 0.3)
    cluster = Power()
    with pytest.raises(ClusterError, match="after the reboot of w1: Node w1 not Ready"):
        SeveralAtOnce().inject(in_turn(cluster, ["Node w1 not Ready"]), ROLLING)
    assert cluster.rebooted == ["w1"]


def test_one_worker_alone_is_no_turn() -> None:
    nodes = [SimpleNamespace(name="w1", control_plane=False)]
    scene = cast(Scene, SimpleNamespace(nodes=lambda: nodes, cluster=SimpleNamespace(name="lab")))
    with pytest.raises(NoVictimError, match=r"lab has 1 worker\(s\)"):
        SeveralAtOnce().choose(scene, "rolling")


def test_a_pair_asks_for_takeovers_and_replacements_as_a_zone_does() -> None:
    pair = Victim(
        kind="Nodes", name="m, w", node="m,w", why="leads etcd, leads kube-scheduler, runs 2 of 4", target="pair"
    )
    asked = SeveralAtOnce().recoveries(SCENE, pair, [], 0.5)
    assert [r.what for r in asked] == ["another kube-scheduler leads", "as many replicas are Ready as before"]
    assert SeveralAtOnce().recoveries(SCENE, ROLLING, [], 0.5) == []


def test_losing_everything_says_so_beforehand() -> None:
    assert "every node loses power" in WholeClusterPowerCut.exceeds
    assert SeveralAtOnce.exceeds == ""


@pytest.mark.parametrize(("after", "proven"), [(("2", "9"), True), (("off", "9"), False), (("1", "9"), False)])
def test_a_whole_power_cut_is_proven_when_every_node_has_booted_anew(after: tuple[str, str], proven: bool) -> None:
    keys = ("boot id of master-1", "boot id of worker-1")
    before = dict(zip(keys, ("1", "8"), strict=True))
    assert WholeClusterPowerCut().proven(before, dict(zip(keys, after, strict=True))) is proven


def test_everything_is_back_when_leaders_replicas_and_names_are() -> None:
    up, down = AppPod("u", "web-1", "worker-1", True), AppPod("u", "web-1", "worker-1", False)
    changes = [
        change(1.0, NAMES, "answered", "silent"),
        change(10.0, "lease/kube-controller-manager", ("m_1", 1), ("m_2", 2)),
        change(11.0, "lease/kube-scheduler", ("m_1", 1), ("m_2", 2)),
        change(12.0, "pods/web", frozenset({up}), frozenset({down})),
        change(14.0, "pods/web", frozenset({down}), frozenset({up})),
        change(16.0, NAMES, "silent", "answered"),
    ]
    back = WholeClusterPowerCut().recoveries(SCENE, CLUSTER, changes, 0.5)
    assert [r.seconds for r in back] == [9.5, 10.5, 13.5, 15.5]
    assert all(r.judged for r in back)
    assert WholeClusterPowerCut().over(SCENE, CLUSTER, changes, 0.5)
    assert not WholeClusterPowerCut().over(SCENE, CLUSTER, changes[:-1], 0.5)


def test_names_that_can_not_be_asked_for_are_silent_not_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails shows nothing, and so could not show that they are back."""

    def nobody() -> list[Any]:
        raise RestError("no answer")

    [watched] = WholeClusterPowerCut().watches(cast(Scene, SimpleNamespace(app_pods=nobody, rest=Rest)))
    assert watched.look() == {NAMES: "silent"}
