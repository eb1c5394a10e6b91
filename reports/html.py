"""The audit report: one HTML file that needs nothing else, no network, and no script to be read.

The page's policy (Content-Security-Policy) allows exactly its own style and script, by their hashes; every value from
the cluster goes through jinja2's autoescape or JSON that can't end its script element.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from reports import curves, timeline, wording
from reports.model import Control, Experiment, Finding, Proof, Run, State, Tally, Verdict

TEMPLATES = Path(__file__).parent / "templates"
STYLES = ("colours.css", "timeline.css", "curves.css", "report.css")
SHOWN = 25  # findings of a control that stand in the page as markup; the script shows the others on demand
MANY = 12  # faults that passed and are still listed in the summary; more of them are folded away
LONGEST_VALUE = 300  # characters of a finding's value; run.json has it whole


Numbered = tuple[int, Experiment]  # the number is that of its section


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the summary."""

    key: str
    name: str
    tally: Tally


def render(run: Run) -> str:
    """The page. Pure: the same run gives the same bytes."""
    environment = _environment()
    style = "".join(
        (TEMPLATES / name).read_text() for name in ("colours.css", "timeline.css", "curves.css", "report.css")
    )
    script = (TEMPLATES / "report.js").read_text()
    controls = sorted(run.controls, key=wording.worst_first)
    listed, folded = _faults(run.experiments)
    return environment.get_template("report.html.j2").render(
        run=run,
        controls=controls,
        layers=_layers(run.controls),
        experiments=[(e, timeline.draw(e), timeline.events(e)) for e in run.experiments],
        listed=listed,
        folded=folded,
        loads=[(load, curves.draw(load)) for load in run.loads],
        headline=wording.headline(run),
        took=wording.elapsed(run.started, run.finished),
        findings=_data(controls),
        profile=_flat(run.profile.values),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        shown=SHOWN,
        verdicts=wording.VERDICTS,
        present=[v for v in wording.VERDICTS if run.summary.controls.count(v)],
        severities=[s for s in wording.SEVERITIES if any(c.severity == s for c in run.controls)],
        finished=run.state is State.FINISHED,
    )


def _faults(experiments: Sequence[Experiment]) -> tuple[list[Numbered], list[Numbered]]:
    """What the summary lists, and what it folds away: among dozens that passed the few that did not would be lost."""
    numbered = list(enumerate(experiments, 1))
    passed = [(number, one) for number, one in numbered if one.verdict is Verdict.PASS]
    if len(passed) <= MANY:
        return numbered, []
    return [(number, one) for number, one in numbered if one.verdict is not Verdict.PASS], passed


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: wording.printable(value) if type(value) is str else value,
    )
    environment.filters |= {
        "duration": wording.duration,
        "clock": wording.clock,
        "count": wording.count,
        "layer": wording.layer,
        "word": lambda verdict: wording.VERDICT_WORDS[verdict],
        "value": shown_value,
        "place": place,
        "waiver": wording.waiver,
        "since": lambda event: ("+" if event.t_s >= 0 else "") + wording.duration(event.t_s),
        "measured": wording.measured,
        "allowed": wording.allowed,
        "worst": wording.against_budget,
        "over": lambda target: target.verdict is Verdict.FAIL,
        "span": _span,
        "evidence": _evidence,
    }
    return environment


def place(finding: Finding) -> str:
    """file:line of a finding; empty when there is none."""
    return f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file or ""


def shown_value(value: Any) -> str:
    """A JSON value for reading: shortened when it is very long, and `null` said as such."""
    text = "null" if value is None else wording.plain(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _evidence(proof: Proof) -> list[tuple[str, Any, Any]]:
    """What was looked at, before and after; one row a key where there were several."""
    before, after = proof.before, proof.after
    if isinstance(before, dict) and isinstance(after, dict):
        return [(str(key), before.get(key), after.get(key)) for key in {**before, **after}]
    return [(proof.what, before, after)]


def _span(experiment: Experiment, start: str, end: str) -> float | None:
    return wording.elapsed(getattr(experiment, start), getattr(experiment, end))


def _layers(controls: Sequence[Control]) -> list[Layer]:
    present = {c.layer for c in controls}
    keys = [key for key in wording.LAYERS if key in present] + sorted(present - set(wording.LAYERS))
    return [
        Layer(key=key, name=wording.layer(key), tally=Tally.of(c.verdict for c in controls if c.layer == key))
        for key in keys
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A profile's values as dotted names and text."""
    rows = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", shown_value(value)))
    return rows


def _data(controls: Sequence[Control]) -> Markup:
    """The findings of controls that have more than the page shows, for the script: texts once, rows of indices."""
    texts: dict[str, int] = {}

    def index(text: str) -> int:
        return texts.setdefault(wording.printable(text), len(texts))

    rows = {
        n: [
            [index(part) for part in (f.object, place(f), f.path, shown_value(f.value), f.message, wording.waiver(f))]
            for f in control.findings
        ]
        for n, control in enumerate(controls)
        if len(control.findings) > SHOWN
    }
    raw = msgspec.json.encode({"texts": list(texts), "rows": rows}).decode()
    for character in "<>&\u2028\u2029":
        raw = raw.replace(character, f"\\u{ord(character):04x}")
    return Markup(raw)


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
