"""The shares of failed requests are back under their rules' thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.corroboration.view import View, seconds
from experiments.result import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Statement
from fixtures.profiles.profile import ErrorRatio
from fixtures.prometheus.series import Series, Step, steps

SCRAPES = 4  # a share is taken over at least as many


def state(view: View, rules: Sequence[ErrorRatio]) -> list[Statement]:
    """One statement for each rule. Raises `PrometheusError`."""
    return [_of(view, rule) for rule in rules]


def _of(view: View, rule: ErrorRatio) -> Statement:
    """Failures are counted from raw samples: `increase()` misses the first of a status that had never been answered,
    and that is the usual case. All requests are many series, so the server adds them up."""
    every = _interval(view, rule)
    if every is None:
        return _said(rule, NOT_APPLICABLE, f"{rule.all} is not exported")
    window = max(SCRAPES * every, 5.0)
    everything = view.prometheus.value(f"sum(increase({rule.all}[{round(view.now - view.injected) or 1}s]))", view.now)
    end = view.probed_until if rule.target else view.now
    lately = view.prometheus.value(f"sum(increase({rule.all}[{round(window)}s]))", end)
    if everything is None:
        return _said(rule, NOT_APPLICABLE, f"{rule.all} is not exported")
    return judge(view, rule, every, window, view.samples(rule.failed), everything, lately or 0.0)


def _interval(view: View, rule: ErrorRatio) -> float | None:
    """Seconds between two scrapes of these counters; None when there are none. Raises `PrometheusError`."""
    span = max(round(view.now - view.steady), 10)
    samples = view.prometheus.value(f"max(count_over_time({rule.all}[{span}s]))", view.now)
    return span / samples if samples else None


def judge(
    view: View,
    rule: ErrorRatio,
    every: float,
    window: float,
    failed: Sequence[Series],
    everything: float,
    lately: float,
) -> Statement:
    """`everything` requests since the injection, `lately` those of the last `window` seconds. Pure."""
    rises = sorted((step for one in failed for step in steps(one, view.injected)), key=lambda step: step.at)
    resolution = view.resolution(every)
    count = sum(step.by for step in rises)
    end = view.probed_until if rule.target else view.now
    if view.healthy is not None and end - view.healthy < window:
        # what failed before it was healthy is no reason to say that it still fails
        recent = [step for step in rises if (step.since or step.at) >= view.healthy]
    else:
        recent = [step for step in rises if step.at > end - window]
    ratio = sum(step.by for step in recent) / lately if lately >= 1 else None
    said = f"{count:.0f} of {everything:.0f} requests failed"
    if rises:
        first, last = view.since(rises[0].at), view.since(rises[-1].at)
        said += f", seen from {seconds(first, resolution)} to {seconds(last, resolution)}"
    if ratio is None:
        return _said(rule, UNKNOWN, f"{said}; no request in the last {window:.0f} s", rises, view, resolution)
    over = ratio > rule.max_ratio
    said += f"; afterwards {ratio:.2%} of {lately:.0f} in {window:.0f} s, threshold {rule.max_ratio:.2%}"
    return _said(rule, FAIL if over else PASS, said, rises, view, resolution)


def _said(
    rule: ErrorRatio,
    verdict: str,
    message: str,
    rises: Sequence[Step] = (),
    view: View | None = None,
    resolution: float | None = None,
) -> Statement:
    seen = view is not None and bool(rises)
    return Statement(
        name=f"errors of the {rule.name}",
        query=f"{rule.failed} / {rule.all}",
        verdict=verdict,
        message=message,
        resolution_s=resolution,
        lost_s=view.since(rises[0].at) if view is not None and seen else None,
        back_s=view.since(rises[-1].at) if view is not None and seen and verdict == PASS else None,
    )
