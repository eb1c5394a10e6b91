"""Enough instances: S0's first demand of every service."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-01",
    "Every service runs at least two replicas",
    severity="high",
    reason="With one replica, the loss of its pod or its node is an outage until another one is scheduled and Ready.",
    remedy="Set spec.replicas to 2 or more; where an autoscaler decides, set its minReplicas (KEDA: minReplicaCount).",
    source="S0-31",
)
def test_two_replicas(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """The fewest pods a Deployment, StatefulSet or ReplicaSet may run with is at least the profile's `min_replicas`.
    Where an autoscaler (HPA, KEDA) targets it, its minimum counts instead of spec.replicas, which it overwrites.
    Workloads scaled to zero, and those that Knative scales, are left out.
    """
    for workload in workloads.serving():
        count = workload.effective_replicas
        path, value = workload.replicas_evidence
        message = f"{count} replica(s), wanted {profile.min_replicas}"
        expect(workload, count >= profile.min_replicas, message, path=path, value=value)
