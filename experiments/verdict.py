"""From a trial to its result. What could not be shown to have happened, or to have been measured, is never a pass."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.result import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Check,
    Latency,
    Phase,
    Proof,
    Result,
    Target,
    Window,
    timestamp,
)
from experiments.trial import Injection, Trial
from fixtures.prober.latency import latency, timeline
from fixtures.prober.outage import Interval, Outage, outage, stalls
from fixtures.prober.sample import Header, Sample, SamplesError

logger = logging.getLogger("evenkeel.experiments")

RESOLUTION_S = 0.25  # an error bar up to this is the measurement's own: an outage within it of its budget has met it
ONLY_WATCHED = ("control", "prometheus")


def conclude(trial: Trial, journal: Mapping[str, Any]) -> Result:
    """The result of a finished trial. `journal` is Chaos Toolkit's."""
    text = trial.clock.text
    first = trial.injections[0] if trial.injections else None
    result = Result(
        name=trial.name,
        fault=" + ".join(dict.fromkeys(i.fault.id for i in trial.injections)),
        title=trial.title,
        target=", ".join(str(i.victim) for i in trial.injections),
        driver=trial.scene.cluster.provider if first and first.fault.needs else "any",
        proof=proof(trial.injections),
        started=text(trial.started),
        injected=text(trial.injected),
        proven=text(first.proven if first else None),
        healed=text(trial.healed),
        healthy=text(trial.healthy),
        finished=text(trial.clock.now()),
        checks=list(trial.checks),
    )
    if trial.injected is not None:
        result.phases = phases(trial)
        result.checks += budgeted(trial)
        try:
            result.targets = targets(trial)
        except (OSError, SamplesError) as error:
            trial.troubles.append(f"not measured: {error}")
    result.verdict, result.reason = verdict(trial, result, str(journal.get("status")))
    return result


def verdict(trial: Trial, result: Result, status: str) -> tuple[str, str]:
    """The one verdict, and why."""
    if trial.not_applicable:
        return NOT_APPLICABLE, trial.not_applicable
    if trial.refused:
        return UNKNOWN, "; ".join(trial.refused)
    if trial.injected is None:
        return UNKNOWN, "; ".join(trial.troubles) or f"nothing was injected (Chaos Toolkit says {status})"
    if not result.proof.proven:
        return UNKNOWN, "the fault could not be proven to have happened; " + "; ".join(trial.troubles)
    failed = [explain(t) for t in result.targets if t.verdict == FAIL]
    failed += [f"{c.name}: {c.message}" for c in result.checks if c.verdict == FAIL]
    if trial.healthy is None:
        failed += trial.troubles or ["not healthy again"]
    if failed:
        return FAIL, "; ".join(failed)
    unsure = list(trial.troubles) + [f"{c.name}: {c.message}" for c in result.checks if c.verdict == UNKNOWN]
    unsure += [f"{t.name} was not measured" for t in result.targets if t.verdict == UNKNOWN]
    if status not in ("completed", "None"):
        unsure.append(f"Chaos Toolkit ended it as {status}")
    if unsure or not result.targets:
        return UNKNOWN, "; ".join(unsure) or "nothing was measured"
    worst = max((t for t in result.targets if t.budget_s is not None), key=lambda t: t.longest_outage_s, default=None)
    return PASS, f"within every budget; {explain(worst)}" if worst else "nothing had a budget"


def explain(target: Target) -> str:
    """One target's figures in one sentence."""
    said = f"{target.name}: longest outage {target.longest_outage_s:.2f} s ± {target.error_bar_s:.2f}"
    if target.budget_s is not None:
        said += f", budget {target.budget_s:g} s"
    return f"{said}; {target.failed} of {target.requests} requests failed"


def proof(injections: Sequence[Injection]) -> Proof:
    """All evidence of all injections; proven only when each is."""
    many = len(injections) > 1
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for number, one in enumerate(injections, 1):
        mark = f"{number}: " if many else ""
        before |= {mark + key: value for key, value in one.before.items()}
        after |= {mark + key: value for key, value in one.after.items()}
    return Proof(
        what=", ".join(before),
        before=before,
        after=after,
        proven=bool(injections) and all(i.proven is not None for i in injections),
    )


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
    return [found[key] for key in sorted(found)]


def budgeted(trial: Trial) -> list[Check]:
    """Takeovers, replacements, restarts: times with a budget beside the outages."""
    changes = trial.changes
    checks = []
    for one in trial.injections:
        if one.injected is None:
            continue
        for recovery in one.fault.recoveries(trial.scene, one.victim, changes, one.injected):
            budget = trial.profile.budget(one.fault.id, recovery.name)
            if recovery.seconds is None:
                checks.append(Check(name=recovery.name, verdict=FAIL, message=f"not seen: {recovery.what}"))
            else:
                kept = recovery.seconds <= budget
                said = f"{recovery.what} after {recovery.seconds:.2f} s, budget {budget:g} s"
                checks.append(Check(name=recovery.name, verdict=PASS if kept else FAIL, message=said))
    return checks


def targets(trial: Trial) -> list[Target]:
    """What each target's probes say. Raises `OSError`, `SamplesError` when they can't be read."""
    if trial.prober is None:
        return []
    header, everything = trial.prober.samples()
    begin = header.since_anchor(trial.steady_since or 0.0)
    samples = {name: [s for s in one if s.scheduled > begin] for name, one in everything.items()}
    known = {str(t["name"]): t for t in header.targets}
    own = stalls(samples.values())
    control = _control(samples, known, own)
    fault = trial.injections[0].fault.id
    return [
        _target(
            trial,
            header,
            name,
            samples[name],
            known[name],
            own,
            [] if known[name]["kind"] == "control" else control,
            fault,
        )
        for name in known
    ]


def _control(
    samples: Mapping[str, Sequence[Sample]], known: Mapping[str, Mapping[str, Any]], own: Sequence[Interval]
) -> list[Interval]:
    """When the control target failed: then nothing else's failure counts."""
    return [
        Interval(window.start, window.end)
        for name, target in known.items()
        if target["kind"] == "control"
        for window in outage(samples[name], float(target["interval_s"]), own=own).windows
    ]


def _target(
    trial: Trial,
    header: Header,
    name: str,
    samples: Sequence[Sample],
    target: Mapping[str, Any],
    own: Sequence[Interval],
    control: Sequence[Interval],
    fault: str,
) -> Target:
    interval, kind = float(target["interval_s"]), str(target["kind"])
    injected = header.since_anchor(trial.injected or 0.0)
    healed = header.since_anchor(trial.healed if trial.healed is not None else trial.clock.now())
    found = outage(samples, interval, own=own, control=control)
    budget = None if kind in ONLY_WATCHED else trial.profile.budget(fault, kind)
    return Target(
        name=name,
        kind=kind,
        budget_s=budget,
        verdict=_verdict(found, budget),
        requests=found.requests,
        failed=found.failed,
        longest_outage_s=round(found.longest, 3),
        total_outage_s=round(found.total, 3),
        error_bar_s=round(found.error_bar, 3),
        windows=[
            Window(
                start=trial_time(header, w.start),
                end=trial_time(header, w.end),
                duration_s=round(w.duration, 3),
                error_bar_s=round(w.error_bar, 3),
                failed=w.failed,
            )
            for w in found.windows
        ],
        latency=Latency(
            before=latency(s for s in samples if s.scheduled < injected),
            during=latency(s for s in samples if injected <= s.scheduled < healed),
            after=latency(s for s in samples if s.scheduled >= healed),
        ),
        samples=trial.samples_path.name if trial.settings.run_directory else None,
        timeline=timeline(samples, injected),
    )


def trial_time(header: Header, since_anchor: float) -> str:
    """Seconds since the samples' anchor as run.json has times."""
    return timestamp(header.wall(since_anchor))


def _verdict(found: Outage, budget: float | None) -> str:
    if found.requests == 0:
        return UNKNOWN
    if budget is None:
        return PASS if found.failed == 0 else UNKNOWN
    if found.longest - found.error_bar > budget:
        return FAIL  # surely: even the shortest that it may have been is too long
    if found.error_bar > RESOLUTION_S and found.longest + found.error_bar > budget:
        return UNKNOWN  # the prober slept through too much of it
    return PASS
