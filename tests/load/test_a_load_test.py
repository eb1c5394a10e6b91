"""A load test from preflight to an empty cluster, against a simulated one."""

from __future__ import annotations

import contextlib
import functools

import psutil
import pytest

from experiments.loads import runner
from experiments.loads.result import explain
from experiments.loads.stage import Stage
from experiments.runner import leave
from experiments.settings import Settings
from fixtures.safety import ground
from tests.load.simulated import SimulatedCluster
from tests.prober.local_server import LocalServer

SHARED = f"/api/v1/namespaces/{ground.NAMESPACE}"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a second at the most: the simulated cluster has nothing to settle."""
    import time

    real = time.sleep
    for module in ("manual_scaling", "rolling_update", "apart", "twice_the_pods"):
        monkeypatch.setattr(f"experiments.loads.plays.{module}.time.sleep", lambda s: real(min(s, 1.2)))


def left(simulated: SimulatedCluster) -> list[str]:
    return [p for p in simulated.objects if "evenkeel-load-" in p or "/evenkeel/" in p]


def locusts() -> list[psutil.Process]:
    """What this process started and didn't end."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile, or nobody has collected it
            if "locust" in " ".join(process.cmdline()):
                found.append(process)
    return found


@pytest.mark.parametrize("name", ["manual-scaling", "rolling-update", "apart"])
def test_a_play_is_judged_and_leaves_nothing(
    name: str, simulated: SimulatedCluster, service: LocalServer, settings: Settings
) -> None:
    result = runner.run(name, settings)
    assert result.figures, result.reason
    for figure in result.figures:
        if figure.name.endswith("errors"):
            assert figure.verdict == "pass", explain(figure)
    assert left(simulated) == []
    assert locusts() == []
    assert result.series[0].points
    assert result.moments[0].kind == "load"


def test_load_tests_of_a_run_share_a_namespace_and_leave_none(
    simulated: SimulatedCluster, service: LocalServer, settings: Settings
) -> None:
    runner.run("manual-scaling", settings)
    assert SHARED in simulated.objects
    leave(settings)
    assert SHARED not in simulated.objects


def test_lost_requests_fail_it(simulated: SimulatedCluster, service: LocalServer, settings: Settings) -> None:
    def breaking(method: str, path: str) -> None:
        service.mood = "bad" if path.endswith("/scale") else service.mood

    answer = simulated._answer
    simulated._answer = lambda m, p, q, b: (breaking(m, p), answer(m, p, q, b))[1]  # type: ignore[method-assign,func-returns-value]
    result = runner.run("manual-scaling", settings)
    assert result.verdict in ("fail", "unknown")
    errors = next(f for f in result.figures if f.name == "errors")
    assert errors.verdict == "fail"
    assert "503" in errors.why


def test_without_a_way_in_it_does_not_apply(simulated: SimulatedCluster, settings: Settings) -> None:
    result = runner.run("manual-scaling", settings)
    assert result.verdict == "not-applicable"
    assert simulated.changed == []


def test_without_a_needed_right_nothing_is_changed(
    simulated: SimulatedCluster, service: LocalServer, settings: Settings
) -> None:
    simulated.forbidden = {"create namespaces"}
    result = runner.run("manual-scaling", settings)
    assert result.verdict == "unknown"
    assert "may not create namespaces" in result.reason
    assert simulated.changed == []


def test_a_play_that_never_gets_its_pods_is_unknown_and_leaves_nothing(
    simulated: SimulatedCluster, service: LocalServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulated, "_reconcile", lambda path: None)
    monkeypatch.setattr(Stage, "wait_ready", functools.partialmethod(Stage.wait_ready, within_s=2.0))
    result = runner.run("manual-scaling", settings)
    assert result.verdict == "unknown"
    assert "waited 2 s in vain until" in result.reason
    assert left(simulated) == []


def test_unknown_names_are_answered_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(runner.UsageError, match="manual-scaling"):
        runner.run("manual", settings)
    with pytest.raises(runner.UsageError, match="graceful, careless"):
        runner.run("ELA-05", settings, "careful")
