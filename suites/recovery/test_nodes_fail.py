"""What becomes of the cluster and its applications when workers go, by accident or on purpose."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-04",
    "A worker that loses power is bridged at once, and its pods are replaced within their budget",
    severity="high",
    reason="A dead node says nothing: until somebody notices, its endpoints are offered to every client.",
    remedy="Let the access layer check each backend often and try another one; shorten node-monitor-grace-period and "
    "the unreachable toleration; spread replicas over nodes.",
    source="F-04; S0-13, S0-31, S1-4",
    live=True,
)
def test_a_worker_that_loses_power_is_bridged(run: Run, profile: Profile, expect: Expect) -> None:
    """The worker with most pods of the watched application loses power. Every target's longest outage must stay within
    the profile's budgets for F-04, and as many replicas as before must be Ready in time, elsewhere."""
    judge(run("node-power-cut"), "F-04", profile, expect)


@control(
    "REC-05",
    "A worker that reboots comes back by itself, and is not missed meanwhile",
    severity="high",
    reason="Kernels panic and are updated: a node that needs a hand afterwards is lost capacity until somebody looks.",
    remedy="Start the runtime and the kubelet at boot, keep what they need on disk, and check backends in front.",
    source="F-05; S0-13, S1-4",
    live=True,
)
def test_a_rebooted_worker_comes_back(run: Run, profile: Profile, expect: Expect) -> None:
    """The worker with most pods of the watched application loses power and has it back at once. Outages must stay
    within the profile's budgets for F-05, and as many replicas as before must be Ready in time, there or elsewhere."""
    judge(run("node-reboot"), "F-05", profile, expect)


@control(
    "REC-06",
    "A kubelet or a container runtime that stops takes no client's answer with it",
    severity="high",
    reason="Both are restarted by every upgrade of a node: containers must serve on without anybody who minds them.",
    remedy="A runtime whose containers outlive it, readiness in front, and replacements that are Ready before the pods "
    "of a silent node are left out.",
    source="F-06; S0-13, S1-17",
    live=True,
    set="complete",
)
def test_a_stopped_kubelet_or_runtime_is_not_noticed(run: Run, profile: Profile, expect: Expect) -> None:
    """On the worker with most pods of the watched application the kubelet is stopped, and in a second experiment the
    container runtime. No target may be out for longer than the profile's budgets for F-06, coming back included."""
    judge(run("kubelet-stop", target="kubelet"), "F-06", profile, expect)
    judge(run("kubelet-stop", target="runtime"), "F-06", profile, expect)


@control(
    "REC-08",
    "A worker can be drained without one failed request",
    severity="high",
    reason="Maintenance is planned, so it has no excuse: whoever can't drain in daylight stops to update.",
    remedy="Two replicas or more, a disruption budget with room, a readiness probe, and a graceful end: preStop or a "
    "server that goes on serving after SIGTERM until it has left every endpoint list.",
    source="F-08; S0-24, S0-31",
    live=True,
)
def test_a_worker_can_be_drained_unnoticed(run: Run, profile: Profile, expect: Expect) -> None:
    """The worker with most pods of the watched application is cordoned and emptied through the Eviction API, which
    honours disruption budgets. No target may be out for longer than the profile's budgets for F-08."""
    judge(run("node-drain"), "F-08", profile, expect)


@control(
    "REC-09",
    "The loss of a whole zone is survived within its budgets",
    severity="high",
    reason="Zones share power and switches. With the leader's zone go etcd's leader, maybe both other leaders, and "
    "a part of every application, all in the same instant.",
    remedy="Three zones with a master each, replicas spread over zones, and a balancer that checks often.",
    source="F-09; S0-13, S1-4",
    live=True,
)
def test_the_loss_of_a_zone_is_survived(run: Run, profile: Profile, expect: Expect) -> None:
    """Every node of the zone whose master leads etcd loses power at once. Reads, writes and the application must be
    back within the profile's budgets for F-09, leaders be replaced in time, no acknowledged write be lost, never two
    leaders be at once, and as many replicas as before must become Ready in the zones that are left."""
    judge(run("zone-outage", target="leader"), "F-09", profile, expect)
