"""Latency and timelines are summaries of what was really measured."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.prober.latency import latency, quantile, timeline
from fixtures.prober.sample import Outcome, Sample


def test_failed_probes_have_no_latency() -> None:
    samples = [Sample(0, 0.0, 0.0, 0.01, Outcome.OK), Sample(1, 0.05, 0.05, 1.05, Outcome.TIMEOUT)]
    assert latency(samples).max_s == 0.01
    assert latency(samples[1:]).p50_s is None


def test_a_timeline_counts_every_judged_probe_once_relative_to_the_injection() -> None:
    samples = [
        Sample(i, i * 0.05, i * 0.05, i * 0.05 + 0.002, Outcome.REFUSED if 10 <= i < 14 else Outcome.OK)
        for i in range(20)
    ]
    rows = timeline(samples, zero=0.5)
    assert rows[0][0] == -0.5
    assert sum(r[1] + r[2] for r in rows) == 20
    assert [r[2] for r in rows] == [0, 0, 4, 0]


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_is_a_value_that_was_seen_and_enough_lie_below_it(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-6
