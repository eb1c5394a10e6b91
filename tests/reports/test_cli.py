"""`evenkeel report`: finds and renders runs, and says what is wrong with what it was given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports import runs
from reports.cli import app
from reports.model import Run, State

RUNNER = CliRunner()


@pytest.fixture
def base(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of runs with one run in it, which is the latest."""
    monkeypatch.setenv(runs.BASE_VARIABLE, str(tmp_path / "runs"))
    directory = runs.new_run_directory()
    runs.write_run(run, directory)
    runs.point_latest(directory)
    return directory.parent


def test_the_latest_run_is_rendered_beside_its_run_json(base: Path) -> None:
    result = RUNNER.invoke(app, ["render"])
    assert result.exit_code == 0, result.output
    made = [Path(line) for line in result.stdout.splitlines()]
    assert [path.name for path in made] == ["report.html", "junit.xml", "summary.md", "allure-results", "faults"]
    assert all(path.exists() and path.parent.parent == base for path in made)


def test_a_killed_run_is_rendered(base: Path, run: Run) -> None:
    run.state, run.finished = State.RUNNING, None
    run.summarize()
    runs.write_run(run, base / "latest")
    assert RUNNER.invoke(app, ["render", str(base)]).exit_code == 0
    assert "was killed" in (base / "latest" / "report.html").read_text()


def test_one_format_goes_where_it_is_told(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "place"
    result = RUNNER.invoke(app, ["render", str(base / "latest" / "run.json"), "--format", "junit", "--out", str(out)])
    assert result.exit_code == 0
    assert [path.name for path in out.iterdir()] == ["junit.xml"]


def test_rendering_again_leaves_no_stale_allure_result(base: Path, run: Run) -> None:
    RUNNER.invoke(app, ["render"])
    run.controls = run.controls[:1]
    runs.write_run(run, base / "latest")
    RUNNER.invoke(app, ["render"])
    expected = 1 + len(run.experiments)
    assert len(list((base / "latest" / "allure-results").glob("*-result.json"))) == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["render", "--format", "pdf"], "there is no such format; choose from html, junit, markdown, allure, svg"),
        (["render", "--format", ","], "name at least one of"),
        (["render", "/nowhere"], "/nowhere: no run.json there"),
        (["show", "/nowhere"], "/nowhere: no run.json there"),
        (["path"], "make it with: evenkeel report render"),
        (["render", "--out", "/proc/version/x"], "name another place with --out"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(base: Path, arguments: list[str], said: str) -> None:
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 4
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_path_prints_where_the_page_is(base: Path) -> None:
    RUNNER.invoke(app, ["render"])
    result = RUNNER.invoke(app, ["path"])
    assert result.stdout.strip() == str((base / "latest").resolve() / "report.html")


def test_show_prints_the_summary(base: Path) -> None:
    result = RUNNER.invoke(app, ["show"])
    assert "4 controls and 1 fault failed" in result.stdout


def test_schema_prints_a_json_schema(base: Path) -> None:
    schema = json.loads(RUNNER.invoke(app, ["schema"]).stdout)
    assert schema["title"] == "evenkeel.run/v1"
    assert set(schema["$defs"]) >= {"Run", "Control", "Experiment", "Finding"}
