"""A simulated cluster, and the experiments' own files in a quick edition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from experiments import runner
from experiments.settings import Settings
from tests.experiments.fake_api import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's journals are."""
    path = tmp_path / "state"
    monkeypatch.setenv("EVENKEEL_STATE", str(path))
    return path


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The experiments' files with short waits; everything else in them is as shipped."""
    folder = tmp_path / "experiments"
    folder.mkdir()
    for path in runner.HERE.glob("*.yaml"):
        experiment = yaml.safe_load(path.read_text())
        for activity in experiment["method"]:
            arguments = activity["provider"].get("arguments", {})
            if activity["provider"]["func"] == "observe":
                arguments |= {"least_s": 0.8, "longest_s": 3}
            if activity["provider"]["func"] == "wait_healthy":
                arguments |= {"within_s": 4, "settle_s": 0.2, "reports_s": 0.2}
        experiment["extensions"][0] |= {"baseline_s": 0.4, "afterglow_s": 0.2, "patience_s": 0.2}
        (folder / path.name).write_text(yaml.safe_dump(experiment))
    monkeypatch.setattr(runner, "HERE", folder)
    return folder


@pytest.fixture
def settings(api: FakeApi, state: Path, quick: Path, tmp_path: Path) -> Iterator[Settings]:
    """Leads to the simulated cluster, whose context was named by hand."""
    made = Settings(
        cluster="kubeconfig",
        kubeconfig=str(api.kubeconfig(tmp_path)),
        context="fake",
        confirmed=True,
        profile="lab",
        allow_disruption=True,
        run_directory=str(tmp_path / "run"),
        app_url=f"{api.url}/healthz",
    )
    yield made
    runner.leave(made)
