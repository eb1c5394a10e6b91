"""The lab's nodes do what real machines do when their power, cable or services fail."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab.api import Api
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.timings import FAST

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
KILLED_WHILE_CUTTING = """
import os, signal, sys
from fixtures.clusters.lab import power
from fixtures.clusters.lab.lab import Lab
power.wait_gone = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
Lab.open().power_off(sys.argv[1])
"""


@pytest.fixture
def api(lab: Lab) -> Api:
    return Api(lab.kubeconfig)


@pytest.fixture
def worker(lab: Lab, api: Api) -> Iterator[str]:
    """A worker, which is on, connected and Ready again when the test is over."""
    name = "worker-3"
    yield name
    lab.power_on(name)
    lab.link_up(name)
    for service in ("containerd", "kubelet"):
        lab.start_service(name, service)
    eventually(lambda: ready(api, name) == "True", 60)


def ready(api: Api, node: str) -> str:
    conditions = api.get(f"/api/v1/nodes/{node}")["status"]["conditions"]
    return str(next(c["status"] for c in conditions if c["type"] == "Ready"))


def eventually(holds: Callable[[], bool], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
        time.sleep(0.2)


def test_the_kernel_of_every_node_is_set_as_the_timings_say_and_the_machines_is_not(lab: Lab) -> None:
    here = {name: (Path("/proc/sys") / name).read_text().strip() for name in FAST.kernel if known(name)}
    for node in lab.nodes():
        there = {name: lab.exec(node.name, ["cat", f"/proc/sys/{name}"]).stdout.strip() for name in here}
        assert there == {name: FAST.kernel[name] for name in here}, node.name
    assert all(value != FAST.kernel[name] for name, value in here.items())


def known(setting: str) -> bool:
    """Whether this machine's kernel has it; the lab does without what it has not."""
    return (Path("/proc/sys") / setting).exists()


def test_every_node_is_ready_and_in_its_zone(lab: Lab, api: Api) -> None:
    nodes = {n["metadata"]["name"]: n for n in api.get("/api/v1/nodes")["items"]}
    assert set(nodes) == {n.name for n in lab.nodes()}
    for node in lab.nodes():
        assert ready(api, node.name) == "True"
        assert nodes[node.name]["metadata"]["labels"]["topology.kubernetes.io/zone"] == node.zone


def test_a_power_cut_ends_every_process_of_the_node_and_no_other(lab: Lab, worker: str) -> None:
    before = {n.name: lab.boot_id(n.name) for n in lab.nodes()}
    lab.power_off(worker)
    now = {n.name: n for n in lab.nodes()}
    assert (now[worker].power, now[worker].processes, lab.boot_id(worker)) == ("off", 0, "")
    assert all(n.power == "on" and lab.boot_id(n.name) == before[n.name] for n in now.values() if n.name != worker)


def test_a_node_is_switched_on_though_whoever_cut_its_power_was_killed_in_that_moment(lab: Lab, worker: str) -> None:
    """The kernel is still ending its processes then: it is neither on nor off."""
    before = lab.boot_id(worker)
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_CUTTING, worker], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    lab.power_on(worker)
    assert lab.boot_id(worker) not in ("", before)


def test_a_node_that_lost_power_is_noticed_and_returns_as_a_new_boot(lab: Lab, api: Api, worker: str) -> None:
    before = lab.boot_id(worker)
    lab.power_off(worker)
    eventually(lambda: ready(api, worker) != "True", 30)
    lab.power_on(worker)
    assert lab.boot_id(worker) not in ("", before)
    eventually(lambda: ready(api, worker) == "True", 60)


def test_a_rebooted_node_has_no_rules_or_links_of_its_earlier_life(lab: Lab, worker: str) -> None:
    lab.exec(worker, ["nft", "add", "table", "ip", "left_over"])
    assert "left_over" in lab.exec(worker, ["nft", "list", "tables"]).stdout
    lab.reboot(worker)
    assert "left_over" not in lab.exec(worker, ["nft", "list", "tables"]).stdout


def test_a_pulled_cable_cuts_the_node_off_and_its_processes_live_on(lab: Lab, api: Api, worker: str) -> None:
    boot = lab.boot_id(worker)
    lab.link_down(worker)
    eventually(lambda: ready(api, worker) != "True", 30)
    assert lab.boot_id(worker) == boot
    lab.link_up(worker)
    eventually(lambda: ready(api, worker) == "True", 60)


def test_a_stopped_kubelet_stays_stopped_and_its_containers_go_on(lab: Lab, api: Api, worker: str) -> None:
    eventually(lambda: lab.exec(worker, ["pgrep", "-x", "kube-proxy"]).returncode == 0, 60)
    lab.stop_service(worker, "kubelet")
    eventually(lambda: ready(api, worker) != "True", 30)
    assert lab.kill(worker, "kubelet") == []
    assert lab.exec(worker, ["pgrep", "-x", "kube-proxy"]).returncode == 0
    lab.start_service(worker, "kubelet")
    eventually(lambda: ready(api, worker) == "True", 60)


def test_a_killed_kubelet_is_started_again_by_its_supervisor(lab: Lab, api: Api, worker: str) -> None:
    eventually(lambda: lab.exec(worker, ["pgrep", "-x", "kubelet"]).returncode == 0, 20)
    killed = lab.kill(worker, "kubelet")
    assert len(killed) == 1
    eventually(lambda: lab.exec(worker, ["pgrep", "-x", "kubelet"]).stdout.strip() not in ("", str(killed[0])), 20)


def test_what_a_node_writes_outside_its_disks_never_reaches_the_machine(lab: Lab, worker: str) -> None:
    from pathlib import Path

    marker = "/usr/evenkeel-was-here"
    assert lab.exec(worker, ["touch", marker, "/etc/evenkeel-was-here"]).returncode == 0
    assert not Path(marker).exists()
    assert not Path("/etc/evenkeel-was-here").exists()


def test_the_lab_has_no_way_out(lab: Lab) -> None:
    routes = lab.exec("worker-1", ["ip", "route", "show", "default"]).stdout
    assert routes == ""


def test_an_unknown_node_is_refused_with_the_names_there_are(lab: Lab) -> None:
    with pytest.raises(ClusterError, match=r"worker-9.*master-1"):
        lab.power_off("worker-9")


def test_a_command_in_a_node_that_is_off_says_so(lab: Lab, worker: str) -> None:
    lab.power_off(worker)
    with pytest.raises(ClusterError, match="is off"):
        lab.exec(worker, ["true"])
