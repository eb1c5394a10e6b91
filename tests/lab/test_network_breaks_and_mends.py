"""Packets vanish, links go bad, clocks are wrong and balancers die where it was asked for, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from fixtures.clusters.cluster import Direction, Netem
from fixtures.clusters.lab.api import Api
from fixtures.clusters.lab.lab import Lab

pytestmark = pytest.mark.lab

SCHEDULER = "kube-scheduler"


@pytest.fixture
def mended(lab: Lab) -> Iterator[None]:
    """Whatever a test did to links, balancers and clocks is undone behind it."""
    yield
    lab.rejoin()
    lab.unimpair("worker-3")
    for balancer in lab.balancers():
        lab.start_balancer(balancer.name)
    for node in lab.nodes():
        if node.role == "control-plane":
            lab.skew_clock(node.name, SCHEDULER, 0)


def eventually(holds: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
        time.sleep(0.1)


def reaches(lab: Lab, node: str, other: str) -> bool:
    """Whether a connection to the other node's kubelet is made from a node."""
    address = next(n.address for n in lab.nodes() if n.name == other)
    return lab.exec(node, ["socat", "-u", "/dev/null", f"TCP:{address}:10250,connect-timeout=1"]).returncode == 0


@pytest.mark.usefixtures("mended")
def test_a_group_that_is_cut_off_talks_among_itself_and_to_nobody_else(lab: Lab) -> None:
    lab.isolate(["worker-2", "worker-3"])
    assert reaches(lab, "worker-2", "worker-3")
    assert not reaches(lab, "worker-3", "worker-1")
    assert reaches(lab, "worker-1", "master-1")
    assert lab.vanished() > 0
    lab.rejoin()
    assert lab.vanished() == 0
    assert reaches(lab, "worker-3", "worker-1")


@pytest.mark.usefixtures("mended")
def test_one_way_is_no_way_for_a_connection(lab: Lab) -> None:
    lab.isolate(["worker-3"], Direction.IN)
    assert not reaches(lab, "worker-1", "worker-3")
    assert not reaches(lab, "worker-3", "worker-1")


@pytest.mark.usefixtures("mended")
def test_a_bad_link_counts_what_it_did_and_is_whole_again(lab: Lab) -> None:
    assert not lab.impaired("worker-3")
    lab.impair("worker-3", Netem(delay_ms=50))
    began = time.monotonic()
    assert reaches(lab, "worker-1", "worker-3")
    assert time.monotonic() - began > 0.1  # once there, once back
    eventually(lambda: any(lab.impaired("worker-3").values()))
    lab.impair("worker-3", Netem(loss_percent=30))
    eventually(lambda: bool(lab.impaired("worker-3").get("lost") or lab.impaired("worker-3").get("dropped")))
    lab.unimpair("worker-3")
    assert not lab.impaired("worker-3")
    assert reaches(lab, "worker-1", "worker-3")


@pytest.mark.usefixtures("mended")
def test_a_scheduler_whose_clock_is_wrong_writes_it_into_its_lease_and_goes_on_leading(lab: Lab) -> None:
    api = Api(lab.kubeconfig)

    def lease() -> dict[str, str]:
        path = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{SCHEDULER}"
        return dict(api.get(path)["spec"])

    def off() -> float:
        return (datetime.fromisoformat(lease()["renewTime"]) - datetime.now(UTC)).total_seconds()

    holder = lease()["holderIdentity"]
    node = holder.rpartition("_")[0]
    lab.skew_clock(node, SCHEDULER, 3600)
    assert list(lab.clock_skew(node, SCHEDULER).values()) == [3600]
    eventually(lambda: off() > 3590)
    lab.skew_clock(node, SCHEDULER, 0)
    eventually(lambda: abs(off()) < 10)
    assert lease()["holderIdentity"] == holder


@pytest.mark.usefixtures("mended")
def test_the_address_of_a_dead_balancer_is_taken_over_and_not_given_back(lab: Lab) -> None:
    eventually(lambda: len(lab.balanced_by()) == 1)
    [first] = lab.balanced_by()
    lab.stop_balancer(first, whole=True)
    eventually(lambda: lab.balanced_by() not in ([], [first]))
    [second] = lab.balanced_by()
    eventually(Api(lab.kubeconfig).ready)
    lab.start_balancer(first)
    eventually(lambda: all(b.power == "on" and b.serves for b in lab.balancers()))
    time.sleep(2)
    assert lab.balanced_by() == [second]
    lab.stop_balancer(second, whole=False)
    eventually(lambda: lab.balanced_by() == [first])
