"""Autoscaling: able to grow, never below two, and really doing it."""

from __future__ import annotations

from datetime import timedelta

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.autoscaling import Autoscaler, Autoscalers, target_of
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.policy import HorizontalPodAutoscaler, ScaledObject
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload


@control(
    "APP-23",
    "Every autoscaler has a target of its own, room to grow, and keeps at least two replicas",
    severity="high",
    reason="An autoscaler without target or without anything to measure scales nothing; with a minimum of one it makes "
    "an outage of every quiet hour; beside a fixed spec.replicas each delivery takes back what it did.",
    remedy="Point scaleTargetRef at the workload, set minReplicas to 2 or more and maxReplicas above, leave "
    "spec.replicas out of the manifest, and give the containers the request that is measured.",
    source="S0-5, S0-31",
)
def test_autoscaler_makes_sense(autoscalers: Autoscalers, profile: Profile, expect: Expect) -> None:
    """For HorizontalPodAutoscalers and KEDA's ScaledObjects (not the HorizontalPodAutoscalers that KEDA makes of them):
    the target exists; it is no other autoscaler's; the minimum (1 unless given) is at least the profile's
    `min_replicas`, unless KEDA may scale to zero; the maximum is more than the minimum. The target's spec.replicas is
    not fixed in its manifest, or in what kubectl applied last. Utilization is measured against requests, so every
    container measured has one. Targets of kinds that are not read are unknown, unless a cluster says AbleToScale.
    """
    for scaler in autoscalers.written():
        target, workload = target_of(scaler), autoscalers.workload(scaler)
        there = autoscalers.exists(scaler)
        named = f"{target.kind} {target.name}"
        if there is None:
            expect.uncertain(scaler, f"whether there is a {named} can't be seen")
        else:
            message = f"its target {named} does not exist"
            expect(scaler, there, message, path="spec.scaleTargetRef.name", value=target.name)
        rivals = autoscalers.rivals(scaler)
        expect(scaler, rivals == 1, f"{rivals} autoscalers scale {named}", path="spec.scaleTargetRef.name", value=named)
        _bounds(scaler, profile, expect)
        if workload is not None:
            _target(scaler, workload, autoscalers, expect)


def _bounds(scaler: Autoscaler, profile: Profile, expect: Expect) -> None:
    keda = isinstance(scaler, ScaledObject)
    low, high = ("spec.minReplicaCount", "spec.maxReplicaCount") if keda else ("spec.minReplicas", "spec.maxReplicas")
    floor, ceiling = scaler.floor, scaler.ceiling
    if keda and floor == 0:
        expect.note(f"{scaler.reference} scales to zero")
    else:
        enough = floor >= profile.min_replicas
        expect(scaler, enough, f"keeps {floor} replica(s), wanted {profile.min_replicas}", path=low, value=floor)
    message = f"from {floor} to {ceiling} there is no room to grow"
    expect(scaler, ceiling > floor, message, path=high, value=ceiling)


def _target(scaler: Autoscaler, workload: Workload, autoscalers: Autoscalers, expect: Expect) -> None:
    fixed = autoscalers.fixed_replicas(workload)
    message = f"fixed beside {scaler.reference}: each apply resets what it scaled"
    expect(workload, fixed in (None, 0), message, path="spec.replicas", value=fixed)
    lacking = autoscalers.unmeasurable(scaler, workload)
    message = f"utilization can't be reckoned: no request for {', '.join(lacking)}"
    expect(scaler, not lacking, message, path="spec.metrics", value=lacking)


@control(
    "APP-24",
    "Every autoscaler can measure and scale, and is not held at its maximum",
    severity="high",
    live=True,
    reason="An autoscaler without metrics, or at its maximum, lets the load grow until the service fails.",
    remedy="Look at the condition's message: mend the metrics API or the target; or raise maxReplicas and add nodes.",
    source="S0-5, S0-7",
)
def test_autoscaler_works(autoscalers: Autoscalers, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For HorizontalPodAutoscalers, KEDA's too: the conditions ScalingActive and AbleToScale are True (a target scaled
    to zero disables it: left out), and it has not been held at maxReplicas (ScalingLimited with TooManyReplicas) for
    longer than the profile's `application.max_at_ceiling_s`. One without conditions has not been looked at yet.
    """
    longest = timedelta(seconds=profile.application.max_at_ceiling_s)
    for scaler in autoscalers.horizontal():
        conditions = {c.type: c for c in scaler.status.conditions or ()}
        if not conditions:
            expect.uncertain(scaler, "its controller has said nothing about it yet")
            continue
        if "ScalingActive" in conditions and conditions["ScalingActive"].reason == "ScalingDisabled":
            continue
        for name in ("AbleToScale", "ScalingActive"):
            condition = conditions.get(name)
            if condition is not None:
                message = f"{condition.reason}: {condition.message}"
                path = f"status.conditions[{name}]"
                expect(scaler, condition.status == "True", message, path=path, value=condition.status)
        limited = conditions.get("ScalingLimited")
        since = moment(limited.last_transition_time) if limited is not None else None
        held = limited is not None and limited.status == "True" and limited.reason == "TooManyReplicas"
        if held and since is not None and _at_most(scaler):
            message = f"held at {scaler.ceiling} replicas since {since:%Y-%m-%d %H:%M} UTC"
            enough = snapshot.taken - since <= longest
            expect(scaler, enough, message, path="spec.maxReplicas", value=scaler.ceiling)


def _at_most(scaler: HorizontalPodAutoscaler) -> bool:
    return (scaler.status.current_replicas or 0) >= scaler.ceiling
