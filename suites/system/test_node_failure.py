"""The time it takes to notice a dead node, computed before one dies."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import API_SERVER, CONTROLLER_MANAGER, ControlPlane, duration_s, flags
from fixtures.snapshot.snapshot import Snapshot

GRACE_SINCE_1_32_S = 50.0
GRACE_BEFORE_S = 40.0
MONITOR_PERIOD_S = 5.0
TOLERATION_S = 300.0


@control(
    "SYS-30",
    "A dead node is noticed, and its pods are replaced, within the recovery budget",
    severity="high",
    live=True,
    reason="Until the node is NotReady its pods stay in every Service, and a share of requests fails; until the "
    "toleration ends nothing replaces them.",
    remedy="Lower --node-monitor-grace-period (controller-manager) and --default-unreachable-toleration-seconds (API "
    "server) together with the kubelets' --node-status-update-frequency, and try it under load; or let the access "
    "layer check its backends itself.",
    source="S0-3; F-04",
)
def test_node_failure_time(control_plane: ControlPlane, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For each controller-manager: its monitor period (5 s unless given) and grace period (50, before 1.32 40), plus
    the longest default toleration of the API servers (300 s unless given) and the profile's `access_detection_s`, are
    at most its `recovery_budget_s`. Pods with tolerations of their own are APP-21's. Not applicable where a provider
    sets them.
    """
    managers = control_plane.pods(CONTROLLER_MANAGER)
    toleration = max(
        (
            float(flags(p).get("default-unreachable-toleration-seconds", TOLERATION_S))
            for p in control_plane.pods(API_SERVER)
        ),
        default=TOLERATION_S,
    )
    version = str(snapshot.cluster.get("version", "v1.36")).lstrip("v").split(".")
    usual = GRACE_SINCE_1_32_S if int(version[1]) >= 32 else GRACE_BEFORE_S
    for pod in managers:
        given = flags(pod)
        grace = duration_s(given.get("node-monitor-grace-period", "")) or usual
        period = duration_s(given.get("node-monitor-period", "")) or MONITOR_PERIOD_S
        total = grace + period + toleration + profile.access_detection_s
        message = (
            f"{total:g} s until pods of a dead node are replaced (grace {grace:g} s, period {period:g} s, toleration "
            f"{toleration:g} s, access layer {profile.access_detection_s:g} s), of {profile.recovery_budget_s:g} s"
        )
        within = total <= profile.recovery_budget_s
        expect(pod, within, message, path="--node-monitor-grace-period", value=given.get("node-monitor-grace-period"))
