"""`up` and `down`: harmless twice, thorough once, and sure-footed after a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import cgroups, fabric, start, state, stop
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import LabHome, Topology
from fixtures.clusters.lab.supply import prepare
from tests.lab.waiting import wait

pytestmark = pytest.mark.lab

EVENKEEL = [sys.executable, "-m", "evenkeel"]


def silent(_: str) -> None:
    return


def test_up_twice_keeps_the_lab_that_is_there(lab: Lab) -> None:
    before = {n.name: lab.boot_id(n.name) for n in lab.nodes()}
    start.up(state.home(), Topology(), prepare(silent), silent)
    assert {n.name: lab.boot_id(n.name) for n in lab.nodes()} == before


def test_a_second_lab_of_another_shape_is_refused_with_the_reason(lab: Lab) -> None:
    with pytest.raises(ClusterError, match="one machine runs one lab"):
        start.up(state.home(), Topology(control_planes=1, workers=0), prepare(silent), silent)


def test_another_cache_can_neither_end_nor_replace_the_lab(lab: Lab, tmp_path: Path) -> None:
    other = LabHome(tmp_path / "lab")
    with pytest.raises(ClusterError, match=f"belongs to {state.home().root}"):
        stop.down(other)
    with pytest.raises(ClusterError, match="belongs to"):
        start.up(other, Topology(), prepare(silent), silent)
    assert all(n.power == "on" for n in lab.nodes())


def test_status_for_machines_lists_every_node_with_its_power(lab: Lab) -> None:
    shown = subprocess.run([*EVENKEEL, "lab", "status", "--json"], capture_output=True, check=True).stdout
    status = msgspec.json.decode(shown)
    assert status["up"] is True
    assert [n["name"] for n in status["nodes"]] == [n.name for n in lab.nodes()]
    assert all(n["power"] == "on" and n["processes"] > 5 for n in status["nodes"])


def test_exec_passes_the_command_and_its_exit_code_through(lab: Lab) -> None:
    done = subprocess.run(
        [*EVENKEEL, "lab", "exec", "worker-1", "--", "sh", "-c", "hostname; exit 7"], capture_output=True
    )
    assert (done.returncode, done.stdout) == (7, b"worker-1\n")


def test_down_leaves_nothing_and_up_after_a_crash_cleans_up_first(lab: Lab) -> None:
    """The lab's processes are all killed at once, as if the machine's owner had done it, and its records are lost."""
    home = state.home()
    settings = msgspec.json.decode(home.host.read_bytes(), type=dict[str, str])
    for pid in cgroups.members():
        with contextlib.suppress(ProcessLookupError):  # it died with the first process of its node
            os.kill(pid, signal.SIGKILL)
    # a node whose processes are still dying counts as on, and a lab with one node on as up
    wait("every process is gone", lambda: not cgroups.members(), 10)
    start.up(home, Topology(), prepare(silent), silent)
    assert all(n.power == "on" for n in Lab.open().nodes())

    stop.down(home)
    assert stop.remains(home) == []
    assert not fabric.exists()
    assert not cgroups.members()
    assert "evenkeel" not in Path("/proc/mounts").read_text()
    assert not any("evenkeel-lab" in str(d) for tree in cgroups.trees() for d in tree.iterdir())
    for key, value in settings.items():
        assert (Path("/proc/sys") / key.replace(".", "/")).read_text().strip() == value, key
    stop.down(home)  # twice is harmless

    start.up(home, Topology(control_planes=1, workers=0), prepare(silent), silent)  # a lab of one node
    assert [n.name for n in Lab.open().nodes()] == ["master-1"]
    stop.down(home)

    start.up(home, Topology(), prepare(silent), silent)
