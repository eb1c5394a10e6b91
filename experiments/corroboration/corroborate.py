"""Ask Prometheus what it saw of a trial. It corroborates; the clock is the prober's."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from experiments.corroboration import agreement, errors, etcd_leader, readiness, targets
from experiments.corroboration.view import View, since
from experiments.result import FAIL, NOT_APPLICABLE, PASS, Check, Corroboration, Statement, Target
from experiments.settings import Settings
from experiments.trial import Trial
from fixtures.clusters.cluster import Cluster
from fixtures.prometheus.client import Prometheus, PrometheusError
from fixtures.prometheus.series import interval, prompt

logger = logging.getLogger("evenkeel.experiments")

NAME = "prometheus-recovery"
LONGEST_S = 75.0  # that is waited for scrapes after the recovery: enough for one every half minute


def address(settings: Settings, cluster: Cluster) -> str:
    """Where Prometheus is: as given by hand, else the provider's; empty when there is none."""
    return settings.prometheus_url or cluster.entrances().prometheus or ""


def corroborate(trial: Trial, measured: Sequence[Target]) -> tuple[Corroboration, list[Check]]:
    """What Prometheus says, and what it comes to. Never raises: a silent Prometheus is said, and fails nothing."""
    url = address(trial.settings, trial.scene.cluster)
    if not url:
        return Corroboration(reason="no Prometheus is known; name one with --prometheus-url"), []
    try:
        prometheus = Prometheus(url)
        statements = _ask(trial, prometheus)
    except PrometheusError as error:
        logger.warning("not corroborated: %s", error)
        said = Check(name=NAME, verdict=NOT_APPLICABLE, message=f"not corroborated: {error}", judged=False)
        return Corroboration(source=_bare(url), reason=str(error)), [said]
    rules = {f"errors of the {rule.name}": rule.target for rule in trial.profile.corroboration.errors}
    healthy = None if trial.healthy is None else trial.healthy - (trial.injected or 0.0)
    checks = [recovery(statements), agreement.judge(statements, rules, measured, healthy)]
    return Corroboration(source=prometheus.address, statements=statements), checks


def recovery(statements: Sequence[Statement]) -> Check:
    """Whether Prometheus too shows everything back. Pure."""
    failed = [f"{one.name}: {one.message}" for one in statements if one.verdict == FAIL]
    passed = [one.name for one in statements if one.verdict == PASS]
    if failed:
        return Check(name=NAME, verdict=FAIL, message="; ".join(failed))
    if passed:
        return Check(name=NAME, verdict=PASS, message=f"back as before: {', '.join(passed)}")
    silent = "; ".join(f"{one.name}: {one.message}" for one in statements)
    return Check(name=NAME, verdict=NOT_APPLICABLE, message=silent, judged=False)


def _ask(trial: Trial, prometheus: Prometheus) -> list[Statement]:
    """Ask when two scrapes of the healthy cluster should be there; again while it shows something not yet back."""
    rules = trial.profile.corroboration
    began = time.monotonic()
    view = _view(trial, prometheus)
    every = interval(view.up) or 0.0
    patience = min(2 * every + rules.patience_s, LONGEST_S)
    if view.healthy is not None:
        time.sleep(min(max(0.0, view.healthy + 2 * every - view.now), LONGEST_S))
    while True:
        view = _view(trial, prometheus)
        statements = [
            *targets.state(view),
            *readiness.state(view),
            *errors.state(view, rules.errors),
            *etcd_leader.state(view),
        ]
        waited = time.monotonic() - began
        if view.healthy is None or waited > patience or not any(one.verdict == FAIL for one in statements):
            return statements
        time.sleep(max(1.0, min(every, 5.0)))


def _view(trial: Trial, prometheus: Prometheus) -> View:
    clock = prometheus.clock()

    def there(monotonic: float) -> float:
        return trial.clock.wall(monotonic) + clock.ahead_s

    injected = trial.injected or 0.0
    steady = there(trial.steady_since if trial.steady_since is not None else injected)
    now = time.time() + clock.ahead_s
    return View(
        prometheus=prometheus,
        injected=there(injected),
        healthy=None if trial.healthy is None else there(trial.healthy),
        now=now,
        steady=steady,
        probed_until=now if trial.probed_until is None else min(now, there(trial.probed_until)),
        up=prompt(since(prometheus, targets.QUERY, steady, now)),
        clock_error_s=clock.error_s,
        namespace=trial.scene.app_namespace,
        app=trial.scene.app_name,
    )


def _bare(url: str) -> str:
    """Without user and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
