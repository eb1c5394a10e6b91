"""What becomes of the cluster when a part of its control plane goes."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-10",
    "The cluster survives the loss of the leading master within its budgets",
    severity="high",
    reason="The master that leads etcd takes writes, elections and part of the API with it: the worst single loss.",
    remedy="Three masters, a balancer that checks /readyz often, short etcd elections and leader leases.",
    source="F-10; S0-13, S0-16, S1-17",
    live=True,
)
def test_writes_return_within_budget_when_the_leading_master_dies(run: Run, profile: Profile, expect: Expect) -> None:
    """The master that leads etcd loses power. Reads, writes and the application must be back within the profile's
    budgets for F-10, leaders be replaced in time, no acknowledged write be lost, and never two leaders at once."""
    judge(run("master-power-cut", target="leader"), "F-10", profile, expect)


@control(
    "REC-11",
    "The loss of one API server is bridged by the others",
    severity="high",
    reason="API servers are restarted by every upgrade and every crash: clients must only see another one answer.",
    remedy="Several API servers behind a balancer that checks /readyz and ends the sessions of a server that fails.",
    source="F-11; S0-13, S0-14",
    live=True,
)
def test_an_api_server_is_bridged_by_the_others(run: Run, profile: Profile, expect: Expect) -> None:
    """One API server's process is killed. Reads and writes through the balanced address must be back within the
    profile's budgets for F-11, and its kubelet must restart it."""
    judge(run("api-server-kill"), "F-11", profile, expect)


@control(
    "REC-12",
    "Another controller-manager takes over when the leading one dies",
    severity="high",
    reason="Until then nothing is replaced, scaled or repaired: no failure after it would be answered.",
    remedy="Several instances with leader election; shorten lease, renewal and retry if the takeover takes too long.",
    source="F-12; S0-16, S4-30",
    live=True,
)
def test_another_controller_manager_takes_over(run: Run, profile: Profile, expect: Expect) -> None:
    """The leading controller-manager's process is killed. Another must hold the Lease within the profile's budget for
    F-12, while neither the API nor the application notices."""
    judge(run("controller-manager-kill"), "F-12", profile, expect)
