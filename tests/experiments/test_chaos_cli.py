"""`evenkeel chaos`: one clear line and the right exit code for everything that may be typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from experiments.cli import app
from fixtures.safety.journal import Journal
from fixtures.safety.state import journal_path
from fixtures.safety.undo import way_back
from tests.experiments.fake_api import FakeApi
from tests.safety.breakables import remove, remove_when_open


@pytest.fixture
def fake(api: FakeApi, state: Path, quick: Path, tmp_path: Path) -> list[str]:
    """Options that lead to the simulated cluster."""
    return [
        *("--kubeconfig", str(api.kubeconfig(tmp_path))),
        *("--context", "fake"),
        *("--profile", "lab"),
        *("--app-url", f"{api.url}/healthz"),
    ]


def chaos(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_list_names_every_experiment_its_fault_and_its_targets() -> None:
    said = chaos("list")
    assert said.exit_code == 0
    assert "F-10" in said.stdout
    assert "master-power-cut" in said.stdout
    assert "needs node-power" in said.stdout
    rows = json.loads(chaos("list", "--output", "json").stdout)
    assert {"F-01", "F-10", "F-11", "F-12"} <= {row["fault"] for row in rows}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "F-99"], "no experiment 'F-99'"),
        (["run", "master-powercut"], "master-power-cut"),
        (["run", "F-01", "--output", "xml"], "text or json"),
        (["run", "F-01", "--kubeconfig", "/nowhere"], "/nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(state: Path, arguments: list[str], said: str) -> None:
    result = chaos(*arguments)
    assert result.exit_code == 4
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (state / "undo").exists()


def test_without_allow_disruption_nothing_is_changed_and_the_exit_code_is_4(api: FakeApi, fake: list[str]) -> None:
    result = chaos("run", "F-01", *fake)
    assert result.exit_code == 4
    assert "--allow-disruption" in result.stderr
    assert api.changed == []


def test_an_unknown_target_is_refused_with_those_there_are(fake: list[str]) -> None:
    result = chaos("run", "F-01", *fake, "--target", "nobody", "--allow-disruption")
    assert result.exit_code == 4
    assert "kill" in result.stderr
    assert "delete" in result.stderr


def test_a_dry_run_says_what_would_be_done_to_which_object(api: FakeApi, fake: list[str]) -> None:
    result = chaos("run", "F-01", *fake, "--dry-run")
    assert result.exit_code == 0
    assert "would kill a pod: Pod reference/web-0" in result.stdout
    assert api.changed == []


def test_json_output_is_the_experiments_of_run_json_and_nothing_else(api: FakeApi, fake: list[str]) -> None:
    result = chaos("run", "F-01", *fake, "--allow-disruption", "--output", "json")
    assert result.exit_code == 0, result.stderr
    [experiment] = json.loads(result.stdout)
    assert (experiment["fault"], experiment["verdict"]) == ("F-01", "pass")
    assert "/api/v1/namespaces/evenkeel" not in api.objects, "the run's own namespace is removed behind it"


def test_a_missed_budget_is_exit_code_1(api: FakeApi, fake: list[str]) -> None:
    api.app_outage_s = 1.0
    assert chaos("run", "F-01", *fake, "--allow-disruption").exit_code == 1


def test_what_could_not_be_judged_is_exit_code_5(api: FakeApi, fake: list[str]) -> None:
    result = chaos("run", "F-10", *fake, "--allow-disruption")
    assert result.exit_code == 5
    assert "NOT-APPLICABLE" in result.stdout


def test_heal_undoes_what_dead_runs_left(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "broken"
    victim.write_text("broken")
    Journal(journal_path("dead")).record("F-00", way_back(remove, "mend the victim", args={"path": str(victim)}))
    result = chaos("heal")
    assert (result.exit_code, result.stdout.strip()) == (0, "undone: mend the victim")
    assert not victim.exists()
    assert chaos("heal").stdout.strip() == "nothing to undo"


def test_heal_that_can_not_undo_says_so_with_exit_code_1(state: Path, tmp_path: Path) -> None:
    args = {"path": str(tmp_path / "broken"), "gate": str(tmp_path / "gate")}
    Journal(journal_path("dead")).record("F-00", way_back(remove_when_open, "mend the victim", args=args))
    result = chaos("heal", "--patience", "0.1")
    assert result.exit_code == 1
    assert "NOT undone: mend the victim: ConnectionRefusedError" in result.stderr
