"""The time it takes to notice a dead node, computed before one dies."""

from __future__ import annotations

import re

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
    """For each controller-manager: a dead node is NotReady, and out of every Service, after its monitor period (5 s
    unless given), its grace period (50, before 1.32 40) and the profile's `access_detection_s`: at most
    `recovery_budget_s`. Its pods are replaced from the longest default toleration of the API servers (300 s unless
    given) after that: at most the budget of F-04 for `replacement-ready`, which is `recovery_budget_s` too unless the
    profile says otherwise. Pods with tolerations of their own are APP-21's. Not applicable where a provider sets these.
    """
    managers = control_plane.pods(CONTROLLER_MANAGER)
    flag = "default-unreachable-toleration-seconds"
    given_s = [float(flags(pod).get(flag, TOLERATION_S)) for pod in control_plane.pods(API_SERVER)]
    toleration = max(given_s, default=TOLERATION_S)
    replaced_budget = profile.budget("F-04", "replacement-ready")
    usual = GRACE_BEFORE_S if _before_1_32(str(snapshot.cluster.get("version", ""))) else GRACE_SINCE_1_32_S
    for pod in managers:
        given = flags(pod)
        grace = duration_s(given.get("node-monitor-grace-period", "")) or usual
        period = duration_s(given.get("node-monitor-period", "")) or MONITOR_PERIOD_S
        noticed = grace + period + profile.access_detection_s
        parts = f"grace {grace:g} s, period {period:g} s, access layer {profile.access_detection_s:g} s"
        message = f"{noticed:g} s until a dead node gets no more traffic ({parts}), of {profile.recovery_budget_s:g} s"
        path, value = "--node-monitor-grace-period", given.get("node-monitor-grace-period")
        expect(pod, noticed <= profile.recovery_budget_s, message, path=path, value=value)
        replaced = noticed + toleration
        message = f"{replaced:g} s until its pods are replaced (toleration {toleration:g} s), of {replaced_budget:g} s"
        expect(pod, replaced <= replaced_budget, message, path=f"--{flag}", value=toleration)


def _before_1_32(version: str) -> bool:
    match = re.match(r"v?1\.(\d+)", version)
    return match is not None and int(match[1]) < 32
