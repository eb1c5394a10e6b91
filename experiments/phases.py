"""The steps of a recovery: who noticed, who acted, what works again."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.result import Phase, Target, unix
from experiments.trial import Trial


def phases(trial: Trial) -> list[Phase]:
    """Who noticed, who acted, what worked again: of every injection, in order of time."""
    changes = trial.changes
    found: dict[tuple[float, str], Phase] = {}
    for one in trial.injections:
        if one.injected is None:
            continue
        for step in one.fault.steps(trial.scene, one.victim, changes, one.injected):
            found[step.at, step.what] = Phase(
                kind=step.kind,
                at=trial.clock.text(step.at) or "",
                since_injection_s=round(step.at - (trial.injected or one.injected), 3),
                what=step.what,
            )
    return sorted(found.values(), key=by_time)


def answering_again(trial: Trial, measured: Sequence[Target]) -> list[Phase]:
    """The end of each target's longest outage, if it had one."""
    zero = trial.clock.wall(trial.injected or 0.0)
    found = []
    for target in measured:
        longest = max(target.windows, key=lambda w: w.duration_s, default=None)
        if longest is not None:
            since = round(unix(longest.end) - zero, 3)
            found.append(
                Phase(kind="recovered", at=longest.end, since_injection_s=since, what=f"{target.name} answers again")
            )
    return found


ORDER = ("detected", "acted", "recovered")


def by_time(phase: Phase) -> tuple[float, int]:
    """To sort by: what one look showed together is in the order it must have happened in."""
    return phase.since_injection_s, ORDER.index(phase.kind)
