"""What becomes of an application when a part of it goes."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-01",
    "A killed pod is not missed, and is replaced within its budget",
    severity="high",
    reason="Pods die every day: of crashes, evictions, deployments. A client that notices is an outage a day.",
    remedy="Two replicas or more, a readiness probe, a graceful end (preStop, SIGTERM), and room on the nodes.",
    source="F-01; S0-1, S0-31",
    live=True,
)
def test_a_killed_pod_is_not_missed(run: Run, profile: Profile, expect: Expect) -> None:
    """One Ready pod of the watched application is killed without grace. Every target's longest outage must stay within
    the profile's budget for F-01, and a replacement must be Ready in time."""
    judge(run("pod-kill", target="kill"), "F-01", profile, expect)


@control(
    "REC-02",
    "A killed container is not missed, and is restarted within its budget",
    severity="high",
    reason="Processes crash and are killed for memory: the kubelet's restart in place is the fastest repair there is.",
    remedy="Two replicas or more, a readiness probe with a short period, and a start of a second, not a minute.",
    source="F-02; S0-1, S0-31",
    live=True,
)
def test_a_killed_container_is_not_missed(run: Run, profile: Profile, expect: Expect) -> None:
    """Every process of one container of the watched application gets SIGKILL. Every target's longest outage must stay
    within the profile's budget for F-02, and the container be restarted and its pod Ready in time."""
    judge(run("container-kill"), "F-02", profile, expect)


@control(
    "REC-03",
    "All of an application's pods on one node may die together",
    severity="high",
    reason="What replicas share, they lose together: a node's memory, its disk, its runtime.",
    remedy="Spread replicas over nodes, so that the others can carry the load, and keep room for the replacements.",
    source="F-03; S0-1, S0-31",
    live=True,
)
def test_the_pods_of_one_node_may_die_together(run: Run, profile: Profile, expect: Expect) -> None:
    """On the worker that runs most of them, all pods of the watched application are killed at once. Every target's
    longest outage must stay within the profile's budget for F-03, and as many as before be Ready in time."""
    judge(run("node-pods-kill"), "F-03", profile, expect)
