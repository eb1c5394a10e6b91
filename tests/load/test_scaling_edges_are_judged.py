"""Other metrics, scale to zero and nodes, judged from recordings: what should fail does."""

from __future__ import annotations

from experiments.loads import result
from experiments.loads.play import Budgets
from experiments.loads.plays.node_scaling import NodeScaling
from experiments.loads.plays.other_metrics import OtherMetrics
from experiments.loads.plays.scale_to_zero import ScaleToZero
from experiments.loads.recording import Mark, Recording, Track
from experiments.result import FAIL, PASS, UNKNOWN
from fixtures.load.sampler import Look, Seen
from tests.load.test_edges_are_judged import SLOW, second

VERY_SLOW = 215  # a bucket: 36 s


def look(at: float, ready: int, wanted: int | None = None) -> Look:
    pods = tuple(Seen(name=f"pod-{n}", ready=True, leaving=False) for n in range(ready))
    return Look(at=at, workload="w", wanted=ready if wanted is None else wanted, pods=pods)


def zero(*, lost: int = 0, bucket: int = SLOW, pods_before: int = 0, back: float = 30.0) -> str:
    recording = Recording(
        tracks=[
            Track(
                name="sleeper",
                seconds=[second(11, 8, lost, bucket, s200=8), second(12, 8, s200=8)],
                looks=[look(10.5, pods_before), look(12.5, 1)],
            )
        ],
        marks=[
            Mark(at=10.0, kind="ready", what=""),
            Mark(at=14.0, kind="ended", what=""),
            Mark(at=14.0 + back, kind="recovered", what=""),
        ],
    )
    return result.verdict(ScaleToZero().judge(recording, "holding", Budgets({})))[0]


def test_a_service_that_slept_and_woke_for_the_first_request_passes() -> None:
    assert zero() == PASS


def test_a_lost_request_a_late_start_and_a_service_that_stays_awake_fail() -> None:
    assert [zero(lost=1), zero(bucket=VERY_SLOW), zero(back=90)] == [FAIL] * 3


def test_a_service_that_was_awake_all_along_shows_nothing() -> None:
    assert zero(pods_before=1) == UNKNOWN


def other(*looks: Look, back: float | None = 80.0, failed: int = 0) -> str:
    marks = [Mark(at=10.0, kind="load", what=""), Mark(at=60.0, kind="ended", what="")]
    if back is not None:
        marks.append(Mark(at=back, kind="recovered", what=""))
    track = Track(name="subject", seconds=[second(20, 25, failed, s200=25)], looks=list(looks))
    recording = Recording(tracks=[track], marks=marks)
    return result.verdict(OtherMetrics().judge(recording, "external", Budgets({})))[0]


def test_a_service_that_grew_by_its_metric_and_shrank_again_passes() -> None:
    assert other(look(12, 1), look(30, 1, wanted=3), look(33, 3), look(80, 1)) == PASS


def test_a_service_that_never_grew_fails() -> None:
    assert other(look(12, 1), look(59, 1)) == FAIL


def test_a_service_that_never_shrank_fails() -> None:
    assert other(look(12, 1), look(33, 3), look(135, 3), back=None) == FAIL


def test_errors_while_it_grew_fail() -> None:
    assert other(look(12, 1), look(33, 3), look(80, 1), failed=1) == FAIL


def nodes(after: float, *marks: Mark) -> str:
    recording = Recording(
        tracks=[Track(name="filler")],
        marks=[Mark(at=10.0, kind="load", what=""), *marks],
        values={"nodes-before": 3, "nodes-after": after},
    )
    return result.verdict(NodeScaling().judge(recording, "one-too-many", Budgets({})))[0]


def test_a_node_that_came_for_a_pod_without_room_passes() -> None:
    assert nodes(4, Mark(at=100.0, kind="recovered", what="")) == PASS


def test_no_node_or_a_late_one_fails() -> None:
    assert nodes(3, Mark(at=610.0, kind="ended", what="")) == FAIL
    assert nodes(4, Mark(at=500.0, kind="recovered", what="")) == FAIL
