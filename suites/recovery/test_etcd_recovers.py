"""What becomes of the cluster when its memory goes: a member, a majority, the room in it, all of it."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-13",
    "etcd has a leader again soon after the leader's process dies",
    severity="high",
    reason="Every write goes through etcd's leader: until one is elected, nothing in the cluster can change.",
    remedy="Three members, a short election timeout (a few round trips), disks that don't stall, and a balancer that "
    "leaves out an API server whose own etcd is gone.",
    source="F-13; S0-16, S0-17, S4-27",
    live=True,
)
def test_writes_return_within_budget_when_the_etcd_leader_dies(run: Run, profile: Profile, expect: Expect) -> None:
    """The process of etcd's leader is killed. A leader must be elected, and reads and writes be back, within the
    profile's budgets for F-13; no acknowledged write may be lost, and never two leaders be at once."""
    judge(run("etcd-member-kill", target="leader"), "F-13", profile, expect)


@control(
    "REC-14",
    "A member of etcd lost for good is replaced while nobody notices",
    severity="high",
    reason="Disks die. A cluster of three that can't get its third member back stands still at the next failure.",
    remedy="Three members or more; know the way: member remove, member add --learner, start with "
    "--initial-cluster-state=existing, member promote.",
    source="F-14; S4-27; etcd: Runtime reconfiguration",
    live=True,
    set="complete",
)
def test_a_lost_etcd_member_is_replaced(run: Run, profile: Profile, expect: Expect) -> None:
    """A follower's process ends and its data is gone; the others forget it. Outages must stay within the profile's
    budgets for F-14, a new member must vote in its place in the end, and no acknowledged write be lost."""
    judge(run("etcd-member-loss"), "F-14", profile, expect)


@control(
    "REC-15",
    "Without etcd's quorum clients are refused and pods serve on; with it everything acknowledged is there",
    severity="high",
    reason="A cluster that can't decide must say so: a client left waiting is worse off than one that is refused, and "
    "a write acknowledged by a minority would be lost.",
    remedy="Members in three zones, timeouts in clients, applications that need no API server to serve, and a drill.",
    source="F-15; S0-19, S1-17, S4-27",
    live=True,
    set="complete",
)
def test_the_loss_of_etcds_quorum_is_survived(run: Run, profile: Profile, expect: Expect) -> None:
    """Two of three members end at once, the leader among them, and come back after ten seconds. Meanwhile no write may
    be acknowledged, clients must not be left waiting for longer than the profile's budget `refusal` for F-15, and the
    application must not be out; afterwards reads and writes must be back within `return`, and every write that was
    acknowledged must be there."""
    judge(run("etcd-quorum-loss"), "F-15", profile, expect)


@control(
    "REC-16",
    "A full etcd is seen, refuses writes cleanly, and takes them again once there is room",
    severity="high",
    reason="At its quota etcd turns the whole cluster read-only: who has never seen it looks for the cause for hours.",
    remedy="Alert on the alarm and on the database's size; compact, defragment, disarm; find what fills it.",
    source="F-16; etcd: Maintenance, Space quota",
    live=True,
    set="complete",
)
def test_a_full_etcd_is_seen_and_emptied(run: Run, profile: Profile, expect: Expect) -> None:
    """A member is filled up to its quota. While its NOSPACE alarm lasts SYS-11 must find it, no write may be
    acknowledged, and reads and the application must go on; after compacting, defragmenting and disarming writes must be
    back within the profile's budget `return` for F-16, and no alarm be left."""
    judge(run("etcd-full"), "F-16", profile, expect)


@control(
    "REC-23",
    "An expired certificate is seen before it expires, and takes no more than its own server with it",
    severity="high",
    reason="An API server whose certificate has expired still answers health checks that don't verify it: every client "
    "that the balancer sends there fails.",
    remedy="Health checks that verify the certificate; an alert thirty days ahead (SYS-17); renewal as a routine.",
    source="F-23; S1-21",
    live=True,
    set="complete",
)
def test_an_expired_certificate_is_bridged(run: Run, profile: Profile, expect: Expect) -> None:
    """One API server gets a serving certificate that is valid for seconds. SYS-17 must find it, reads and writes
    through the balanced address must stay within the profile's budgets for F-23 when it has expired, and after the
    renewal clients must trust that server again."""
    judge(run("certificate-expiry"), "F-23", profile, expect)


@control(
    "REC-31",
    "A control-plane node lost for good is replaced by a new machine, and nothing acknowledged is lost",
    severity="high",
    reason="A cluster whose control plane can only be repaired and not replaced ends with its oldest disk.",
    remedy="Know the way: remove its member of etcd and its Node, prepare a machine, join it as a control plane.",
    source="F-31; S0-13, S4-27; Kubernetes: Creating highly available clusters with kubeadm",
    live=True,
    set="complete",
)
def test_a_lost_control_plane_is_replaced(run: Run, profile: Profile, expect: Expect) -> None:
    """A master loses power and all of its disks, its member of etcd is removed and its Node deleted; then a new machine
    joins. Outages must stay within the profile's budgets for F-31, the node must be Ready with another member of etcd
    that votes, no acknowledged write be lost, and never two leaders be at once."""
    judge(run("control-plane-loss"), "F-31", profile, expect)


@control(
    "REC-32",
    "The control plane's certificates are renewed without anybody noticing",
    severity="high",
    reason="It has to be done every year, on every control-plane node: harmless as a routine, never as an emergency.",
    remedy="kubeadm certs renew all, then restart the static pods, one node after the other, waiting for each.",
    source="F-32; Kubernetes: Certificate management with kubeadm",
    live=True,
    set="complete",
)
def test_certificates_are_renewed_unnoticed(run: Run, profile: Profile, expect: Expect) -> None:
    """On one control-plane node after the other kubeadm renews every certificate and the static pods are restarted.
    Each certificate must be another one afterwards, outages must stay within the profile's budgets for F-32, no
    acknowledged write be lost, and never two leaders be at once."""
    judge(run("certificate-renewal"), "F-32", profile, expect)


@control(
    "REC-33",
    "etcd can be restored from a snapshot, with every write that the snapshot promises",
    severity="high",
    reason="A backup that has never been restored is a hope. What matters is known only afterwards: how long it takes, "
    "and what is gone.",
    remedy="Snapshots often enough for what may be lost between two; restore all members from the same one, with "
    "revisions bumped and marked as compacted; restart what remembers; practise it.",
    source="F-33; S4-27; etcd: Disaster recovery",
    live=True,
    set="complete",
)
def test_etcd_is_restored_from_a_snapshot(run: Run, profile: Profile, expect: Expect) -> None:
    """A snapshot is taken, then all data of all members is gone, and it is restored on each. Every write acknowledged
    before the snapshot was asked for, or after the restore, must be there; those in between are counted, not judged:
    a restore can't have them. The application must not be out, and reads and writes must be back within the profile's
    budget `return` for F-33."""
    judge(run("etcd-restore"), "F-33", profile, expect)
