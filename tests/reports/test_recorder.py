"""The recorder keeps a true run.json through everything that can happen to a run: crashes, kills, nonsense."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from reports import runs
from reports.model import Run, State, Verdict

pytest_plugins = ["pytester"]

PLUGINS = ("-p", "no:locust", "-p", "reports.recorder")  # locust's would patch this very process
OPTIONS = """
    import pytest

    def pytest_addoption(parser):
        parser.addoption("--run-dir")
        parser.addoption("--timings")
        parser.addoption("--strict-verdicts", action="store_true")

    def pytest_configure(config):
        config.addinivalue_line("markers", "control(id)")
        config.evenkeel_header = {
            "cluster": {"name": "toy", "provider": "lab", "nodes": [{"name": "master-1", "role": "control-plane"}]},
            "profile": {"name": "lab", "values": {"min_replicas": 2}},
        }
"""

CONTROL = """
    import os, types, pytest

    def control(id):
        def mark(test):
            test.evenkeel_control = types.SimpleNamespace(
                title="A claim", layer="application", severity="high", remedy="mend it", source="S0-31")
            return pytest.mark.control(id)(test)
        return mark

    def say(record_property, verdict, id, **more):
        record_property("evenkeel.control", {"id": id, "title": "A claim", "layer": "application",
                                             "severity": "high", "verdict": verdict, **more})
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "20260131T093000Z-4f1c"


@pytest.fixture
def suite(pytester: pytest.Pytester, directory: Path):
    """Run a toy suite with the recorder; gives pytest's result and the run that was recorded."""

    def run(tests: str, *options: str, own_process: bool = False) -> tuple[pytest.RunResult, Run]:
        pytester.makeconftest(OPTIONS)
        pytester.makepyfile(test_suite=CONTROL + tests)
        runner = pytester.runpytest_subprocess if own_process else pytester.runpytest_inprocess
        result = runner(*PLUGINS, "--run-dir", str(directory), *options)
        return result, runs.read_run(directory / "run.json")

    return run


def verdicts(run: Run) -> dict[str, str]:
    return {c.id: c.verdict.value for c in run.controls}


def reason(run: Run, id_: str) -> str:
    return next(c.reason for c in run.controls if c.id == id_)


def test_what_controls_say_is_recorded(suite) -> None:
    result, run = suite("""
    @control("APP-01")
    def test_replicas(record_property):
        say(record_property, "fail", "APP-01", findings=[
            {"object": "Deployment shop/cart", "path": "spec.replicas", "value": 1, "message": "1 replica"}])
        assert False

    @control("APP-02")
    def test_probes(record_property):
        say(record_property, "pass", "APP-02")
    """)
    assert verdicts(run) == {"APP-01": "fail", "APP-02": "pass"}
    assert run.controls[0].findings[0].object == "Deployment shop/cart"
    assert run.state is State.FINISHED
    assert run.finished is not None
    assert (run.summary.verdict, run.summary.exit_code, result.ret) == (Verdict.FAIL, 1, 1)
    assert (run.cluster.name, run.profile.values) == ("toy", {"min_replicas": 2})


def test_the_options_that_matter_to_a_reader_are_recorded(suite) -> None:
    _, run = suite("def test_nothing(): ...", "--timings=fast", "--strict-verdicts")
    assert (run.timings, run.strict) == ("fast", True)


def test_every_format_is_written_and_the_page_is_named(suite, directory: Path) -> None:
    result, _ = suite("""
    @control("APP-01")
    def test_replicas(record_property):
        say(record_property, "pass", "APP-01")
    """)
    for name in ("report.html", "junit.xml", "summary.md"):
        assert (directory / name).stat().st_size > 0
    assert list((directory / "allure-results").glob("*-result.json"))
    result.stdout.fnmatch_lines([f"report: {directory / 'report.html'}"])
    assert (directory.parent / "latest").resolve() == directory


def test_a_crash_is_unknown_and_an_assertion_is_a_failure(suite) -> None:
    _, run = suite("""
    @pytest.fixture
    def snapshot():
        raise ConnectionError("no route to the cluster")

    @control("APP-01")
    def test_setup_crashes(snapshot): ...

    @control("APP-02")
    def test_crashes():
        raise KeyError("spec")

    @control("APP-03")
    def test_asserts():
        outage = 6.2
        assert outage <= 5, "out for 6.2 s"

    @control("APP-04")
    def test_skips():
        pytest.skip("needs node-power")

    @control("APP-05")
    def test_passes():
        assert True
    """)
    assert verdicts(run) == {
        "APP-01": "unknown",
        "APP-02": "unknown",
        "APP-03": "fail",
        "APP-04": "unknown",
        "APP-05": "pass",
    }
    assert reason(run, "APP-01") == "ConnectionError: no route to the cluster"
    assert "out for 6.2 s" in reason(run, "APP-03")
    assert reason(run, "APP-04") == "needs node-power"
    assert run.controls[0].layer == "application"
    assert run.controls[0].remedy == "mend it"


def test_a_killed_run_still_has_a_report(suite, directory: Path) -> None:
    result, run = suite(
        """
    @control("APP-01")
    def test_replicas(record_property):
        say(record_property, "pass", "APP-01")

    @control("APP-02")
    def test_is_killed():
        os.kill(os.getpid(), 9)

    @control("APP-03")
    def test_never_runs(): ...
    """,
        own_process=True,
    )
    assert result.ret == -signal.SIGKILL
    assert run.state is State.RUNNING
    assert run.summary.verdict is Verdict.UNKNOWN
    assert verdicts(run) == {"APP-01": "pass", "APP-02": "unknown", "APP-03": "unknown"}
    assert "not judged" in reason(run, "APP-03")
    assert [p.name for p in directory.iterdir()] == ["run.json"]


def test_an_interrupted_run_says_so_and_is_rendered(suite, directory: Path) -> None:
    result, run = suite(
        """
    @control("APP-01")
    def test_interrupts():
        raise KeyboardInterrupt

    @control("APP-02")
    def test_never_runs(): ...
    """,
        own_process=True,
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert run.state is State.INTERRUPTED
    assert verdicts(run) == {"APP-01": "unknown", "APP-02": "unknown"}
    assert (directory / "report.html").is_file()


def test_a_run_stopped_at_the_first_failure_is_not_called_finished(suite) -> None:
    _, run = suite(
        """
    @control("APP-01")
    def test_fails():
        assert False

    @control("APP-02")
    def test_never_runs(): ...
    """,
        "-x",
    )
    assert run.state is State.INTERRUPTED
    assert run.summary.verdict is Verdict.FAIL


def test_nonsense_is_unknown_and_complained_about(suite) -> None:
    result, run = suite("""
    @control("APP-01")
    def test_nonsense(record_property):
        say(record_property, "certainly", "APP-01")

    def test_experiment(record_property):
        record_property("evenkeel.experiment", {"name": "pod-kill", "verdict": "pass", "targets": "many"})
    """)
    assert verdicts(run) == {"APP-01": "unknown"}
    assert run.experiments[0].verdict is Verdict.UNKNOWN
    result.stdout.fnmatch_lines(
        ["report: APP-01: the result does not fit*", "report: pod-kill: the result does not fit*"]
    )


def test_an_experiment_that_two_tests_judge_is_recorded_once(suite) -> None:
    _, run = suite("""
    measured = {"name": "pod-kill", "fault": "F-01", "verdict": "pass", "started": "2026-01-31T09:30:00.000Z"}

    @pytest.mark.parametrize("n", [1, 2])
    def test_experiment(record_property, n):
        record_property("evenkeel.experiment", measured)
    """)
    assert [e.name for e in run.experiments] == ["pod-kill"]


def test_nothing_is_written_without_a_run_directory(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(OPTIONS)
    pytester.makepyfile("def test_nothing(): ...")
    result = pytester.runpytest_inprocess(*PLUGINS)
    assert result.ret == 0
    assert not list(pytester.path.rglob("run.json"))
    result.stdout.no_fnmatch_line("report:*")


def test_collecting_only_writes_nothing(pytester: pytest.Pytester, directory: Path) -> None:
    pytester.makeconftest(OPTIONS)
    pytester.makepyfile("def test_nothing(): ...")
    pytester.runpytest_inprocess(*PLUGINS, "--run-dir", str(directory), "--collect-only")
    assert not directory.exists()


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/version").exists(), reason="needs /proc")
def test_a_directory_that_cannot_be_made_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(OPTIONS)
    pytester.makepyfile("def test_nothing(): ...")
    result = pytester.runpytest_inprocess(*PLUGINS, "--run-dir", "/proc/version/run")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--run-dir /proc/version/run: Not a directory*"])
