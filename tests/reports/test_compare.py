"""Two runs side by side: matched fault by fault, and nothing said that is in neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports import compared, runs
from reports.cli import app
from reports.comparison import Comparison, compare
from reports.model import Check, Cluster, Experiment, Node, Phase, Profile, Run, State, Target, Verdict

AT = "2026-01-31T09:30:00.000Z"


def run(timings: str, *experiments: Experiment) -> Run:
    nodes = [Node(name="master-1", role="control-plane"), Node(name="worker-2", role="worker")]
    return Run(
        id=f"20260131T093000Z-{timings[:4]}",
        state=State.FINISHED,
        started=AT,
        cluster=Cluster(name="lab", nodes=nodes),
        profile=Profile(name="lab", values={"recovery_budget_s": 5.0}),
        timings=timings,
        experiments=list(experiments),
    )


def master(out: float, takeover: float | None, verdict: Verdict) -> Experiment:
    told = f"another kube-scheduler leads after {takeover:.2f} s, budget 5 s" if takeover else ""
    kept = Verdict.PASS if takeover is not None and takeover <= 5 else Verdict.FAIL
    return Experiment(
        name="master-power-cut",
        fault="F-10",
        title="A master loses power",
        verdict=verdict,
        injected=AT,
        targets=[
            Target(
                name="api-write",
                kind="api-write",
                budget_s=4,
                verdict=Verdict.PASS if out <= 4 else Verdict.FAIL,
                longest_outage_s=out,
                error_bar_s=0.05,
            )
        ],
        checks=[
            Check(
                name="takeover",
                verdict=kept,
                message=told or "not seen: another kube-scheduler leads",
                seconds=takeover,
                budget_s=5,
            ),
            Check(name="acknowledged-writes", verdict=Verdict.PASS, message="all there"),
        ],
        phases=[
            Phase(kind="detected", at=AT, since_injection_s=out, what="node master-1 is not Ready"),
            Phase(kind="acted", at=AT, since_injection_s=out + 1, what="kube-scheduler on worker-2 took over"),
        ],
    )


def both(slow: Experiment, fast: Experiment) -> Comparison:
    return compare(run("default", slow), run("fast", fast))


def test_missed_budgets_are_told_with_by_how_much() -> None:
    found = both(master(3.0, 16.2, Verdict.FAIL), master(2.2, 3.3, Verdict.PASS))
    assert compared.summary(found, 0) == (
        "default misses 1 of 2 budgets: F-10 another kube-scheduler leads (16.2 s, by 11.2 s)."
    )
    assert compared.summary(found, 1) == "fast meets all of its 2 budgets."


def test_what_did_not_happen_at_all_is_missed_too() -> None:
    found = both(master(3.0, None, Verdict.FAIL), master(2.2, 3.3, Verdict.PASS))
    assert "F-10 another kube-scheduler leads (not seen)" in compared.summary(found, 0)
    [row] = [row for row in found.faults[0].rows if row.kind == "time"]
    assert row.figures[1].seconds == 3.3


def test_steps_are_matched_by_role_because_names_differ() -> None:
    found = both(master(3.0, 16.2, Verdict.FAIL), master(2.2, 3.3, Verdict.PASS))
    steps = {row.what: [f.seconds for f in row.figures] for row in found.faults[0].rows if row.kind == "step"}
    assert steps == {
        "detected: a master is not Ready": [3.0, 2.2],
        "acted: kube-scheduler on a worker took over": [4.0, 3.2],
    }


def test_times_beyond_the_recovery_budget_are_listed_whatever_was_allowed() -> None:
    found = both(master(6.0, 16.2, Verdict.FAIL), master(2.2, 3.3, Verdict.PASS))
    assert {row.what for _, row in found.beyond()} == {
        "api-write out",
        "another kube-scheduler leads",
        "detected: a master is not Ready",
        "acted: kube-scheduler on a worker took over",
    }


def test_a_fault_of_one_run_only_is_not_run_in_the_other() -> None:
    found = compare(run("default", master(3.0, 16.2, Verdict.FAIL)), run("fast"))
    assert found.faults[0].verdicts == (Verdict.FAIL, None)
    assert all(row.figures[1].missing == "not run" for row in found.faults[0].rows)


def test_the_same_fault_twice_is_matched_in_order() -> None:
    slow = [master(1.0, 2.0, Verdict.PASS), master(3.0, 4.0, Verdict.PASS)]
    fast = [master(0.1, 0.2, Verdict.PASS), master(0.3, 0.4, Verdict.PASS)]
    found = compare(run("default", *slow), run("fast", *fast))
    outages = [[f.seconds for f in fault.rows[0].figures] for fault in found.faults]
    assert outages == [[1.0, 0.1], [3.0, 0.3]]


def test_an_experiment_in_which_nothing_was_injected_has_no_figures() -> None:
    refused = Experiment(name="master-power-cut", fault="F-10", verdict=Verdict.UNKNOWN, reason="refused")
    found = both(refused, master(2.2, 3.3, Verdict.PASS))
    assert all(row.figures[0].seconds is None for row in found.faults[0].rows)


@pytest.fixture
def directories(tmp_path: Path) -> list[str]:
    made = []
    for timings, experiment in (
        ("default", master(3.0, 16.2, Verdict.FAIL)),
        ("fast", master(2.2, 3.3, Verdict.PASS)),
    ):
        directory = tmp_path / timings
        directory.mkdir()
        runs.write_run(run(timings, experiment), directory)
        made.append(str(directory))
    return made


def test_the_command_prints_a_table_for_people(directories: list[str]) -> None:
    done = CliRunner().invoke(app, ["compare", *directories])
    assert done.exit_code == 0, done.output
    line = next(line for line in done.output.splitlines() if line.strip().startswith("api-write out"))
    assert line.split() == ["api-write", "out", "4", "s", "3", "s", "±", "50", "ms", "2.2", "s", "±", "50", "ms"]


def test_the_command_prints_markdown_with_what_was_missed_in_bold(directories: list[str]) -> None:
    done = CliRunner().invoke(app, ["compare", *directories, "--output", "markdown"])
    assert "| another kube-scheduler leads | 5 s | **16.2 s** | 3.3 s |" in done.output.replace("&#45;", "-")


def test_the_command_prints_json_and_nothing_else(directories: list[str]) -> None:
    done = CliRunner().invoke(app, ["compare", *directories, "-o", "json"])
    said = json.loads(done.output)
    assert said["labels"] == ["default", "fast"]
    assert said["faults"][0]["rows"][0]["figures"][0]["seconds"] == 3.0


def test_runs_without_faults_can_not_be_compared(tmp_path: Path) -> None:
    runs.write_run(run("fast"), tmp_path)
    done = CliRunner().invoke(app, ["compare", str(tmp_path), str(tmp_path)])
    assert done.exit_code == 4
    assert "--allow-disruption" in done.output


def test_an_unknown_format_is_refused(directories: list[str]) -> None:
    assert CliRunner().invoke(app, ["compare", *directories, "-o", "xml"]).exit_code == 4
