"""What becomes of those who share a node with somebody who takes too much."""

from __future__ import annotations

from experiments.faults.catalogue import fault
from experiments.plugin import Run
from fixtures.clusters.cluster import Cluster
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-21",
    "A pod that takes all it can get harms itself and nobody else",
    severity="high",
    reason="One leak or one busy loop is in every application sooner or later; on shared nodes it is everybody's.",
    remedy="Requests of CPU and memory for everything that serves, limits of memory and ephemeral-storage for "
    "everything, a PriorityClass for what must stay, and log rotation.",
    source="F-21; S0-31, S4-35",
    live=True,
    set="complete",
)
def test_a_hog_harms_nobody_else(run: Run, cluster: Cluster, profile: Profile, expect: Expect) -> None:
    """On the worker with most pods of the watched application a pod burns CPU on as many threads as there are
    cores; in further experiments one takes twice its limit of memory, and must be killed; one writes its log past its
    limit of disk, and must be evicted; and, where nodes can be entered, the container runtime's file system has no
    inode left, so that nothing starts there any more. No pod beside it may be ended, restarted or not Ready, and
    outages must stay within the profile's budgets for F-21."""
    hog = fault("F-21")
    for target in hog.targets:
        lacking = hog.also_needs.get(target, frozenset()) - cluster.capabilities
        if lacking:
            expect.note(f"target {target} was left out: {'; '.join(cluster.why_not(c) for c in sorted(lacking))}")
        else:
            judge(run("resource-hog", target=target), "F-21", profile, expect)
