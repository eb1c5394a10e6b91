"""What proves that a component's clock was wrong, and what must not follow from it. Synthetic changes, no cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.faults.clock_skew import SKEWS, ClockSkew
from experiments.faults.fault import Evidence, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, Node
from fixtures.safety.undo import resolve

SCENE = cast(Scene, None)
LEADER = Victim(kind="Process", name="kube-controller-manager", node="master-1", target="leader-ahead")


def off(seconds: int, holder: str = "master-1_a") -> Evidence:
    return {f"seconds that the renewal by {holder} is off": seconds}


@pytest.mark.parametrize(
    ("before", "after", "proven"),
    [
        (off(0), off(3599), True),
        (off(-1), off(-3600), True),
        (off(0), off(0), False),
        (off(0), off(40), False),  # a late renewal, not a wrong clock
        (off(0), off(3600, "master-2_b"), False),  # somebody else's
        (off(3600), off(3600), False),  # it was wrong before
    ],
)
def test_a_wrong_clock_is_proven_by_what_the_component_itself_says(
    before: Evidence, after: Evidence, proven: bool
) -> None:
    assert ClockSkew().proven(before, after) is proven


def test_every_target_has_its_skew() -> None:
    assert set(ClockSkew.targets) == set(SKEWS)


def test_a_takeover_for_a_wrong_clock_alone_is_a_failure() -> None:
    taken: list[Any] = [
        Change(at=5.0, since=4.9, subject="lease/kube-scheduler", old=("master-1_a", 1), new=("master-2_b", 2))
    ]
    assert [c.verdict for c in ClockSkew().claims(SCENE, LEADER, taken, 1.0)] == ["fail"]
    assert [c.verdict for c in ClockSkew().claims(SCENE, LEADER, taken, 6.0)] == ["pass"]


@pytest.mark.parametrize(("power", "mended"), [("on", [("master-1", "kube-scheduler", 0)]), ("off", [])])
def test_it_is_undone_where_there_is_still_a_process(power: str, mended: list[tuple[str, str, int]]) -> None:
    did: list[tuple[str, str, int]] = []
    cluster = SimpleNamespace(
        nodes=lambda: [Node(name="master-1", role="control-plane", address="", power=power)],
        skew_clock=lambda *asked: did.append(asked),
        reference=lambda: {"provider": "lab"},
    )
    victim = Victim(kind="Process", name="kube-scheduler", node="master-1")
    back = ClockSkew().way_back(cast(Scene, SimpleNamespace(cluster=cluster)), victim)
    assert back is not None
    resolve(back.function)(cast(Cluster, cluster), **back.args)
    assert did == mended
