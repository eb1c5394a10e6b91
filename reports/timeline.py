"""The picture of one fault: a lane of 250 ms buckets a target, the fault's window, and the moments of the recovery.

Drawn as SVG without colours of its own: the page's style sheet gives them, light or dark. Every name is escaped.
"""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from reports import wording
from reports.axis import Linear, log_share, spread, ticks
from reports.model import Experiment, Target, Verdict, Window

WIDTH = 1000
LEFT, RIGHT = 150.0, 862.0  # the plot; names stand left of it, results right
TOP = 46.0  # room for the numbered marks
LANE, SPACING = 34.0, 20.0  # a lane's height, and the strip under it for outages and budget
FASTEST, SLOWEST = 0.001, 10.0  # latency scale, seconds
BUCKET = 0.25
MARGIN = 5.0  # seconds shown before the injection and after the last moment, at most


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of a fault, in seconds since the injection."""

    t_s: float
    kind: str  # injected, proven, detected, acted, recovered, healed, healthy
    what: str


def events(experiment: Experiment) -> list[Event]:
    """Everything that has a time, in order; the number of each on the picture is its place here, from 1."""
    e = experiment
    known = [
        ("injected", e.injected, e.title or e.name),
        ("proven", e.proven, e.proof.what),
        ("healed", e.healed, "the fault was taken back"),
        ("healthy", e.healthy, "the cluster is healthy again"),
    ]
    found = [
        Event(t_s=since, kind=kind, what=what)
        for kind, at, what in known
        if (since := wording.elapsed(e.injected, at)) is not None
    ]
    found += [Event(t_s=p.since_injection_s, kind=p.kind, what=p.what) for p in e.phases]
    return sorted(found, key=lambda event: event.t_s)


def draw(experiment: Experiment) -> Markup:
    """The SVG element; empty when nothing was injected or nothing was probed."""
    lanes = [t for t in experiment.targets if t.timeline]
    if experiment.injected is None or not lanes:
        return Markup()
    moments = events(experiment)
    first, last = _span(lanes, moments)
    x = Linear(first, last, LEFT, RIGHT)
    bottom = TOP + len(lanes) * (LANE + SPACING)
    parts = [_bands(experiment, x, bottom), _axis(x, bottom)]
    parts += [_lane(t, experiment, x, TOP + n * (LANE + SPACING)) for n, t in enumerate(lanes)]
    parts.append(_marks(moments, x, bottom))
    return Markup('<svg class="timeline" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, f"{bottom + 26:g}", _described(experiment), Markup("").join(parts)
    )


def _span(lanes: list[Target], moments: list[Event]) -> tuple[float, float]:
    """What is shown: the probes, but not minutes of peace before and after."""
    first = min(t.timeline[0].t_s for t in lanes)
    last = max(t.timeline[-1].t_s for t in lanes) + BUCKET
    return max(first, -MARGIN), max(min(last, moments[-1].t_s + MARGIN), first + 1.0)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _rect(css: str, x: float, y: float, width: float, height: float, title: str = "") -> Markup:
    tip = Markup("<title>{}</title>").format(wording.one_line(title)) if title else ""
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
        css, _n(x), _n(y), _n(width), _n(height), tip
    )


def _line(css: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<path class="{}" d="M{} {}L{} {}"/>').format(css, _n(x1), _n(y1), _n(x2), _n(y2))


def _text(css: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(css, _n(x), _n(y), wording.one_line(text))


def _bands(experiment: Experiment, x: Linear, bottom: float) -> Markup:
    """The fault's window, and from healing to health."""
    healed = wording.elapsed(experiment.injected, experiment.healed)
    healthy = wording.elapsed(experiment.injected, experiment.healthy)
    end = x.last if healed is None else healed
    tip = "the fault lasted until the end of the run" if healed is None else f"the fault, {wording.duration(healed)}"
    parts = [_rect("t-fault", x.at(0), TOP - 12, max(x.at(end) - x.at(0), 2), bottom - TOP + 12, tip)]
    if healed is not None and healthy is not None and healthy > healed:
        tip = f"from healed to healthy, {wording.duration(healthy - healed)}"
        parts.append(_rect("t-healing", x.at(healed), TOP - 12, x.at(healthy) - x.at(healed), bottom - TOP + 12, tip))
    return Markup("").join(parts)


def _axis(x: Linear, bottom: float) -> Markup:
    parts = []
    for t in ticks(x.first, x.last, 12):
        parts.append(_line("t-grid", x.at(t), TOP - 12, x.at(t), bottom))
        parts.append(_text("t-tick", x.at(t), bottom + 17, f"{t:g} s".replace("-", "−")))
    return Markup("").join(parts)


def _lane(target: Target, experiment: Experiment, x: Linear, y: float) -> Markup:
    base = y + LANE
    parts = [
        _rect("t-lane", x.left, y, x.right - x.left, LANE),
        Markup('<path class="t-latency" d="{}"/>').format(_latency(target, x, base)),
    ]
    if failures := _failures(target, x, base):
        parts.append(Markup('<path class="t-failed" d="{}"/>').format(failures))
    parts.append(_text("t-name", x.left - 10, y + 15, _shortened(target.name, 20)))
    parts.append(_text("t-note", x.left - 10, y + 29, f"{target.failed:,} of {target.requests:,} failed"))
    parts.append(_budget(target, experiment, x, base + 6))
    parts += [_outage(target, window, experiment, x, base + 6) for window in target.windows]
    sign = {Verdict.PASS: "✓ ", Verdict.FAIL: "✕ ", Verdict.UNKNOWN: "? "}.get(target.verdict, "")
    judged = target.budget_s is not None
    parts.append(
        _text(
            f"t-result v-{target.verdict.value}" if judged else "t-result t-unjudged",
            x.right + 10,
            y + 15,
            (sign if judged else "") + wording.duration(target.longest_outage_s),
        )
    )
    bar = f"± {wording.duration(target.error_bar_s)}, " if target.windows else ""
    said = f"{bar}{wording.duration(target.budget_s)} allowed" if judged else f"{bar}observed only"
    parts.append(_text("t-allowed", x.right + 10, y + 29, said))
    return Markup("").join(parts)


def _shown(target: Target, x: Linear) -> list[tuple[float, float, int, int, float | None]]:
    """Buckets within the picture: left and right edge, ok, failed, latency."""
    return [
        (x.at(b.t_s), x.at(b.t_s + BUCKET), b.ok, b.failed, b.max_latency_s)
        for b in target.timeline
        if x.first <= b.t_s < x.last
    ]


def _latency(target: Target, x: Linear, base: float) -> str:
    """One closed path: a step a bucket, as high as its slowest good probe; gaps where none was good."""
    path: list[str] = []
    pen: float | None = None
    height = 0.0
    for left, right, ok, _, latency in _shown(target, x):
        if not ok or latency is None:
            if pen is not None:
                path.append(f"V{_n(base)}Z")
            pen = None
            continue
        new = base - 2 - (LANE - 5) * log_share(latency, FASTEST, SLOWEST)
        if pen is None or left - pen > 1:
            path.append(("" if pen is None else f"V{_n(base)}Z") + f"M{_n(left)} {_n(base)}V{_n(new)}H{_n(right)}")
        elif abs(new - height) < 0.5:
            path.append(f"H{_n(right)}")
        else:
            path.append(f"V{_n(new)}H{_n(right)}")
            height = new
        pen = right
    return "".join(path) + (f"V{_n(base)}Z" if pen is not None else "")


def _failures(target: Target, x: Linear, base: float) -> str:
    """A bar a bucket with failures, as high as their share of its probes, and never too thin to be seen."""
    path = []
    for left, right, ok, failed, _ in _shown(target, x):
        if failed:
            width, height = max(right - left, 2.0), (LANE - 2) * failed / (ok + failed)
            path.append(f"M{_n(left)} {_n(base)}v{_n(-height)}h{_n(width)}v{_n(height)}z")
    return "".join(path)


def _outage(target: Target, window: Window, experiment: Experiment, x: Linear, y: float) -> Markup:
    """A bar from the window's start to its end, with whiskers as long as the error is wide."""
    start = wording.elapsed(experiment.injected, window.start) or 0.0
    end = start + window.duration_s
    over = target.budget_s is not None and window.duration_s - window.error_bar_s > target.budget_s
    css = "t-over" if over else "t-within"
    left, right = x.at(start), max(x.at(end), x.at(start) + 3)
    low, high = x.at(end - window.error_bar_s), max(x.at(end + window.error_bar_s), right + 2)
    tip = (
        f"{target.name}: out for {wording.duration(window.duration_s)} ± {wording.duration(window.error_bar_s)},"
        f" {wording.count(window.failed, 'failed probe')}"
    )
    whisker = Markup('<path class="t-whisker" d="M{0} {3}H{1}M{0} {2}V{4}M{1} {2}V{4}"/>').format(
        _n(low), _n(high), _n(y - 1), _n(y + 2), _n(y + 5)
    )
    return _rect(css, left, y, right - left, 4, tip) + whisker


def _budget(target: Target, experiment: Experiment, x: Linear, y: float) -> Markup:
    """What was allowed, as a line from where the longest outage (or, without one, the fault) began."""
    if target.budget_s is None:
        return Markup()
    longest = max(target.windows, key=lambda w: w.duration_s, default=None)
    start = 0.0 if longest is None else wording.elapsed(experiment.injected, longest.start) or 0.0
    left, right = x.at(start), x.at(start + target.budget_s)
    within = start + target.budget_s <= x.last
    end = Markup("M{0} {1}V{2}").format(_n(right), _n(y + 4), _n(y + 11)) if within else ""  # else it goes on
    return Markup('<path class="t-budget" d="M{0} {2}H{1}{3}"><title>{4}</title></path>').format(
        _n(left), _n(right), _n(y + 8), end, f"budget {wording.duration(target.budget_s)}"
    )


def _marks(moments: list[Event], x: Linear, bottom: float) -> Markup:
    """A numbered mark a moment, joined to its place in time."""
    places = spread([x.at(event.t_s) for event in moments], 21, LEFT, RIGHT)
    parts = []
    for n, (event, place) in enumerate(zip(moments, places, strict=True), start=1):
        at = x.at(event.t_s)
        parts.append(
            Markup(
                '<g class="t-mark k-{}"><path d="M{} 22L{} {}V{}"/><circle cx="{}" cy="12" r="9"/>'
                '<text x="{}" y="16">{}</text><title>{}</title></g>'
            ).format(
                event.kind, _n(place), _n(at), _n(TOP - 12), _n(bottom), _n(place), _n(place), n,
                wording.one_line(f"{event.kind} after {wording.duration(event.t_s)}: {event.what}"),
            )
        )  # fmt: skip
    return Markup("").join(parts)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _described(experiment: Experiment) -> str:
    said = [f"{experiment.title or experiment.name}."]
    for t in experiment.targets:
        allowed = f" of {wording.duration(t.budget_s)} allowed" if t.budget_s is not None else ""
        said.append(f"{t.name}: longest outage {wording.duration(t.longest_outage_s)}{allowed}.")
    return wording.one_line(" ".join(said) + " The table below has the numbers.")
