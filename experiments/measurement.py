"""What the prober's samples say about each target during one trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.result import FAIL, PASS, UNKNOWN, Latency, Target, Window, timestamp
from experiments.trial import Trial
from fixtures.prober.latency import latency, timeline
from fixtures.prober.outage import Interval, Outage, outage, stalls
from fixtures.prober.sample import Header, Sample

RESOLUTION_S = 0.25  # an error bar up to this is the measurement's own: an outage within it of its budget has met it
ONLY_WATCHED = ("control", "prometheus")


def explain(target: Target) -> str:
    """One target's figures in one sentence."""
    said = f"{target.name}: longest outage {target.longest_outage_s:.2f} s ± {target.error_bar_s:.2f}"
    if target.budget_s is not None:
        said += f", budget {target.budget_s:g} s"
    return f"{said}; {target.failed} of {target.requests} requests failed"


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
    budget = None if kind in ONLY_WATCHED or kind in trial.stops else trial.profile.budget(fault, kind)
    return Target(
        name=name,
        kind=kind,
        budget_s=budget,
        verdict=PASS if found.requests and kind in trial.stops else _verdict(found, budget),
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
