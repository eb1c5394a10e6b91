"""Two runs side by side, fault by fault: what was out for how long, who took over when, and where the time went.

Everything comes from the two run.json files. Faults are matched by id and experiment, in the order they were run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from reports.model import Experiment, Run, Verdict

_POD = re.compile(r"\b([a-z0-9][a-z0-9-]*?)(-[a-z0-9]{8,10})?-[a-z0-9]{5}\b(?= (?:Ready|created|left))")
_ROLES = {"control-plane": "a master", "worker": "a worker"}


class Figure(Struct, frozen=True, kw_only=True):
    """One measured time of one run, in seconds; None: not seen, or not part of that run."""

    seconds: float | None = None
    error_s: float = 0.0
    verdict: Verdict | None = None  # None: nobody promised anything
    missing: str = ""  # why there is no figure


class Row(Struct, frozen=True, kw_only=True):
    """One time in both runs. `budget_s` is what either run's profile allowed."""

    kind: str  # "outage", "time", "step"
    what: str
    budget_s: float | None
    figures: tuple[Figure, Figure]


class Fault(Struct, frozen=True, kw_only=True):
    """One fault in both runs."""

    fault: str
    name: str
    title: str
    verdicts: tuple[Verdict | None, Verdict | None]
    rows: list[Row]


class Comparison(Struct, frozen=True, kw_only=True):
    """Both runs. `budget_s`: the longest outage that the profile allows where it says nothing else."""

    labels: tuple[str, str]
    runs: tuple[str, str]
    started: tuple[str, str]
    budget_s: float | None
    faults: list[Fault]

    def missed(self, side: int) -> list[tuple[Fault, Row]]:
        """Budgets that a run (0 or 1) missed."""
        return [
            (fault, row)
            for fault in self.faults
            for row in fault.rows
            if row.budget_s is not None and row.figures[side].verdict is Verdict.FAIL
        ]

    def judged(self, side: int) -> int:
        """How many budgets were judged in a run."""
        return sum(
            row.budget_s is not None and row.figures[side].verdict in (Verdict.PASS, Verdict.FAIL)
            for fault in self.faults
            for row in fault.rows
        )

    def beyond(self) -> list[tuple[Fault, Row]]:
        """Times longer than `budget_s` in at least one of the runs, whatever was allowed."""
        if self.budget_s is None:
            return []
        limit = self.budget_s
        return [
            (fault, row)
            for fault in self.faults
            for row in fault.rows
            if any(f.seconds is not None and f.seconds - f.error_s > limit for f in row.figures)
        ]


def compare(one: Run, other: Run) -> Comparison:
    """Pure."""
    pairs = _pairs(one.experiments, other.experiments)
    budget = one.profile.values.get("recovery_budget_s", other.profile.values.get("recovery_budget_s"))
    labels = (one.timings or one.id, other.timings or other.id)
    return Comparison(
        labels=labels if labels[0] != labels[1] else (one.id, other.id),
        runs=(one.id, other.id),
        started=(one.started, other.started),
        budget_s=None if budget is None else float(budget),
        faults=[_fault(pair, (one, other)) for pair in pairs],
    )


Pair = tuple[Experiment | None, Experiment | None]


def _pairs(one: Sequence[Experiment], other: Sequence[Experiment]) -> list[Pair]:
    waiting: dict[tuple[str, str], list[Experiment]] = defaultdict(list)
    for experiment in other:
        waiting[experiment.fault, experiment.name].append(experiment)
    found: list[Pair] = []
    for experiment in one:
        same = waiting[experiment.fault, experiment.name]
        found.append((experiment, same.pop(0) if same else None))
    found += [(None, experiment) for left in waiting.values() for experiment in left]
    return sorted(found, key=lambda pair: next(e.fault for e in pair if e is not None))


def _fault(pair: Pair, runs: tuple[Run, Run]) -> Fault:
    known = next(e for e in pair if e is not None)
    rows: dict[tuple[str, str], list[Figure | None]] = {}
    budgets: dict[tuple[str, str], float | None] = {}
    for side, (experiment, run) in enumerate(zip(pair, runs, strict=True)):
        for kind, what, budget, figure in _figures(experiment, run) if experiment is not None else ():
            rows.setdefault((kind, what), [None, None])[side] = figure
            budgets[kind, what] = budget if budget is not None else budgets.get((kind, what))
    missing = tuple(_missing(experiment) for experiment in pair)
    return Fault(
        fault=known.fault,
        name=known.name,
        title=known.title or known.name,
        verdicts=(pair[0].verdict if pair[0] else None, pair[1].verdict if pair[1] else None),
        rows=[
            Row(
                kind=kind,
                what=what,
                budget_s=budgets[kind, what],
                figures=(one or Figure(missing=missing[0]), other or Figure(missing=missing[1])),
            )
            for (kind, what), (one, other) in sorted(rows.items(), key=lambda item: _KINDS.index(item[0][0]))
        ],
    )


_KINDS = ("outage", "time", "step")


def _missing(experiment: Experiment | None) -> str:
    return "not run" if experiment is None else "not seen"


def _figures(experiment: Experiment, run: Run) -> Iterator[tuple[str, str, float | None, Figure]]:
    if experiment.injected is None:
        return
    for target in experiment.targets:
        if target.budget_s is not None:
            figure = Figure(seconds=target.longest_outage_s, error_s=target.error_bar_s, verdict=target.verdict)
            yield "outage", f"{target.name} out", target.budget_s, figure
    for check in experiment.checks:
        if check.seconds is not None or check.budget_s is not None:
            verdict = check.verdict if check.budget_s is not None else None
            missing = "" if check.seconds is not None else "not seen"
            figure = Figure(seconds=check.seconds, verdict=verdict, missing=missing)
            yield "time", _what(check.message), check.budget_s, figure
    for kind, what, seconds in _steps(experiment, run):
        yield "step", f"{kind}: {what}", None, Figure(seconds=seconds)


def _what(message: str) -> str:
    """Of `another kube-scheduler leads after 3.30 s, budget 5 s` the part without figures."""
    return re.sub(r" after [\d.]+ s.*$", "", message.removeprefix("not seen: "))


def _steps(experiment: Experiment, run: Run) -> list[tuple[str, str, float]]:
    """Who noticed first, who acted first, what was back last; with roles for names."""
    found: dict[tuple[str, str], float] = {}
    for phase in experiment.phases:
        key = phase.kind, _roles(phase.what, run)
        at = found.get(key)
        later = phase.kind == "recovered"
        if at is None or (phase.since_injection_s > at) == later:
            found[key] = phase.since_injection_s
    return [(kind, what, at) for (kind, what), at in sorted(found.items(), key=lambda item: item[1])]


def _roles(what: str, run: Run) -> str:
    for node in run.cluster.nodes:
        what = re.sub(rf"\b(?:node )?{re.escape(node.name)}(?![\w-])", _ROLES.get(node.role, "a node"), what)
    return _POD.sub(lambda found: found[1], what)
