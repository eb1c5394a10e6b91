"""Pods: managed by something that replaces them, and all of them there."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import indexes
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-02",
    "Every workload has the Ready replicas it asks for",
    severity="high",
    live=True,
    reason="A missing replica is the one that the next fault was meant to spare.",
    remedy="Look at the pods that are not Ready (kubectl describe), and at the workload's conditions.",
    source="S0-1, S0-21",
)
def test_ready_is_desired(workloads: Workloads, expect: Expect) -> None:
    """For every Deployment, StatefulSet and ReplicaSet that runs: status.readyReplicas is at least spec.replicas (what
    an autoscaler asks for now stands there), and the controller has seen the latest spec (observedGeneration).
    DaemonSets are APP-27's.
    """
    for workload in workloads.replicated():
        wanted = workload.replicas
        if wanted == 0 or not workload.observed:
            continue
        status = workload.observed
        generation = workload.object.metadata.generation
        seen = status.observed_generation >= generation
        message = f"its controller has seen generation {status.observed_generation} of {generation}"
        expect(workload, seen, message, path="status.observedGeneration", value=status.observed_generation)
        ready = status.ready_replicas
        why = "; ".join(c.message for c in status.conditions or () if _bad(c.type, c.status) and c.message)
        message = f"{ready} of {wanted} replicas are Ready{': ' + why if why else ''}"
        expect(workload, ready >= wanted, message, path="status.readyReplicas", value=ready)


def _bad(condition: str, status: str) -> bool:
    return status == ("True" if condition == "ReplicaFailure" else "False")


@control(
    "APP-03",
    "Every long-running pod is managed by a controller",
    severity="high",
    reason="A bare pod that is evicted, or whose node dies, is gone for good: nothing makes it again.",
    remedy="Put the pod's spec into the template of a Deployment (stateless) or StatefulSet.",
    source="S0-20",
)
def test_no_bare_pods(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each pod has an owner that controls it. Left out: static pods, finished pods, Helm's hooks and tests, and one-off
    pods (restartPolicy Never or OnFailure) that no Service selects.
    """
    services = snapshot.derive(indexes.services_by_namespace)
    for pod in snapshot.of(Pod):
        if pod.static or pod.finished or not profile.in_scope(pod.namespace) or "helm.sh/hook" in pod.annotations:
            continue
        serves = any(indexes.selects(service, pod.labels) for service in services.get(pod.namespace, ()))
        if pod.spec.restart_policy == "Always" or serves:
            expect(pod, pod.controller is not None, "no controller manages it", path="metadata.ownerReferences")
