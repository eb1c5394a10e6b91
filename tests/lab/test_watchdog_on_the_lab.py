"""A run whose runner is killed with SIGKILL in the middle of a master power cut is put right by the watchdog."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.scene import Scene
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.journal import Journal
from fixtures.safety.lease import NAME
from fixtures.safety.rest import Rest, RestError
from tests.lab.waiting import wait

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.lab

PUT_RIGHT_WITHIN_S = 15.0
READY_WITHIN_S = 60.0


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def runner(lab: Lab, state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`evenkeel chaos run master-power-cut` as a user starts it."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from experiments.cli import app; app()"),
            *("run", "master-power-cut", "--allow-disruption"),
        ],
        cwd=ROOT,
        env={**os.environ, "EVENKEEL_STATE": str(state)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()


def off(lab: Lab) -> list[str]:
    return [n.name for n in lab.nodes() if n.power == "off"]


def leased(rest: Rest) -> bool:
    try:
        rest.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}")
    except RestError as error:
        if error.status == 404:
            return False
        raise
    return True


def test_a_runner_killed_in_the_middle_of_a_master_power_cut_is_put_right_by_the_watchdog(
    lab: Lab, state: Path, runner: subprocess.Popen[bytes], record_property: object
) -> None:
    assert off(lab) == []
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    wait("the cluster is steady", lambda: not scene.troubles(), READY_WITHIN_S)
    wait("the master is off", lambda: off(lab), 90)
    [victim] = off(lab)
    time.sleep(1.0)

    os.kill(runner.pid, signal.SIGKILL)
    took = wait(f"{victim} is on again", lambda: off(lab) == [], PUT_RIGHT_WITHIN_S)
    [path] = (state / "undo").glob("*.jsonl")
    journal = Journal(path)
    healed = wait("nothing is left to undo", lambda: not journal.pending(), PUT_RIGHT_WITHIN_S - took)

    log = path.with_suffix(".watchdog.log").read_text()
    assert re.search(r"the runner died with \d change\(s\) in place: undoing", log)
    assert f"undone by watchdog: switch {victim} on again" in log
    assert {journal.undone_by(e.id) for e in journal.entries()} == {"watchdog"}
    assert took + healed < PUT_RIGHT_WITHIN_S
    # the namespace is left under a Lease of its own, which goes with it
    wait("no Lease is left", lambda: not leased(scene.rest), READY_WITHIN_S)
    wait("the cluster is as it was", lambda: not scene.troubles(), READY_WITHIN_S)
