"""What Prometheus is believed, how finely, and what happens when it and the prober differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from experiments import runner
from experiments.corroboration import agreement, errors, readiness, targets
from experiments.corroboration.corroborate import recovery
from experiments.corroboration.view import View
from experiments.result import Statement, Target
from experiments.settings import Settings
from fixtures.profiles.profile import ErrorRatio
from fixtures.prometheus.client import Prometheus
from fixtures.prometheus.series import Series

INJECTED, HEALTHY, NOW = 100.0, 112.0, 120.0
RULE = ErrorRatio(name="application", failed="bad", all="every", target="app")


def view(up: Sequence[Series] = ()) -> View:
    """Scraped every second from 90 to 120; injected at 100, healthy at 112."""
    nobody = cast("Prometheus", None)  # pure functions ask nobody
    return View(
        prometheus=nobody,
        injected=INJECTED,
        healthy=HEALTHY,
        now=NOW,
        steady=95.0,
        probed_until=NOW,
        up=up,
        clock_error_s=0.0,
        namespace="reference",
        app="web",
    )


def scraped(value: Callable[[float], float], *, until: float = NOW, since: float = 90.0, **labels: str) -> Series:
    times = [since + n for n in range(int(until - since) + 1)]
    return Series(labels=labels, times=times, values=[value(t) for t in times])


def targets_of(*up: Series) -> Statement:
    [statement] = targets.state(view(up))
    return statement


def test_targets_that_came_back_are_dated_within_two_scrapes() -> None:
    said = targets_of(
        scraped(lambda _: 1, job="etcd", node="master-1"),
        scraped(lambda t: 0 if 103 <= t < 110 else 1, job="etcd", node="master-2"),
    )
    assert (said.verdict, said.lost_s, said.back_s, said.resolution_s) == ("pass", 3.0, 10.0, 2.0)
    assert "1 of 2 were down (etcd master-2)" in said.message


def test_a_target_still_down_is_no_recovery() -> None:
    said = targets_of(scraped(lambda t: 1 if t < 103 else 0, job="kubelet", node="worker-1"))
    assert (said.verdict, said.back_s) == ("fail", None)
    assert "kubelet 0 of 1" in said.message


def test_a_replaced_target_of_the_same_job_is_a_recovery() -> None:
    said = targets_of(
        scraped(lambda _: 1, job="app", pod="old", until=104),
        scraped(lambda _: 1, job="app", pod="new", since=108),
    )
    assert said.verdict == "pass"


def test_a_target_that_was_down_before_is_not_waited_for() -> None:
    said = targets_of(scraped(lambda _: 0, job="broken"), scraped(lambda _: 1, job="etcd"))
    assert said.verdict == "pass"


def test_a_prometheus_that_began_after_the_fault_can_not_compare() -> None:
    assert targets_of(scraped(lambda _: 1, since=105, job="etcd")).verdict == "unknown"


def test_one_late_scrape_is_no_loss() -> None:
    assert targets_of(scraped(lambda t: 0 if t == NOW else 1, job="apiserver")).verdict == "pass"


def test_without_samples_nothing_is_said() -> None:
    assert targets_of().verdict == "unknown"


def ready(**of: Callable[[float], float]) -> Statement:
    """Pods by name with their counters of good probes."""
    return readiness.probes(view(), "probes", [scraped(value, pod=pod) for pod, value in of.items()])


def test_readiness_is_lost_with_a_pods_probes_and_back_with_its_replacements() -> None:
    said = readiness.probes(
        view(),
        "probes",
        [
            scraped(lambda t: t, pod="a"),
            scraped(lambda t: t, pod="b", until=101),
            scraped(lambda t: t - 107, pod="c", since=108),
        ],
    )
    assert said.verdict == "pass"
    assert said.lost_s is not None
    assert said.back_s is not None
    assert 1 <= said.lost_s <= 1 + 5 + 1
    assert 7 <= said.back_s <= 10


def test_a_pod_that_does_not_come_back_is_no_recovery() -> None:
    assert ready(a=lambda t: t, b=lambda t: min(t, 101)).verdict == "fail"


def test_no_readiness_exported_is_not_applicable() -> None:
    assert readiness.probes(view(), "probes", []).verdict == "not-applicable"


def errors_of(failed: Callable[[float], float], lately: float = 200) -> Statement:
    return errors.judge(view([]), RULE, 1.0, 5.0, [scraped(failed)], everything=800, lately=lately)


def test_failures_during_the_fault_only_are_back_under_the_threshold() -> None:
    said = errors_of(lambda t: 7 if t < 102 else 30)
    assert (said.verdict, said.lost_s, said.back_s) == ("pass", 2.0, 2.0)
    assert "23 of 800 requests failed" in said.message


def test_failures_that_go_on_are_no_recovery() -> None:
    assert errors_of(lambda t: max(0, t - 101)).verdict == "fail"


def test_a_few_failures_under_the_threshold_are_allowed() -> None:
    assert errors_of(lambda t: 1 if t >= 118 else 0).verdict == "pass"


def test_no_request_is_no_share() -> None:
    assert errors_of(lambda _: 0, lately=0).verdict == "unknown"


def statement(**fields: Any) -> Statement:
    return Statement(**{"name": "errors of the application", "query": "q", "verdict": "pass", "message": "m"} | fields)


def app(longest: float, failed: int) -> Target:
    return Target(
        name="app",
        kind="app",
        budget_s=1,
        verdict="pass",
        requests=900,
        failed=failed,
        longest_outage_s=longest,
        error_bar_s=0.05,
    )


def agreed(said: Statement, probed: Target, healthy: float | None = 12.0) -> Any:
    return agreement.judge([said], {"errors of the application": "app"}, [probed], healthy)


def test_an_outage_that_prometheus_did_not_see_is_reported_with_both_figures() -> None:
    check = agreed(statement(resolution_s=2.0, message="0 of 800 requests failed"), app(3.2, 64))
    assert (check.verdict, check.judged) == ("unknown", False)
    assert "64 of 900 probes failed, longest outage 3.20 s" in check.message
    assert "0 of 800 requests failed" in check.message


def test_an_outage_finer_than_prometheus_can_tell_contradicts_nothing() -> None:
    assert agreed(statement(resolution_s=2.0), app(1.9, 38)).verdict == "pass"


def test_failures_that_no_probe_met_are_reported() -> None:
    check = agreed(statement(resolution_s=2.0, lost_s=3.0, message="9 of 800 requests failed"), app(0, 0))
    assert check.verdict == "unknown"
    assert "0 of 900 probes failed" in check.message


def test_a_recovery_later_than_the_api_said_is_reported() -> None:
    check = agreement.judge([statement(name="readiness", back_s=20.0, lost_s=1.0, resolution_s=2.0)], {}, [], 12.0)
    assert check.verdict == "unknown"
    assert "+12.0 s" in check.message
    assert "+20.0 s ± 2.0" in check.message


def test_what_is_not_back_fails_and_what_could_not_be_asked_does_not() -> None:
    assert recovery([statement(verdict="fail"), statement()]).verdict == "fail"
    assert recovery([statement(verdict="unknown"), statement()]).verdict == "pass"
    unsure = recovery([statement(verdict="unknown")])
    assert (unsure.verdict, unsure.judged) == ("not-applicable", False)


def test_a_silent_prometheus_is_said_and_fails_nothing(settings: Settings) -> None:
    result = runner.run("pod-kill", msgspec.structs.replace(settings, prometheus_url="http://127.0.0.1:1"))
    assert "rometheus" not in result.reason
    assert "no answer from http://127.0.0.1:1" in result.corroboration.reason
    [said] = [check for check in result.checks if check.name == "prometheus-recovery"]
    assert (said.verdict, said.judged) == ("not-applicable", False)
