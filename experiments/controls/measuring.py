"""The Chaos Toolkit control that measures: prober and observer run from before the method until the experiment ends."""

from __future__ import annotations

import time
from typing import Any

from chaoslib.exceptions import InterruptExecution

from experiments import baseline, targets, trial
from experiments.faults import etcd
from experiments.faults.catalogue import fault as find
from experiments.observer import Observer
from fixtures.prober.config import Config
from fixtures.prober.prober import Prober, ProberError
from fixtures.safety.rest import RestError

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
    this.baseline_s = float(trial.extension(context).get("baseline_s", this.baseline_s))
    if not baseline.found(this):
        this.troubles.append(baseline.missed(this))
        raise InterruptExecution(this.troubles[-1])


def after_method_control(context: dict[str, Any]) -> None:
    """A little more of the healthy cluster, when it is healthy."""
    this = trial.found()
    if this is not None and this.prober is not None and this.healthy is not None:
        time.sleep(float(trial.extension(context).get("afterglow_s", AFTERGLOW_S)))
