"""What becomes of the cluster when more than one thing fails: together, in turn, or all of it."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-29",
    "Several failures at once or in turn are survived as each alone is",
    severity="high",
    reason="Failures come in pairs, because whoever would answer the first may be the second; and updates reboot node "
    "after node.",
    remedy="Three masters, replicas spread over nodes and zones, short leader leases; and an update that waits for "
    "health, not for a clock.",
    source="F-29; S0-13, S0-16, S0-31, S1-4",
    live=True,
    set="complete",
)
def test_several_failures_are_survived(run: Run, profile: Profile, expect: Expect) -> None:
    """The master that leads etcd and the worker with most pods of the watched application lose power in the same
    instant; in a second experiment every worker is rebooted in its turn, each when all is well again, and never two may
    be down together. Outages must stay within the profile's budgets for F-29, leaders be replaced in time, no
    acknowledged write be lost, and never two leaders be at once."""
    judge(run("several-at-once", target="pair"), "F-29", profile, expect)
    judge(run("several-at-once", target="rolling"), "F-29", profile, expect)


@control(
    "REC-30",
    "A cluster that has lost all power comes back by itself, with everything that was acknowledged",
    severity="high",
    reason="Power fails for whole buildings. What then waits for something that waits for it never starts again.",
    remedy="Everything that starts a node on its own disks; etcd with fsync; no admission webhook, registry or name "
    "server that the cluster needs to start and runs itself.",
    source="F-30; S0-1, S0-18, S1-4, S4-27",
    live=True,
    set="complete",
)
def test_a_cluster_comes_back_after_losing_all_power(run: Run, profile: Profile, expect: Expect) -> None:
    """Every node loses power in the same instant and has it back two seconds later. The API and the application must
    answer again, leaders be elected, as many replicas as before be Ready, and a pod resolve a name and reach its
    ClusterIP, all within the profile's budgets for F-30; and every acknowledged write must be there."""
    judge(run("whole-cluster-power-cut"), "F-30", profile, expect)
