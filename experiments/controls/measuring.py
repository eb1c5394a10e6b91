"""The Chaos Toolkit control that measures: prober and observer run from before the method until the experiment ends."""

from __future__ import annotations

import time
from typing import Any

from chaoslib.exceptions import InterruptExecution

from experiments import targets, trial
from experiments.faults import etcd
from experiments.faults.catalogue import fault as find
from experiments.observer import Observer
from experiments.trial import Trial
from fixtures.prober.config import Config
from fixtures.prober.prober import Prober, ProberError
from fixtures.safety.rest import RestError

BASELINE_S = 3.0  # what "before" is made of, unless the experiment says `baseline_s`
PATIENCE_S = 40.0  # how long to wait for it
AFTERGLOW_S = 2.0  # what "after" is made of, beyond being healthy again, unless it says `afterglow_s`


def before_method_control(context: dict[str, Any]) -> None:
    """Start measuring; returns when there is a baseline."""
    this = trial.found()
    if this is None:
        return
    try:
        tls = targets.tls(this.scene.rest)
        faults = [find(one) for one in trial.extension(context).get("faults") or ()]
        if any(one.watches_leaders for one in faults):
            this.raft = (etcd.known(this.scene), None)
        knocked = [*targets.of(this), *(target for one in faults for target in one.probes(this.scene))]
        config = Config(targets=knocked, samples=str(this.samples_path), tls=tls, max_duration_s=1800.0)
        this.prober = Prober(config)
        this.prober.start()
        also = [watched for one in faults for watched in one.watches(this.scene)]
        this.observer = Observer(this.scene, this.scene.deployment().spec.selector, also)
        this.observer.start()
    except (ProberError, RestError, OSError) as error:
        this.troubles.append(f"could not measure: {error}")
        raise InterruptExecution(f"measuring: {error}") from error
    wanted = float(trial.extension(context).get("baseline_s", BASELINE_S))
    if not _baseline(this, wanted):
        why = f"not steady: no {wanted:g} s without a failed probe within {PATIENCE_S:g} s, before any fault"
        this.troubles.append(f"{why} ({_failing(this)})")
        raise InterruptExecution(why)


def _baseline(this: Trial, wanted_s: float) -> bool:
    """Wait for a stretch in which every probe was good: only against that is a failure the fault's."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(0.2)
        began = baseline(this)
        if began is not None and this.clock.now() - began >= wanted_s:
            this.steady_since = began
            return True
    return False


def baseline(this: Trial) -> float | None:
    """Since when (monotonic) every probe was good; None when there are none yet."""
    assert this.prober is not None
    header, samples = this.prober.samples()
    first = min((s.scheduled for one in samples.values() for s in one), default=None)
    if first is None:
        return None
    bad = [s.scheduled for one in samples.values() for s in one if s.outcome.judged and not s.ok]
    return header.monotonic_ns / 1e9 + max([first, *bad])


def _failing(this: Trial) -> str:
    assert this.prober is not None
    _, samples = this.prober.samples()
    counted = {name: sum(s.outcome.judged and not s.ok for s in one) for name, one in samples.items()}
    return ", ".join(f"{name} {count} of {len(samples[name])}" for name, count in counted.items() if count)


def after_method_control(context: dict[str, Any]) -> None:
    """A little more of the healthy cluster, when it is healthy."""
    this = trial.found()
    if this is not None and this.prober is not None and this.healthy is not None:
        time.sleep(float(trial.extension(context).get("afterglow_s", AFTERGLOW_S)))
