"""How values are said to people: durations, times, verdicts, layers. The same in every format."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any

from reports.loads import Figure
from reports.model import Control, Experiment, Finding, Run, State, Verdict, moment

LAYERS = {
    "system": "System resource",
    "application": "Application",
    "access": "Unified access",
    "lifecycle": "Application lifecycle",
    "recovery": "Recovery",
    "elasticity": "Elasticity",
}
SEVERITIES = ("critical", "high", "medium", "low", "info")
VERDICTS = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE)
VERDICT_WORDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.UNKNOWN: "unknown",
    Verdict.WAIVED: "waived",
    Verdict.NOT_APPLICABLE: "not applicable",
}

# C0 and C1 controls, lone surrogates, and the marks that turn the direction of text around: none belongs in a name,
# and each can make a report say something else than what it holds.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def printable(text: str) -> str:
    """The text with every character that does not print made visible as an escape; tabs and newlines stay."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


def plain(value: Any) -> str:
    """A JSON value as a person writes it: text bare, nothing as an empty text, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    return printable(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def duration(seconds: float | None) -> str:
    """240 ms, 2.15 s, 3 min 20 s; a dash for None."""
    if seconds is None:
        return "–"
    sign, seconds = ("−", -seconds) if seconds < 0 else ("", seconds)
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        ms = seconds * 1000
        return f"{sign}{ms:.0f} ms" if ms >= 9.95 else f"{sign}{ms:.1f} ms"
    if seconds < 59.995:
        return f"{sign}{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return sign + " ".join(f"{n} {unit}" for n, unit in parts if n)


def clock(text: str | None) -> str:
    """A time of run.json as `2026-01-31 09:30:00 UTC`; a dash for None."""
    return "–" if text is None else f"{moment(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def elapsed(start: str | None, end: str | None) -> float | None:
    """Seconds from one time to another; None when either is missing."""
    return None if start is None or end is None else (moment(end) - moment(start)).total_seconds()


def count(n: int, noun: str) -> str:
    """1 control, 2 controls."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def waiver(finding: Finding) -> str:
    """Who answers for a finding, why and until when; empty when nobody does."""
    if (w := finding.waiver) is None:
        return ""
    until = f" until {w.expires}" if w.expires and not w.expires.startswith("9999") else ""
    return f"waived{until} by {w.owner}: {w.justification}" + (f" ({w.ticket})" if w.ticket else "")


def layer(name: str) -> str:
    return LAYERS.get(name, printable(name) or "Other")


def worst_first(control: Control) -> tuple[int, int, str]:
    """Sort key: by verdict, then severity, then id."""
    severity = SEVERITIES.index(control.severity) if control.severity in SEVERITIES else len(SEVERITIES)
    return VERDICTS.index(control.verdict), severity, control.id


def headline(run: Run) -> str:
    """The run in one sentence."""
    controls, experiments = run.summary.controls, run.summary.experiments
    judged = _and([_of(controls.fail, "control"), _of(experiments.fail, "fault")])
    unjudged = _and([_of(controls.unknown, "control"), _of(experiments.unknown, "fault")])
    if run.state is not State.FINISHED:
        ended = "was interrupted" if run.state is State.INTERRUPTED else "has not ended, or was killed"
        return f"The run {ended}" + (f"; {judged} failed so far" if judged else "") + "."
    if judged:
        return f"{judged} failed" + (f", {unjudged} could not be judged." if unjudged else ".")
    if unjudged:
        return f"Nothing failed, but {unjudged} could not be judged."
    if not controls.total and not experiments.total:
        return "There was nothing to judge."
    if run.problems:
        return f"Nothing failed, but {count(len(run.problems), 'problem')} kept something from being read."
    passed = _and([_of(controls.passed, "control"), _of(experiments.passed, "fault")])
    return f"{passed} passed, nothing failed." if passed else "Nothing failed, and nothing applied."


def _of(n: int, noun: str) -> str:
    return count(n, noun) if n else ""


def _and(parts: list[str]) -> str:
    return " and ".join(part for part in parts if part)


def against_budget(experiment: Experiment) -> str:
    """The judged target that was out longest, one over its budget before one within it."""
    judged = [t for t in experiment.targets if t.budget_s is not None]
    if not judged:
        return "no target with a budget"
    worst = max(judged, key=lambda t: (t.verdict is Verdict.FAIL, t.longest_outage_s))
    if not worst.longest_outage_s:
        return "no outage" if len(judged) > 1 else f"{printable(worst.name)}: no outage"
    return (
        f"{printable(worst.name)} out for {duration(worst.longest_outage_s)} (± {duration(worst.error_bar_s)})"
        f" of {duration(worst.budget_s)} allowed"
    )


def measured(figure: Figure) -> str:
    """A load test's figure: 12.3 s, 0.1 %, 3 pods."""
    if figure.never:
        return "never"
    return _quantity(figure.value, figure)


def allowed(figure: Figure) -> str:
    """Its budget, and on which side of it is good."""
    sign = "≥ " if figure.at_least else "≤ "
    return "–" if figure.budget is None else sign + _quantity(figure.budget, figure)


def _quantity(value: float | None, figure: Figure) -> str:
    if value is None or figure.unit == "s":
        return duration(value)
    if figure.name.endswith("-ratio"):
        return f"{value * 100:.2g} %"
    return f"{value:,.4g} {figure.unit}".strip()
