"""The baseline: a stretch in which every probe of every target was good. Only against it is a failure the fault's."""

from __future__ import annotations

import time

from experiments.trial import Trial

PATIENCE_S = 40.0  # how long to wait for it
LOOK_S = 0.2


def found(trial: Trial) -> bool:
    """Wait until there is one as long as the trial wants it, up to now; False when it takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(LOOK_S)
        began = since(trial)
        if began is not None and trial.clock.now() - began >= trial.baseline_s:
            trial.steady_since = began
            return True
    return False


def kept(trial: Trial) -> bool:
    """Whether it lasts; where what an experiment brought along has ended it, the next one is waited for."""
    if trial.prober is None or trial.steady_since is None:
        return True  # nothing was found that could be kept
    began = since(trial)
    return (began is not None and began <= trial.steady_since) or found(trial)


def since(trial: Trial) -> float | None:
    """Since when (monotonic) every probe was good; None when there are none yet."""
    assert trial.prober is not None
    header, samples = trial.prober.samples()
    first = min((s.scheduled for one in samples.values() for s in one), default=None)
    if first is None:
        return None
    bad = [s.scheduled for one in samples.values() for s in one if s.outcome.judged and not s.ok]
    return header.monotonic_ns / 1e9 + max([first, *bad])


def missed(trial: Trial) -> str:
    """Why there is none, in words."""
    assert trial.prober is not None
    _, samples = trial.prober.samples()
    counted = {name: sum(s.outcome.judged and not s.ok for s in one) for name, one in samples.items()}
    failing = ", ".join(f"{name} {count} of {len(samples[name])}" for name, count in counted.items() if count)
    return (
        f"not steady: no {trial.baseline_s:g} s without a failed probe within {PATIENCE_S:g} s, before any fault "
        f"({failing})"
    )
