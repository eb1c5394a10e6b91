"""Pods: managed by something that replaces them, all of them there, and not dying again and again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import indexes
from fixtures.snapshot.leases import moment
from fixtures.snapshot.matching import BySelector
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.pod import ContainerStatus, Pod
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads

LONGEST_BACKOFF_S = 300  # of the kubelet, between two starts of a container that fails


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
    services = snapshot.derive(indexes.services_by_selector)
    for pod in snapshot.of(Pod):
        if pod.finished or not profile.in_scope(pod.namespace) or "helm.sh/hook" in pod.annotations or pod.static:
            continue
        if pod.spec.restart_policy == "Always" or _called(pod, services):
            expect(pod, pod.controller is not None, "no controller manages it", path="metadata.ownerReferences")


def _called(pod: Pod, services: BySelector[Service]) -> bool:
    return any(indexes.selects(service, pod.labels) for service in services.candidates(pod.namespace, pod.labels))


@control(
    "APP-30",
    "No container crashes again and again, or is killed for want of memory",
    severity="high",
    live=True,
    reason="A container that keeps dying serves in between just long enough to look alive; its replicas carry its load "
    "until they die of it too.",
    remedy="Read the container's last words (kubectl logs --previous); raise the memory limit or mend the leak; give a "
    "slow start a startupProbe.",
    source="S3-1",
)
def test_no_crashes(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Every pod in scope that is not finished, Jobs' too: no container waits in CrashLoopBackOff, or has just failed
    for the second time within its longest back-off, 5 min; none was OOMKilled within the profile's
    `application.recent_s`; and none that stopped within that time has been restarted more often
    than `application.max_restarts_per_day` for each day, or part of one, that the pod has existed.
    """
    for pod in snapshot.of(Pod):
        if pod.finished or not profile.in_scope(pod.namespace):
            continue
        expect(pod, True)
        for field, statuses in (
            ("initContainerStatuses", pod.status.init_container_statuses),
            ("containerStatuses", pod.status.container_statuses),
        ):
            for number, status in enumerate(statuses or ()):
                now = status.state
                if status.last_state is not None or (now is not None and (now.waiting or now.terminated)):
                    for message, path, value in _dying(pod, status, snapshot.taken, profile):
                        expect(pod, False, message, path=f"status.{field}[{number}].{path}", value=value)


def _failed_again(status: ContainerStatus) -> bool:
    """Whether a container has failed twice in a row, as one that will be backed off next."""
    now = status.state.terminated if status.state is not None else None
    before = status.last_state.terminated if status.last_state is not None else None
    if now is None or before is None or not now.exit_code or not before.exit_code:
        return False
    ended, former = moment(now.finished_at), moment(before.finished_at)
    return ended is not None and former is not None and (ended - former).total_seconds() <= LONGEST_BACKOFF_S


def _dying(pod: Pod, status: ContainerStatus, now: datetime, profile: Profile) -> Iterator[tuple[str, str, Any]]:
    bounds = profile.application
    waiting = status.state.waiting if status.state is not None else None
    if waiting is not None and waiting.reason == "CrashLoopBackOff":
        message = f"container {status.name} keeps dying: {waiting.message or waiting.reason}"
        yield message, "state.waiting.reason", waiting.reason
    elif _failed_again(status):
        yield f"container {status.name} keeps dying", "restartCount", status.restart_count
    recent = False
    for field, state in (("state", status.state), ("lastState", status.last_state)):
        ended = state.terminated if state is not None else None
        at = moment(ended.finished_at) if ended is not None else None
        if ended is None or at is None or (now - at).total_seconds() > bounds.recent_s:
            continue
        recent = True
        if ended.reason == "OOMKilled":
            yield f"container {status.name} was killed for want of memory", f"{field}.terminated.reason", ended.reason
    born = moment(pod.metadata.creation_timestamp)
    days = max(1, -(-(now - born).total_seconds() // 86_400)) if born is not None else 1
    if recent and status.restart_count > bounds.max_restarts_per_day * days:
        message = (
            f"container {status.name} was restarted {status.restart_count} times in {days:g} day(s), "
            f"wanted {bounds.max_restarts_per_day:g} a day at most"
        )
        yield message, "restartCount", status.restart_count
