"""A Lease given back and taken again between two looks, by real components and a real API server."""

from __future__ import annotations

import pytest

from experiments.checks import single_leader
from experiments.leases import Election, Elections
from experiments.scene import Scene
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.rest import Rest
from tests.lab.waiting import wait

pytestmark = pytest.mark.lab

SCHEDULER = "kube-scheduler"


def taken_over(lab: Lab, holder: str) -> bool:
    """By eyes of its own: those of the test must not look meanwhile."""
    now = next(e for e in Elections(Rest.of(lab)).look() if e.name == SCHEDULER)
    return now.holder not in ("", holder)


def test_a_lease_given_back_between_two_looks_is_seen_in_a_real_api_server(lab: Lab) -> None:
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    wait("the lab is steady", lambda: not scene.troubles(), 60)
    eyes = Elections(scene.rest)
    looks: list[Election] = [look for _ in range(10) for look in eyes.look() if look.name == SCHEDULER]
    leader = looks[-1].holder
    try:
        lab.kill(leader.rpartition("_")[0], SCHEDULER, "TERM")
        wait("another one leads", lambda: taken_over(lab, leader), 10)
        looks += [look for look in eyes.look() if look.name == SCHEDULER]
    finally:
        wait("the scheduler is back", lambda: not scene.troubles(), 60)
    assert "" in [look.holder for look in looks if look.between]
    assert looks[-1].holder not in ("", leader)
    check = single_leader.judge(looks)
    assert check.verdict == "pass", check.message
