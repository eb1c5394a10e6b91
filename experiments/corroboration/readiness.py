"""As many of the application's pods are Ready as before: by kube-state-metrics, else by the kubelets' own probes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from experiments.corroboration.view import View, seconds
from experiments.result import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Statement
from fixtures.prometheus.series import Series, absence, interval, last_at, steps

NAME = "readiness"
FAILURES = 3  # probes in a row that must fail, by Kubernetes' own default, before a pod is not Ready
SCRAPES = 2  # and so long it may take to be seen


def state(view: View) -> list[Statement]:
    """One statement. Raises `PrometheusError`."""
    by_deployment = f'kube_deployment_status_replicas_ready{{namespace="{view.namespace}",deployment="{view.app}"}}'
    found = view.samples(by_deployment)
    if found:
        return [replicas(view, by_deployment, found)]
    pods = f"{view.app}-[a-z0-9]+-[a-z0-9]+"
    by_probe = (
        f'prober_probe_total{{probe_type="Readiness",result="successful",namespace="{view.namespace}",pod=~"{pods}"}}'
    )
    return [probes(view, by_probe, view.samples(by_probe))]


def replicas(view: View, query: str, found: Sequence[Series]) -> Statement:
    """From a gauge of Ready replicas. Where several servers export it, the one with most samples counts. Pure."""
    series = max(found, key=lambda one: len(one.times))
    every = interval([series])
    before = last_at(series, view.injected)
    if every is None or before is None:
        return _unknown(query, "too few samples before the fault")
    return _judge(view, query, every, series.times, series.values, before)


def probes(view: View, query: str, found: Sequence[Series]) -> Statement:
    """From counters of good readiness probes: a pod is Ready while its own rises. Pure."""
    if not found:
        why = f"no readiness of {view.namespace}/{view.app} is exported: no kube-state-metrics, no /metrics/probes"
        return Statement(name=NAME, query=query, verdict=NOT_APPLICABLE, message=why)
    every = interval(found)
    if every is None:
        return _unknown(query, "too few samples before the fault")
    rises = [[step.at for step in steps(one, view.steady)] for one in found]
    gaps = [later - earlier for one in rises for earlier, later in pairwise(one)]
    period = median(gaps) if gaps else every
    fresh = SCRAPES * every + FAILURES * period
    times = _grid(view, every)
    ready = [float(sum(any(t - fresh < at <= t for at in one) for one in rises)) for t in times]
    before = last_at(Series(labels={}, times=times, values=ready), view.injected)
    if not before:
        return _unknown(query, "no good readiness probe was counted before the fault")
    return _judge(view, query, fresh / 2, times, ready, before)


def _grid(view: View, every: float) -> list[float]:
    """Instants to count at, a scrape apart, from the first that has enough behind it."""
    count = int((view.now - view.steady) / every)
    return [view.now - every * back for back in range(count, -1, -1)]


def _judge(
    view: View, query: str, every: float, times: Sequence[float], values: Sequence[float], before: float
) -> Statement:
    resolution = view.resolution(every)
    away = absence(times, [value >= before for value in values], view.injected)
    if away is None:
        said = f"{before:.0f} Ready throughout, as far as it can tell within {resolution:.1f} s"
        return Statement(name=NAME, query=query, verdict=PASS, message=said, resolution_s=resolution)
    least = min(value for at, value in zip(times, values, strict=True) if at >= away.lost)
    lost = view.since(away.lost)
    said = f"fewer than the {before:.0f} Ready before (down to {least:.0f}) from {seconds(lost, resolution)}"
    if away.back is None:
        said += f", and still {values[-1]:.0f}"
    else:
        said += f" to {seconds(view.since(away.back), resolution)}"
    return Statement(
        name=NAME,
        query=query,
        verdict=FAIL if away.back is None else PASS,
        message=said,
        resolution_s=resolution,
        lost_s=lost,
        back_s=None if away.back is None else view.since(away.back),
    )


def _unknown(query: str, why: str) -> Statement:
    return Statement(name=NAME, query=query, verdict=UNKNOWN, message=why)
