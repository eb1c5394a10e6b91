"""Spread: replicas that fail together are one replica."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-17",
    "The Ready replicas of every service are on at least two nodes",
    severity="high",
    live=True,
    reason="Replicas on one node are lost together with it, however many they are.",
    remedy="Add topologySpreadConstraints (or podAntiAffinity) on kubernetes.io/hostname, then restart the rollout.",
    source="S0-11",
)
def test_ready_on_two_nodes(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For every workload that asks for two or more replicas: the nodes of its Ready pods, found through the owner
    chain, are at least the profile's `min_nodes_per_service`. A workload without any Ready pod is APP-02's finding.
    """
    for workload in workloads.serving():
        ready = workload.ready_pods
        if workload.replicas < 2 or not ready:
            continue
        nodes = sorted({pod.spec.node_name for pod in ready})
        message = f"{len(ready)} Ready pod(s), all on {', '.join(nodes)}"
        enough = len(nodes) >= profile.min_nodes_per_service
        expect(workload, enough, message, path="pods.spec.nodeName", value=nodes)
