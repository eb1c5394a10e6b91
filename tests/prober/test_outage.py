"""Outages are computed from samples as the glossary says, and their error bars keep their promise."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fixtures.prober.outage import GOOD_RUN, Interval, merged, outage, overlap, stalls, windows
from fixtures.prober.sample import Outcome, Sample

INTERVAL = 0.05


def sample(seq: int, outcome: Outcome = Outcome.OK, late: float = 0.0, took: float = 0.004) -> Sample:
    due = seq * INTERVAL
    return Sample(seq, due, due + late, due + late + took, outcome)


def series(text: str, bad: Outcome = Outcome.REFUSED) -> list[Sample]:
    """`..xx.` is two good probes, two failed ones, a good one; `s` was skipped by the prober itself."""
    outcomes = {".": Outcome.OK, "x": bad, "s": Outcome.SKIPPED}
    return [sample(i, outcomes[c]) for i, c in enumerate(text)]


def test_an_outage_runs_from_the_first_failed_probe_to_the_first_of_a_good_run() -> None:
    [window] = windows(series("....xxxx......"), INTERVAL)
    assert window.start == 4 * INTERVAL
    assert window.end == 8 * INTERVAL
    assert (window.failed, window.closed) == (4, True)


def test_good_probes_too_few_for_a_run_do_not_end_an_outage() -> None:
    [window] = windows(series("..xx..xx....."), INTERVAL)
    assert (window.start, window.end, window.failed) == (2 * INTERVAL, 8 * INTERVAL, 4)


def test_a_good_run_between_failures_makes_two_outages() -> None:
    assert [w.failed for w in windows(series("..xx...x...."), INTERVAL)] == [2, 1]


def test_an_outage_that_outlives_the_samples_is_open_and_counted_to_the_last_interval() -> None:
    [window] = windows(series("....xxxx"), INTERVAL)
    assert not window.closed
    assert window.end == 8 * INTERVAL


def test_no_failure_is_no_outage() -> None:
    result = outage(series("." * 20), INTERVAL)
    assert (result.windows, result.failed, result.longest, result.error_bar) == ([], 0, 0.0, 0.0)


def test_a_skipped_probe_is_neither_a_request_nor_a_failure() -> None:
    result = outage(series("...sss..."), INTERVAL)
    assert (result.requests, result.failed, result.windows) == (6, 0, [])


def test_a_timeout_while_the_prober_slept_is_not_blamed_on_the_target() -> None:
    slept = Sample(4, 0.2, 0.2, 1.2, Outcome.TIMEOUT)
    samples = [*series("...."), slept, *[sample(i) for i in range(30, 40)]]
    assert outage(samples, INTERVAL).failed == 1
    excused = outage(samples, INTERVAL, own=[Interval(0.25, 1.19)])
    assert (excused.failed, excused.excused, excused.windows) == (0, 1, [])


def test_a_short_stall_does_not_excuse_a_long_timeout() -> None:
    samples = [*series("...."), Sample(4, 0.2, 0.2, 1.2, Outcome.TIMEOUT), *[sample(i) for i in range(5, 40)]]
    assert outage(samples, INTERVAL, own=[Interval(0.3, 0.34)]).failed == 1


def test_a_refusal_during_a_stall_still_counts_because_the_kernel_saw_it() -> None:
    assert outage(series("...xx....."), INTERVAL, own=[Interval(0.1, 0.3)]).failed == 2


def test_failures_while_the_control_target_fails_too_do_not_count() -> None:
    result = outage(series("...xx....."), INTERVAL, control=[Interval(0.14, 0.26)])
    assert (result.failed, result.excused, result.windows) == (0, 2, [])


def test_a_stall_inside_an_outage_is_taken_off_it_and_added_to_its_error_bar() -> None:
    samples = series("....xxxxxx......")
    plain, stalled = outage(samples, INTERVAL), outage(samples, INTERVAL, own=[Interval(0.3, 0.4)])
    assert round(plain.longest - stalled.longest, 9) == 0.1
    assert round(stalled.error_bar - plain.error_bar, 9) == 0.1


def test_stalls_are_seen_from_late_starts_of_any_target() -> None:
    late = [sample(0), sample(1, late=0.2), sample(2, late=0.15), sample(8)]
    [stall] = stalls([late, series("....")])
    assert (stall.start, round(stall.end, 9)) == (INTERVAL, 0.25)


@given(
    begin=st.floats(1.0, 3.0),
    length=st.floats(0.0, 3.0),
    late=st.lists(st.floats(0.0, 0.02), min_size=200, max_size=200),
)
def test_the_true_length_of_an_outage_lies_within_the_error_bar(begin: float, length: float, late: list[float]) -> None:
    end = begin + length
    samples = [
        sample(i, Outcome.REFUSED if begin <= i * INTERVAL + late[i] < end else Outcome.OK, late[i]) for i in range(200)
    ]
    found = outage(samples, INTERVAL, own=stalls([samples]))
    if length > 2 * INTERVAL + 0.02:
        assert len(found.windows) == 1
    if found.windows:
        [window] = found.windows
        assert abs(window.duration - length) <= window.error_bar + 1e-9
        assert window.error_bar <= INTERVAL + 0.02 + 1e-9
    else:
        assert length <= INTERVAL + 0.02


@given(st.text(alphabet=".xs", max_size=120), st.integers(1, 5))
def test_windows_are_ordered_apart_and_hold_every_failure(text: str, run: int) -> None:
    result = outage(series(text), INTERVAL, good_run=run)
    assert sum(w.failed for w in result.windows) == result.failed == text.count("x")
    for one, other in pairwise(result.windows):
        assert one.end < other.start
    assert all(w.end > w.start and w.failed > 0 for w in result.windows)
    assert all(w.closed for w in result.windows[:-1])
    assert result.longest <= result.total + 1e-9


@given(st.text(alphabet=".x", max_size=80))
def test_a_longer_good_run_never_makes_outages_shorter(text: str) -> None:
    totals = [outage(series(text), INTERVAL, good_run=n).total for n in range(1, GOOD_RUN + 2)]
    assert all(longer >= shorter - 1e-9 for shorter, longer in pairwise(totals))


@given(
    st.text(alphabet=".x", min_size=1, max_size=80),
    st.lists(st.tuples(st.floats(0, 4), st.floats(0, 0.5)), max_size=5),
)
def test_own_trouble_never_makes_an_outage_longer(text: str, raw: list[tuple[float, float]]) -> None:
    own = merged(Interval(a, a + d) for a, d in raw)
    plain, less = outage(series(text), INTERVAL), outage(series(text), INTERVAL, own=own)
    assert less.total <= plain.total + 1e-9
    assert less.failed <= plain.failed


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 3)), max_size=10))
def test_merged_intervals_are_sorted_and_apart(raw: list[tuple[float, float]]) -> None:
    result = merged(Interval(a, a + d) for a, d in raw)
    assert all(a.end < b.start for a, b in pairwise(result))
    assert overlap(result, -1.0, 20.0) <= sum(d for _, d in raw) + 1e-9
