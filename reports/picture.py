"""The picture of each fault as an SVG file of its own, for documents and as an attachment of other reports."""

from __future__ import annotations

import math
import re
from pathlib import Path

from markupsafe import Markup

from reports import timeline, wording
from reports.model import Experiment, Run

TEMPLATES = Path(__file__).parent / "templates"
HEAD = 64.0  # room above the lanes for title and verdict
LINE = 20.0  # a line of the list of moments under them


def render(run: Run) -> dict[str, bytes]:
    """An SVG a fault that was injected, by file name."""
    found = {}
    for n, experiment in enumerate(run.experiments, start=1):
        if drawn := draw(experiment, run):
            name = re.sub(r"[^A-Za-z0-9]+", "-", f"{experiment.fault} {experiment.name}").strip("-").lower()
            found[f"{n:02}-{name[:60]}.svg"] = drawn.encode()
    return found


def draw(experiment: Experiment, run: Run) -> str:
    """The document; empty when there is nothing to draw. It follows the reader's light or dark scheme."""
    inner = timeline.draw(experiment)
    if not inner:
        return ""
    height = float(inner.split('viewBox="0 0 1000 ')[1].split('"')[0])
    moments = timeline.events(experiment)
    rows = math.ceil(len(moments) / 2)
    style = "".join((TEMPLATES / name).read_text() for name in ("colours.css", "timeline.css"))
    what = f"{experiment.fault} {experiment.title or experiment.name}"
    facts = [experiment.target, run.cluster.name, f"{run.timings} timings" if run.timings else "", _when(experiment)]
    return str(
        Markup(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<svg xmlns="http://www.w3.org/2000/svg" class="alone" width="1040" height="{h}" viewBox="0 0 1040 {h}">'
            '<style>{style}</style><rect class="ground" width="1040" height="{h}" rx="12"/>'
            '<text class="head" x="24" y="34">{what}</text><text class="facts" x="24" y="55">{facts}</text>'
            '<text class="verdict v-{verdict}" x="1016" y="34">{said}</text>'
            '<svg x="20" y="{head}" width="1000" height="{inner_height}">{inner}</svg>{moments}</svg>\n'
        ).format(
            h=f"{height + HEAD + 22 + LINE * rows:g}",
            moments=_moments(moments, rows, HEAD + height + 22),
            inner_height=f"{height:g}",
            head=f"{HEAD:g}",
            style=Markup(style),
            what=wording.one_line(what),
            facts=wording.one_line(" · ".join(fact for fact in facts if fact)),
            verdict=experiment.verdict.value,
            said=wording.VERDICT_WORDS[experiment.verdict],
            inner=inner,
        )
    )


def _moments(moments: list[timeline.Event], rows: int, top: float) -> Markup:
    """What the numbers mean, in two columns."""
    said = Markup("")
    for n, moment in enumerate(moments):
        line = f"{n + 1}  {moment.kind} after {wording.duration(moment.t_s)}: {moment.what}"
        said += Markup('<text class="moment" x="{}" y="{:g}">{}</text>').format(
            "24" if n < rows else "532", top + LINE * (n % rows), wording.one_line(line)[:75]
        )
    return said


def _when(experiment: Experiment) -> str:
    return wording.clock(experiment.injected)
