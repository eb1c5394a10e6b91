"""etcd has a leader again, and which member it is: by each member's own metric."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.corroboration.view import View, seconds
from experiments.result import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Statement
from fixtures.prometheus.series import Series, interval, last_at

NAME, QUERY = "etcd leader", "etcd_server_is_leader"


def state(view: View) -> list[Statement]:
    """One statement. Raises `PrometheusError`."""
    return [judge(view, view.samples(QUERY))]


def judge(view: View, found: Sequence[Series]) -> Statement:
    """Every member says whether it leads; one that is gone says nothing any more. Pure."""
    if not found:
        return Statement(name=NAME, query=QUERY, verdict=NOT_APPLICABLE, message="etcd's metrics are not scraped")
    every = interval(found)
    if every is None:
        return Statement(name=NAME, query=QUERY, verdict=UNKNOWN, message="too few samples")
    resolution = view.resolution(every)
    old = sorted(_member(one) for one in found if last_at(one, view.injected) == 1)
    new = sorted({_member(one) for one in found if _led(one, view.recently(every))})
    if not new:
        said = f"no member leads (before: {', '.join(old) or 'nobody'})"
        return Statement(name=NAME, query=QUERY, verdict=FAIL, message=said, resolution_s=resolution)
    at = next(iter(sorted(t for one in found if _member(one) not in old for t in _led(one, view.injected))), None)
    if at is None:
        said = f"{', '.join(new)} throughout"
        return Statement(name=NAME, query=QUERY, verdict=PASS, message=said, resolution_s=resolution)
    said = f"{', '.join(new)} leads, before it {', '.join(old) or 'nobody'}"
    said += f"; another one first seen leading {seconds(view.since(at), resolution)}"
    return Statement(name=NAME, query=QUERY, verdict=PASS, message=said, resolution_s=resolution, back_s=view.since(at))


def _member(one: Series) -> str:
    return one.labels.get("node") or one.labels.get("pod") or one.labels.get("instance", "")


def _led(one: Series, after: float) -> list[float]:
    return [t for t, value in zip(one.times, one.values, strict=True) if t > after and value == 1]
