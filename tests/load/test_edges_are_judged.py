"""Overload and retries judged from recordings: what should fail does, and what was not shown is unknown."""

from __future__ import annotations

from experiments.loads import result
from experiments.loads.play import Budgets
from experiments.loads.plays.overload import Overload
from experiments.loads.plays.retries import Retries
from experiments.loads.recording import Mark, Recording, Track
from experiments.result import FAIL, PASS, UNKNOWN
from fixtures.load.sampler import Look, Seen
from fixtures.load.seconds import Second

FAST, SLOW = 40, 140  # buckets: 7 ms and 0.9 s


def second(t: int, ok: int, failed: int = 0, bucket: int = FAST, slow: int = FAST, **statuses: int) -> Second:
    return Second(
        t=t,
        users=1,
        asked=float(ok + failed),
        ok=ok,
        failed=failed,
        names={},
        latency={bucket: ok} if ok else {},
        slow={slow: failed} if failed else {},
        statuses={int(status[1:]): count for status, count in statuses.items()},
        errors={},
        cpu=0.1,
        lag=0.0,
    )


def flood(core: Second, bulk: Second, fragile: Second, ready: int = 2, restarts: float = 0) -> Recording:
    pods = tuple(Seen(name=f"kiosk-{n}", ready=n < ready, leaving=False) for n in range(2))
    return Recording(
        tracks=[
            Track(name="core", seconds=[core], looks=[Look(at=10.5, workload="kiosk", pods=pods)]),
            Track(name="bulk", seconds=[bulk]),
            Track(name="fragile", seconds=[fragile]),
        ],
        marks=[Mark(at=10.0, kind="load", what=""), Mark(at=11.0, kind="ended", what="")],
        values={"restarts": restarts},
    )


GOOD_CORE = second(10, 20, s200=20)
GOOD_BULK = second(10, 10, 90, s200=10, s429=80, s503=10)
GOOD_FRAGILE = second(10, 0, 10, s500=2, s503=8)


def overload(recording: Recording) -> str:
    return result.verdict(Overload().judge(recording, "haproxy", Budgets({})))[0]


def test_a_flood_that_is_refused_at_once_beside_a_core_that_is_served_passes() -> None:
    assert overload(flood(GOOD_CORE, GOOD_BULK, GOOD_FRAGILE)) == PASS


def test_a_flood_of_which_nothing_was_refused_shows_nothing() -> None:
    assert overload(flood(GOOD_CORE, second(10, 100, s200=100), GOOD_FRAGILE)) == UNKNOWN


def test_slow_refusals_fail() -> None:
    assert overload(flood(GOOD_CORE, second(10, 10, 90, slow=SLOW, s429=90), GOOD_FRAGILE)) == FAIL


def test_requests_that_were_neither_served_nor_refused_fail() -> None:
    assert overload(flood(GOOD_CORE, second(10, 10, 90, s429=80, s0=10), GOOD_FRAGILE)) == FAIL


def test_a_core_that_became_slow_or_failed_fails() -> None:
    assert overload(flood(second(10, 20, bucket=SLOW, s200=20), GOOD_BULK, GOOD_FRAGILE)) == FAIL
    assert overload(flood(second(10, 19, 1, s200=19, s503=1), GOOD_BULK, GOOD_FRAGILE)) == FAIL


def test_a_pod_that_was_restarted_or_lost_its_readiness_fails() -> None:
    assert overload(flood(GOOD_CORE, GOOD_BULK, GOOD_FRAGILE, restarts=1)) == FAIL
    assert overload(flood(GOOD_CORE, GOOD_BULK, GOOD_FRAGILE, ready=1)) == FAIL


def test_asking_again_and_again_what_always_fails_fails() -> None:
    assert overload(flood(GOOD_CORE, GOOD_BULK, second(10, 0, 10, s500=10))) == FAIL


def retries(**values: float) -> str:
    known = {"acknowledged": 100.0, "retried": 7.0, "given-up": 0.0, "lost": 0.0, "doubled": 0.0, "longest": 2.0}
    given = {key.replace("_", "-"): value for key, value in values.items()}
    recording = Recording(values={**known, **given})
    return result.verdict(Retries().judge(recording, "idempotent", Budgets({})))[0]


def test_orders_that_were_all_made_once_pass() -> None:
    assert retries() == PASS


def test_a_lost_a_doubled_or_an_abandoned_order_fails() -> None:
    assert [retries(lost=1), retries(doubled=1), retries(given_up=1)] == [FAIL] * 3


def test_orders_of_which_none_was_ever_retried_show_nothing() -> None:
    assert retries(retried=0) == UNKNOWN
