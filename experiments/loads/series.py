"""A recording as run.json has it: one point a second, seconds since the load began."""

from __future__ import annotations

import math
from collections.abc import Sequence

from experiments.loads.recording import Recording, Track, points_between
from experiments.loads.result import Figure, GeneratorUse, Load, Moment, Point, Series
from fixtures.load import generator


def zero(recording: Recording) -> float:
    """The moment all times are counted from: when the load rose to its peak, else its first second."""
    marked = recording.mark("load")
    if marked is not None:
        return marked
    starts = [float(t.seconds[0].t) for t in recording.tracks if t.seconds]
    return min(starts, default=min((look.at for t in recording.tracks for look in t.looks), default=0.0))


def moments(recording: Recording, figures: Sequence[Figure] = ()) -> list[Moment]:
    """The marks, and what was found to have happened, in order of time."""
    start = zero(recording)
    made = [Moment(t_s=round(m.at - start, 2), kind=m.kind, what=m.what) for m in recording.marks]
    made += [Moment(t_s=round(f.at - start, 2), kind=f.kind, what=f.what) for f in figures if f.at is not None]
    return sorted(made, key=lambda m: m.t_s)


def series(recording: Recording) -> list[Series]:
    start = zero(recording)
    return [_series(track, start) for track in recording.tracks]


def _series(track: Track, start: float) -> Series:
    traffic, use = track.traffic, generator.judge(track.seconds)
    return Series(
        name=track.name,
        traffic=None
        if traffic is None
        else Load(user=traffic.user, shape=traffic.shape, host=traffic.host, peak=traffic.peak, base=traffic.base),
        generator=GeneratorUse(
            seconds=use.seconds,
            limited=use.limited,
            cpu=round(use.cpu, 3),
            lag_s=round(use.lag_s, 3),
            asked=round(use.asked, 1),
            achieved=round(use.achieved, 1),
        ),
        errors=track.errors(),
        points=_points(track, start),
    )


def _points(track: Track, start: float) -> list[Point]:
    by_second = {s.t: s for s in track.seconds}
    known = [*by_second, *(math.floor(look.at) for look in track.looks)]
    points: list[Point] = []
    for t in range(min(known, default=0), max(known, default=-1) + 1):
        second, look = by_second.get(t), points_between(track.looks, t, t + 1)
        busiest = max((p.cpu for p in look.pods if p.cpu is not None), default=None) if look else None
        points.append(
            (
                round(t - start, 2),
                round(second.asked, 1) if second else 0.0,
                second.ok if second else 0,
                second.failed if second else 0,
                *(_ms(second.quantile(share) if second else None) for share in (0.5, 0.95, 0.99)),
                look.wanted if look else None,
                look.total if look else None,
                look.ready if look else None,
                _ms(look.cpu) if look else None,
                _ms(busiest),
            )  # type: ignore[arg-type]
        )
    return points


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
