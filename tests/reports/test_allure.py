"""Allure results: one file a control or experiment, stable ids, statuses that mean what Allure means by them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reports import allure
from reports.model import Run


def results(run: Run) -> dict[str, dict[str, Any]]:
    files = allure.render(run)
    found = [json.loads(content) for name, content in files.items() if name.endswith("-result.json")]
    return {result["name"].split()[0]: result for result in found}


def test_every_control_and_experiment_is_one_result(run: Run) -> None:
    assert set(results(run)) == {c.id for c in run.controls} | {e.fault for e in run.experiments}


@pytest.mark.parametrize(
    ("name", "status"),
    [("APP-01", "failed"), ("SYS-17", "broken"), ("APP-09", "skipped"), ("LCM-08", "skipped"), ("SYS-01", "passed")],
)
def test_a_verdict_becomes_allures_status(run: Run, name: str, status: str) -> None:
    assert results(run)[name]["status"] == status


def test_layer_and_severity_are_labels(run: Run) -> None:
    labels = {label["name"]: label["value"] for label in results(run)["APP-01"]["labels"]}
    assert (labels["layer"], labels["severity"], labels["feature"]) == ("application", "critical", "Application")


def test_the_phases_of_a_fault_are_its_steps(run: Run) -> None:
    steps = results(run)["F-10"]["steps"]
    names = [step["name"] for step in steps]
    assert names[0].startswith("Injected: The leading master loses power on master-1")
    assert "Acted after 1.18 s: etcd elected master-3" in names
    assert any(name.startswith("api-write: longest outage 2.15 s ± 50 ms of 4 s allowed") for name in names)
    assert all(step["start"] <= step["stop"] for step in steps)
    assert {step["name"]: step["status"] for step in results(run)["F-17"]["steps"]}[
        "Proof: packets dropped by the rule: 0 → 0"
    ] == "broken"


def test_times_are_milliseconds_since_the_epoch(run: Run) -> None:
    power_cut = results(run)["F-10"]
    assert power_cut["start"] == 1769851800000 + 208_000
    assert power_cut["stop"] - power_cut["start"] == 41_500


def test_rendering_again_gives_the_same_files_and_history_joins_runs(run: Run) -> None:
    assert allure.render(run) == allure.render(run)
    before = results(run)["APP-01"]
    run.id = "20260201T093000Z-0000"
    after = results(run)["APP-01"]
    assert before["uuid"] != after["uuid"]
    assert before["historyId"] == after["historyId"]


def test_hostile_names_leave_the_environment_one_fact_a_line(hostile: Run) -> None:
    raw = allure.render(hostile)["environment.properties"]
    lines = raw.decode("ascii").splitlines()
    assert [line.split("=")[0] for line in lines][:3] == ["Run", "Cluster", "Provider"]
    assert all("=" in line for line in lines)
