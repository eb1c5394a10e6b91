"""Eviction: when a node dies, its pods must come back elsewhere soon."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.eviction import DEAD, FOREVER, tolerated_s
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-21",
    "Pods of a dead node are replaced within the recovery budget",
    severity="medium",
    reason="By default a pod waits five minutes on a node that is gone, while the service runs with one replica less: "
    "the next fault may take the last one.",
    remedy="Add tolerations for node.kubernetes.io/not-ready and node.kubernetes.io/unreachable (Exists, NoExecute) "
    "with small tolerationSeconds, or set the API servers' --default-*-toleration-seconds.",
    source="S0-3, S0-11",
)
def test_dead_node_tolerated_briefly(
    workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """For Deployments, StatefulSets and ReplicaSets that run: the tolerationSeconds of both taints are at most the
    profile's `application.max_toleration_s`, by default its `recovery_budget_s`. On a cluster the pods themselves are
    read, which carry what admission added; in manifests an absent toleration means its default, 300 s. A toleration
    without seconds holds for ever. Detecting that the node is dead comes before this: SYS-30.
    """
    most = profile.application.max_toleration_s
    most = profile.recovery_budget_s if most is None else most
    for workload in workloads.serving():
        specs = [pod.spec for pod in workload.pods] if snapshot.live else [workload.spec]
        if not specs:
            expect.uncertain(workload, "none of its pods is there to show what admission adds")
            continue
        root = "pods.spec" if snapshot.live else f"{workload.template_path}.spec"
        for taint in DEAD:
            seconds = max(tolerated_s(spec.tolerations, taint, admitted=snapshot.live) for spec in specs)
            said = "for ever" if seconds == FOREVER else f"for {seconds:g} s"
            value = None if seconds == FOREVER else seconds
            message = f"stays on a dead node {said}, wanted {most:g} s"
            expect(
                workload, seconds <= most, message, path=f"{root}.tolerations[{taint}].tolerationSeconds", value=value
            )
