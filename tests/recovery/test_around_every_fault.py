"""Controls over all experiments of a run: each fails for its own reason, and none passes on nothing."""

from __future__ import annotations

import pytest

from experiments.checks import acknowledged_writes, audits, coupled_restarts, single_leader
from experiments.measured import Measured
from experiments.result import Check, Result
from fixtures import catalogue, verdict
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import Outcome

OF = {
    "REC-40": audits.NAME,
    "REC-41": acknowledged_writes.NAME,
    "REC-42": single_leader.NAME,
    "REC-46": coupled_restarts.NAME,
}
each = pytest.mark.parametrize(("control", "name"), OF.items())


def experiment(name: str, *checks: Check) -> Measured:
    return Measured(Result(name=name, checks=list(checks)))


def judged(control: str, *experiments: Measured) -> Outcome:
    return verdict.judge(
        catalogue.controls()[control], Snapshot({}, source="live"), {"experiments": lambda: list(experiments)}
    )


@each
def test_it_passes_when_every_experiment_kept_it(control: str, name: str) -> None:
    kept = Check(name=name, verdict="pass", message="kept")
    outcome = judged(control, experiment("pod-kill", kept), experiment("node-drain", kept))
    assert (outcome.verdict, outcome.judged) == ("pass", 2)


@each
def test_it_fails_and_names_the_experiment_that_broke_it(control: str, name: str) -> None:
    kept = Check(name=name, verdict="pass", message="kept")
    broken = Check(name=name, verdict="fail", message="what was wrong")
    outcome = judged(control, experiment("pod-kill", kept), experiment("node-drain", broken))
    assert outcome.verdict == "fail"
    [finding] = outcome.open
    assert finding.object == f"Experiment node-drain, check {name}"
    assert finding.message == "what was wrong"


@each
def test_one_that_could_not_look_makes_it_unknown(control: str, name: str) -> None:
    kept = Check(name=name, verdict="pass", message="kept")
    blind = Check(name=name, verdict="unknown", message="no answer")
    outcome = judged(control, experiment("pod-kill", kept), experiment("node-drain", blind))
    assert outcome.verdict == "unknown"
    assert "no answer" in outcome.reason


@each
def test_without_experiments_it_says_nothing(control: str, name: str) -> None:
    other = Check(name="another", verdict="pass", message="kept")
    assert judged(control).verdict == "not-applicable"
    assert judged(control, experiment("pod-kill", other)).verdict == "not-applicable"
