"""The Chaos Toolkit control that measures: prober and observer run from before the method until the experiment ends."""

from __future__ import annotations

import time
from typing import Any

from chaoslib.exceptions import InterruptExecution

from experiments import targets, trial
from experiments.observer import Observer
from fixtures.prober.config import Config
from fixtures.prober.prober import Prober, ProberError
from fixtures.safety.rest import RestError

BASELINE_S = 3.0  # what "before" is made of
AFTERGLOW_S = 2.0  # what "after" is made of, beyond being healthy again


def before_method_control(context: dict[str, Any]) -> None:
    """Start measuring; returns when there is a baseline."""
    this = trial.found()
    if this is None:
        return
    try:
        tls = targets.tls(this.scene.rest)
        config = Config(targets=targets.of(this), samples=str(this.samples_path), tls=tls, max_duration_s=1800.0)
        this.prober = Prober(config)
        this.prober.start()
        this.observer = Observer(this.scene, this.scene.deployment().spec.selector)
        this.observer.start()
    except (ProberError, RestError, OSError) as error:
        this.troubles.append(f"could not measure: {error}")
        raise InterruptExecution(f"measuring: {error}") from error
    time.sleep(BASELINE_S)


def after_method_control(context: dict[str, Any]) -> None:
    """A little more of the healthy cluster, when it is healthy."""
    this = trial.found()
    if this is not None and this.prober is not None and this.healthy is not None:
        time.sleep(AFTERGLOW_S)
