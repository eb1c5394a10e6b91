"""What becomes of an application when a part of it goes."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile


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
    measured = run("pod-kill", target="kill")
    for outage in measured.outages():
        expect(outage, outage.at_least <= profile.budget("F-01", outage.kind), outage.explain())
    for check in measured.checks():
        expect(check, check.held, check.explain())
