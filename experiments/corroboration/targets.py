"""Every target that Prometheus scraped before the fault is scraped again after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from experiments.corroboration.view import View, listed, seconds
from experiments.result import FAIL, PASS, UNKNOWN, Statement
from fixtures.prometheus.series import Absence, Series, absence, interval, last_at

NAME, QUERY = "targets", "up"


def state(view: View) -> list[Statement]:
    """Job by job as many are up as before: a pod's target goes with the pod, and another one comes. Pure."""
    return [_judge(view, view.up)]


def _judge(view: View, found: Sequence[Series]) -> Statement:
    every = interval(found)
    if every is None:
        return Statement(
            name=NAME, query=QUERY, verdict=UNKNOWN, message="no samples of this time: is it the right one?"
        )
    resolution = view.resolution(every)
    before = Counter(_job(one) for one in found if last_at(one, view.injected) == 1)
    if not before:
        return Statement(name=NAME, query=QUERY, verdict=UNKNOWN, message="no samples from before the fault")
    now = Counter(_job(one) for one in found if _answered(one, view.recently(every)))
    missing = [f"{job} {now[job]} of {count}" for job, count in sorted(before.items()) if now[job] < count]
    lost = {_target(one): away for one in found if (away := _absence(view, one)) is not None}
    first = min((away.lost for away in lost.values()), default=None)
    last = None if missing else max((away.back for away in lost.values() if away.back is not None), default=None)
    total = sum(before.values())
    if missing:
        said = f"not all up again: {listed(missing)}"
    elif first is None:
        said = f"all {total} up throughout, as far as scrapes every {every:.1f} s can tell"
    else:
        said = f"{len(lost)} of {total} were down ({listed(sorted(lost))})"
        said += f", first seen {seconds(view.since(first), resolution)}"
        said += f"; as many up as before {seconds(view.since(last), resolution)}" if last is not None else ""
    return Statement(
        name=NAME,
        query=QUERY,
        verdict=FAIL if missing else PASS,
        message=said,
        resolution_s=resolution,
        lost_s=None if first is None else view.since(first),
        back_s=None if last is None else view.since(last),
    )


def _answered(one: Series, since: float) -> bool:
    return any(value == 1 for at, value in zip(one.times, one.values, strict=True) if at > since)


def _absence(view: View, one: Series) -> Absence | None:
    if last_at(one, view.injected) != 1:
        return None
    return absence(one.times, [value == 1 for value in one.values], view.injected)


def _job(one: Series) -> str:
    return one.labels.get("job", "")


def _target(one: Series) -> str:
    where = one.labels.get("node") or one.labels.get("pod") or one.labels.get("instance", "")
    return f"{_job(one)} {where}".strip()
