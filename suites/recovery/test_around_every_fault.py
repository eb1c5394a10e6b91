"""What must hold around every fault, whichever it was: judged last, over all experiments of the run."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.checks import acknowledged_writes, audits, coupled_restarts, single_leader
from experiments.measured import Measured
from fixtures.control import control
from fixtures.expect import Expect
from suites.recovery.judging import throughout


@control(
    "REC-40",
    "After every fault the audits say what they said before",
    severity="high",
    reason="A cluster that answers again is not yet the cluster it was: what a fault leaves behind waits for the next.",
    remedy="Look at the object that the finding names: what should have put it back, a controller or a person?",
    source="S0-1, S1-4",
    live=True,
    last=True,
)
def test_a_fault_leaves_nothing_behind(experiments: Sequence[Measured], expect: Expect) -> None:
    """The audits' controls judge a snapshot before the first fault and one after each, evidence beyond objects left
    out. No control may have a finding that it did not have before, or have become unknown. Pods count as their
    controllers, and what changes by itself has 40 s to settle. Counts of restarts don't go back, and may stay; the
    namespace of the run itself, gone at its end, is left out."""
    throughout(experiments, audits.NAME, expect)


@control(
    "REC-41",
    "Every acknowledged write survives every fault",
    severity="high",
    reason="An outage costs seconds. A write that was acknowledged and is gone costs the trust in everything else.",
    remedy="etcd with three members or more on disks of their own that keep their promise (fsync), and no restore of "
    "an older snapshot under running clients.",
    source="S4-27",
    live=True,
    last=True,
)
def test_no_acknowledged_write_is_lost(experiments: Sequence[Measured], expect: Expect) -> None:
    """In every experiment of the run objects with unique keys are created through the API at a steady rate, and read
    back with a quorum afterwards: each acknowledged one must be there, none twice, and of two that followed each other
    the later must have the higher resourceVersion."""
    throughout(experiments, acknowledged_writes.NAME, expect)


@control(
    "REC-42",
    "There are never two leaders at once",
    severity="high",
    reason="Two that both think they lead undo each other's work, and nobody notices before the damage is done.",
    remedy="Leader election by Leases, a renew deadline shorter than the lease, and clocks that run at the same rate.",
    source="S0-16",
    live=True,
    last=True,
)
def test_there_are_never_two_leaders(experiments: Sequence[Measured], expect: Expect) -> None:
    """In every experiment whose fault may move a leader the Leases are read every 0.2 s: whoever takes one over must
    do so after the holder before can no longer think it leads, and each change must have been counted as one."""
    throughout(experiments, single_leader.NAME, expect)


@control(
    "REC-46",
    "A restarted component of the control plane makes no other one restart",
    severity="medium",
    reason="Components that only watch the API survive its restarts. One that ends itself turns a blip into a chain.",
    remedy="Let controllers reach the API through a balanced address, or make their renew deadline longer than its "
    "restart takes; give liveness probes patience.",
    source="S4-30",
    live=True,
    last=True,
)
def test_a_restart_makes_no_other_restart(experiments: Sequence[Measured], expect: Expect) -> None:
    """In every experiment that restarts one component of the control plane, the restart counts of the pods of all
    others, on every node, must be what they were. A leader that could not renew its Lease meanwhile is left out: it
    must end itself, or there would be two."""
    throughout(experiments, coupled_restarts.NAME, expect)
