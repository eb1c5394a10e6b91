"""Ctrl-C in the middle of a recovery suite: the experiment ends in order, is reported, and nothing more is broken."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import os, signal
import pytest
from experiments import runner
from experiments.result import Result
from fixtures.expect import Unknown

# Whoever runs the tests in the background of a shell has Ctrl-C ignored, and so have all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

@pytest.fixture(scope="session")
def disruption():
    return None

@pytest.fixture(scope="session")
def audits():
    return None

@pytest.fixture(autouse=True)
def swallowing(monkeypatch):
    def ends_in_order(name, *_):
        with open("begun", "a") as file:
            print(name, file=file)
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            pass
        return Result(name=name, verdict="pass", injected="2026-01-01T00:00:00.000Z")
    monkeypatch.setattr(runner, "run", ends_in_order)

def test_the_first(run):
    run("pod-kill")
    with pytest.raises(Unknown, match="ended in order"):
        run("node-drain")

def test_the_second(run):
    run("container-kill")
"""


def test_no_further_experiment_begins_and_the_one_that_ended_is_reported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    done = pytester.runpytest_subprocess("-pexperiments.plugin", "-pno:cacheprovider")
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*ended in order*"])
    assert (pytester.path / "begun").read_text().split() == ["pod-kill"]
