"""The picture of one load test: what was asked and answered, how late, by how many pods, on one axis of time.

Drawn as SVG without colours of its own: the page's style sheet gives them, light or dark. Every name is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
from markupsafe import Markup

from reports import wording
from reports.axis import Linear, log_share, spread, ticks
from reports.loads import Load, Moment, Point, Series

WIDTH = 1000
LEFT, RIGHT = 118.0, 880.0  # the plot; what is drawn stands left of it, its figures right
TOP = 46.0  # room for the numbered marks
GAP, HEAD = 26.0, 34.0  # between panels; over each service when there are several
FASTEST, SLOWEST = 0.001, 10.0  # latency scale, seconds
KINDS = ("load", "decided", "detected", "acted", "ready", "recovered", "ended")  # that have a colour
Value = Callable[[Point], float | None]


class Panel(msgspec.Struct, frozen=True):
    """One strip of the picture: its place, and how a value becomes a height."""

    top: float
    height: float
    most: float
    logarithmic: bool = False

    @property
    def base(self) -> float:
        return self.top + self.height

    def y(self, value: float) -> float:
        share = log_share(value, FASTEST, self.most) if self.logarithmic else min(value / self.most, 1.0)
        return self.base - share * self.height


def draw(load: Load) -> Markup:
    """The SVG element; empty when nothing was recorded."""
    shown = [s for s in load.series if s.points]
    if not shown:
        return Markup()
    first = min(s.points[0].t_s for s in shown)
    last = max(s.points[-1].t_s for s in shown) + 1
    x = Linear(first, last, LEFT, RIGHT)
    parts: list[Markup] = []
    top = TOP
    for series in shown:
        if len(shown) > 1:
            parts.append(_text("c-head", LEFT, top + 10, series.name))
            top += HEAD
        for panel in (_requests, _latency, _pods, _cpu):
            drawn, height = panel(series, x, top)
            if height:
                parts.append(drawn)
                top += height + GAP
    bottom = top - GAP
    parts.insert(0, _axis(x, bottom))
    parts.append(_marks(load.moments, x, bottom))
    return Markup('<svg class="timeline curves" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, _n(bottom + 26), _described(load), Markup("").join(parts)
    )


def _requests(series: Series, x: Linear, top: float) -> tuple[Markup, float]:
    points = series.points
    most = max((max(p.asked, p.ok + p.failed) for p in points), default=0.0)
    if not most:
        return Markup(), 0.0
    panel = Panel(top, 92.0, _round_up(most))
    failed, total = sum(p.failed for p in points), sum(p.ok + p.failed for p in points)
    parts = [
        _frame(panel, x, "requests a second", ticks(0, panel.most, 3)),
        _area("c-ok", points, lambda p: float(p.ok), panel, x),
        _bars(points, panel, x),
        _steps("c-asked", points, lambda p: p.asked, panel, x),
        _result(x, panel, f"{total:,}", "requests"),
        _text("t-allowed", x.right + 10, panel.top + 43, f"{failed:,} failed"),
    ]
    return Markup("").join(parts), panel.height


def _latency(series: Series, x: Linear, top: float) -> tuple[Markup, float]:
    points = series.points
    slowest = max((p.p99_s for p in points if p.p99_s is not None), default=None)
    if slowest is None:
        return Markup(), 0.0
    panel = Panel(top, 84.0, 10.0 ** math.ceil(math.log10(max(slowest, 0.01))), logarithmic=True)
    powers = range(-3, round(math.log10(panel.most)) + 1)
    worst = max(p.p95_s for p in points if p.p95_s is not None)
    parts = [
        _frame(panel, x, "latency", [10.0**n for n in powers], wording.duration),
        _area("c-p50", points, lambda p: p.p50_s, panel, x),
        _line("c-p95", points, lambda p: p.p95_s, panel, x),
        _line("c-p99", points, lambda p: p.p99_s, panel, x),
        _result(x, panel, wording.duration(worst), "highest p95"),
    ]
    if series.latency_target_s is not None:
        y = panel.y(series.latency_target_s)
        target = wording.duration(series.latency_target_s)
        parts.append(_path("c-target", f"M{_n(x.left)} {_n(y)}H{_n(x.right)}", f"target {target}"))
        parts.append(_text("t-allowed", x.right + 10, panel.top + 43, f"target {target}"))
    return Markup("").join(parts), panel.height


def _pods(series: Series, x: Linear, top: float) -> tuple[Markup, float]:
    points = series.points
    known = [max(p.wanted or 0, p.pods or 0, p.ready or 0) for p in points if p.wanted is not None]
    if not known:
        return Markup(), 0.0
    panel = Panel(top, 76.0, float(max(known) + 1))
    marks = [t for t in ticks(0, panel.most, 4) if t == round(t)]
    ready = [p.ready for p in points if p.ready is not None]
    parts = [
        _frame(panel, x, "pods", marks),
        _area("c-ready", points, lambda p: _float(p.ready), panel, x, stepped=True),
        _steps("c-pods", points, lambda p: _float(p.pods), panel, x),
        _steps("c-wanted", points, lambda p: _float(p.wanted), panel, x),
        _result(x, panel, f"{min(ready)} to {max(ready)}", "pods Ready"),
    ]
    return Markup("").join(parts), panel.height


def _cpu(series: Series, x: Linear, top: float) -> tuple[Markup, float]:
    points = series.points
    most = max((p.cores for p in points if p.cores is not None), default=0.0)
    if most <= 0:
        return Markup(), 0.0
    panel = Panel(top, 56.0, _round_up(most * 1000))
    parts = [
        _frame(panel, x, "CPU, millicores", ticks(0, panel.most, 3)),
        _area("c-cores", points, lambda p: _milli(p.cores), panel, x, stepped=True),
        _steps("c-busiest", points, lambda p: _milli(p.busiest), panel, x),
        _result(x, panel, f"{most * 1000:.0f} m", "all pods"),
    ]
    return Markup("").join(parts), panel.height


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


def _milli(value: float | None) -> float | None:
    return None if value is None else value * 1000


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten, with a little room."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * m for m in (1, 1.5, 2, 3, 5, 7.5, 10, 20) if power * m >= value * 1.02)


# Pieces --------------------------------------------------------------------------------------------------------------


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _text(css: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(css, _n(x), _n(y), wording.one_line(text))


def _path(css: str, d: str, title: str = "") -> Markup:
    tip = Markup("<title>{}</title>").format(wording.one_line(title)) if title else ""
    return Markup('<path class="{}" d="{}">{}</path>').format(css, d, tip)


def _result(x: Linear, panel: Panel, said: str, what: str) -> Markup:
    return _text("t-result t-unjudged", x.right + 10, panel.top + 13, said) + _text(
        "t-allowed", x.right + 10, panel.top + 28, what
    )


def _frame(
    panel: Panel, x: Linear, name: str, marks: Sequence[float], say: Callable[[float], str] = lambda v: f"{v:g}"
) -> Markup:
    """The ground of a panel, its name over it, and its scale."""
    parts = [
        Markup('<rect class="t-lane" x="{}" y="{}" width="{}" height="{}"/>').format(
            _n(x.left), _n(panel.top), _n(x.right - x.left), _n(panel.height)
        ),
        _text("c-name", x.left + 6, panel.top - 5, name),
    ]
    for mark in marks:
        if 0 <= mark <= panel.most:
            y = panel.y(mark)
            parts.append(_path("t-grid", f"M{_n(x.left)} {_n(y)}H{_n(x.right)}"))
            parts.append(_text("c-scale", x.left - 8, y + 4, say(mark)))
    return Markup("").join(parts)


def _runs(points: Sequence[Point], value: Value) -> list[list[tuple[float, float]]]:
    """Stretches of seconds in which the value is known."""
    known = [(p.t_s, value(p)) for p in points]
    return [
        [(t, v) for t, v in run if v is not None] for there, run in groupby(known, lambda k: k[1] is not None) if there
    ]


def _area(css: str, points: Sequence[Point], value: Value, panel: Panel, x: Linear, stepped: bool = False) -> Markup:
    path = []
    for run in _runs(points, value):
        path.append(f"M{_n(x.at(run[0][0]))} {_n(panel.base)}V{_n(panel.y(run[0][1]))}")
        for t, v in run:
            y = _n(panel.y(v))
            path.append(f"V{y}H{_n(x.at(t + 1))}" if stepped else f"L{_n(x.at(t + 0.5))} {y}")
        path.append(f"L{_n(x.at(run[-1][0] + 1))} {_n(panel.y(run[-1][1]))}V{_n(panel.base)}Z")
    return _path(css, "".join(path))


def _line(css: str, points: Sequence[Point], value: Value, panel: Panel, x: Linear) -> Markup:
    path = [
        "M" + "L".join(f"{_n(x.at(t + 0.5))} {_n(panel.y(v))}" for t, v in run)
        for run in _runs(points, value)
        if len(run) > 1
    ]
    return _path(css, "".join(path))


def _steps(css: str, points: Sequence[Point], value: Value, panel: Panel, x: Linear) -> Markup:
    path = []
    for run in _runs(points, value):
        path.append(f"M{_n(x.at(run[0][0]))} {_n(panel.y(run[0][1]))}")
        height = run[0][1]
        for t, v in run:
            if v != height:
                path.append(f"H{_n(x.at(t))}V{_n(panel.y(v))}")
                height = v
        path.append(f"H{_n(x.at(run[-1][0] + 1))}")
    return _path(css, "".join(path))


def _bars(points: Sequence[Point], panel: Panel, x: Linear) -> Markup:
    """Failed requests on top of the good ones, never too small to be seen."""
    path = []
    for p in points:
        if p.failed:
            left, right = x.at(p.t_s), max(x.at(p.t_s + 1), x.at(p.t_s) + 2)
            top, under = panel.y(p.ok + p.failed), panel.y(p.ok)
            top = min(top, under - 3)
            path.append(f"M{_n(left)} {_n(under)}V{_n(top)}H{_n(right)}V{_n(under)}Z")
    failed = sum(p.failed for p in points)
    return _path("t-failed", "".join(path), f"{wording.count(failed, 'failed request')}") if path else Markup()


def _axis(x: Linear, bottom: float) -> Markup:
    parts = []
    for t in ticks(x.first, x.last, 12):
        parts.append(_path("t-grid", f"M{_n(x.at(t))} {_n(TOP - 12)}V{_n(bottom)}"))
        parts.append(_text("t-tick", x.at(t), bottom + 17, f"{t:g} s".replace("-", "−")))
    return Markup("").join(parts)


def _marks(moments: Sequence[Moment], x: Linear, bottom: float) -> Markup:
    """A numbered mark a moment, joined to its place in time."""
    places = spread([x.at(m.t_s) for m in moments], 21, LEFT, RIGHT)
    parts = []
    for n, (moment, place) in enumerate(zip(moments, places, strict=True), start=1):
        at, kind = x.at(moment.t_s), moment.kind if moment.kind in KINDS else "other"
        parts.append(
            Markup(
                '<g class="t-mark k-{}"><path d="M{} 22L{} {}V{}"/><circle cx="{}" cy="12" r="9"/>'
                '<text x="{}" y="16">{}</text><title>{}</title></g>'
            ).format(
                kind, _n(place), _n(at), _n(TOP - 12), _n(bottom), _n(place), _n(place), n,
                wording.one_line(f"{moment.kind} at {wording.duration(moment.t_s)}: {moment.what}"),
            )
        )  # fmt: skip
    return Markup("").join(parts)


def _described(load: Load) -> str:
    said = [f"{load.title or load.name}."]
    said += [f"{f.what}." for f in load.figures]
    return wording.one_line(" ".join(said))
