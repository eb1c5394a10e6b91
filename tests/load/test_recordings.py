"""Seconds written by several processes become one series, and say whether the generator was the bottleneck."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.load import generator, seconds
from fixtures.load.sampler import cores
from fixtures.load.seconds import Line, Second


def _second(t: int, cpu: float = 0.2, lag: float = 0.01) -> Second:
    return seconds.join([Line(t=t, users=10, asked=50, ok=50, latency={0: 50}, cpu=cpu, lag=lag)])[0]


def test_two_processes_of_one_second_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"t":7,"users":2,"asked":10,"ok":9,"failed":1,"latency":{"0":9},"cpu":0.5}\n')
    (tmp_path / "2.jsonl").write_text('{"t":7,"users":3,"asked":15,"ok":15,"latency":{"14":15},"cpu":0.7}\n{"t":8,"us')
    found = seconds.read(tmp_path)
    assert [(s.t, s.users, s.asked, s.ok, s.failed, s.cpu) for s in found] == [(7, 5, 25.0, 24, 1, 0.7)]
    assert found[0].quantile(0.3) == pytest.approx(0.001)
    assert found[0].quantile(0.99) == pytest.approx(0.002, rel=0.03)


def test_a_quantile_of_nothing_is_nothing() -> None:
    assert seconds.quantile({}, 0.5) is None


def test_an_idle_generator_is_no_bottleneck() -> None:
    assert generator.judge([_second(t) for t in range(20)]).bottleneck == ""


def test_a_few_late_timers_are_forgiven() -> None:
    assert generator.judge([_second(t, lag=0.5 if t == 9 else 0.01) for t in range(20)]).bottleneck == ""


@pytest.mark.parametrize("limited", [{"cpu": 0.97}, {"lag": 0.6}])
def test_a_generator_at_its_limit_is_the_bottleneck(limited: dict[str, float]) -> None:
    found = generator.judge([_second(t, **limited) for t in range(20)])
    assert "bottleneck in 19 of 19 s" in found.bottleneck


def test_a_recording_of_nothing_lets_nothing_be_concluded() -> None:
    assert generator.judge([]).bottleneck == "locust recorded nothing"


@pytest.mark.parametrize(("text", "value"), [("250m", 0.25), ("12345678n", 0.012345678), ("2", 2.0), ("900u", 0.0009)])
def test_cpu_quantities_are_cores(text: str, value: float) -> None:
    assert cores(text) == pytest.approx(value)
