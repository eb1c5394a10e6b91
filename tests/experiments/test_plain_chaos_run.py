"""The experiment files are Chaos Toolkit's own: plain `chaos run` accepts them, and is as safe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from experiments import runner
from experiments.faults import catalogue
from experiments.trial import extension
from fixtures.safety.journal import Journal
from tests.experiments.fake_api import PODS, RUN_LEASE, WRITES, FakeApi

ROOT = Path(__file__).resolve().parents[2]
CHAOS = Path(sys.executable).with_name("chaos")


@pytest.mark.parametrize("path", sorted(runner.HERE.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_experiment_is_guarded_measured_and_always_rolled_back(path: Path) -> None:
    experiment = yaml.safe_load(path.read_text())
    assert [c["provider"]["module"] for c in experiment["controls"]] == [
        "experiments.controls.measuring",
        "experiments.controls.safety",
    ]
    assert experiment["runtime"]["rollbacks"]["strategy"] == "always"
    assert any(a["provider"]["func"] == "heal" for a in experiment["rollbacks"])
    block = extension(experiment)
    assert block["experiment"] == path.stem
    for id_ in block["faults"]:
        assert experiment["configuration"]["target"] in catalogue.fault(id_).targets


@pytest.mark.parametrize("path", sorted(runner.HERE.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_experiment_is_valid_to_chaos_toolkit(path: Path) -> None:
    experiment = runner.load(path.stem)
    runner.ensure_experiment_is_valid(experiment)


class ChaosRun:
    """`chaos run` of one quick experiment file against the simulated cluster."""

    def __init__(self, api: FakeApi, file: Path, folder: Path, state: Path, allowed: bool) -> None:
        self.api, self.folder, self.state = api, folder, state
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("EVENKEEL_")},
            "KUBECONFIG": str(api.kubeconfig(folder)),
            "EVENKEEL_CONTEXT": "fake",
            "EVENKEEL_PROFILE": "lab",
            "EVENKEEL_STATE": str(state),
            "EVENKEEL_APP_URL": f"{api.url}/healthz",
            "PYTHONPATH": str(ROOT),
        }
        if allowed:
            environment["EVENKEEL_ALLOW_DISRUPTION"] = "yes"
        self.process = subprocess.Popen(
            [CHAOS, "--no-version-check", "--no-log-file", "run", file],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def until(self, what: str, within_s: float = 20.0) -> None:
        """Wait for a request to the API."""
        deadline = time.monotonic() + within_s
        while what not in self.api.changed:
            assert time.monotonic() < deadline, f"{what} was not seen within {within_s} s: {self.api.changed[-3:]}"
            time.sleep(0.01)

    def end(self) -> tuple[int, str]:
        """Exit code and output."""
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def left(self) -> list[str]:
        return [p for p in self.api.objects if p.startswith((RUN_LEASE, WRITES))]

    def undone(self, within_s: float = 10.0) -> bool:
        """Whether nothing is left, neither in the cluster nor in the journal."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            journals = [Journal(p) for p in (self.state / "undo").glob("*.jsonl")]
            if journals and not self.left() and not any(j.pending() for j in journals):
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def chaos_run(api: FakeApi, quick: Path, state: Path, tmp_path: Path) -> Iterator[type[ChaosRun]]:
    made: list[ChaosRun] = []

    class Made(ChaosRun):
        def __init__(self, name: str = "pod-kill", allowed: bool = True) -> None:
            super().__init__(api, quick / f"{name}.yaml", tmp_path, state, allowed)
            made.append(self)

    yield Made  # type: ignore[misc]
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def test_without_permission_it_ends_with_exit_code_4_and_asks_nothing(chaos_run: type, api: FakeApi) -> None:
    code, said = chaos_run(allowed=False).end()
    assert code == 4
    assert "EVENKEEL_ALLOW_DISRUPTION=yes" in said
    assert api.changed == []


def test_with_permission_its_journal_holds_the_result(chaos_run: type, api: FakeApi, tmp_path: Path) -> None:
    code, said = chaos_run().end()
    assert code == 0, said
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert journal["evenkeel"]["verdict"] == "pass"
    assert f"DELETE {PODS}/web-0" in api.changed


def test_a_missed_budget_is_a_deviation_and_exit_code_1(chaos_run: type, api: FakeApi, tmp_path: Path) -> None:
    api.app_outage_s = 1.0
    code, _ = chaos_run().end()
    journal = json.loads((tmp_path / "journal.json").read_text())
    assert (code, journal["deviated"], journal["evenkeel"]["verdict"]) == (1, True, "fail")


def test_killed_in_the_middle_it_is_undone_by_the_watchdog(chaos_run: type) -> None:
    run = chaos_run()
    run.until(f"DELETE {PODS}/web-0")
    os.kill(run.process.pid, signal.SIGKILL)
    assert run.undone()
    [log] = (run.state / "undo").glob("*.watchdog.log")
    assert "the runner died" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_ended_by_a_signal_it_is_undone(chaos_run: type, number: signal.Signals) -> None:
    run = chaos_run()
    run.until(f"DELETE {PODS}/web-0")
    os.kill(run.process.pid, number)
    run.end()
    assert run.undone()
