"""Rollouts: an update must never take a service away."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import timing
from fixtures.snapshot.arithmetic import Malformed
from fixtures.snapshot.budgets import Budgets
from fixtures.snapshot.model.workload import DaemonSet, Deployment, ReplicaSet, ReplicationController, StatefulSet
from fixtures.snapshot.rollout import exceeds, rollout
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "APP-09",
    "A rolling update keeps at least one pod serving and can make progress",
    severity="high",
    reason="Recreate, or a maxUnavailable as large as the workload, takes every old pod away before a new one serves.",
    remedy="Use RollingUpdate with maxUnavailable smaller than the replicas (0 with maxSurge 1 never goes below them).",
    source="S0-26, S0-27",
)
def test_rolling_update(workloads: Workloads, expect: Expect) -> None:
    """For Deployments and StatefulSets that run: the strategy is RollingUpdate; maxUnavailable, a percentage rounded
    down against the fewest replicas, leaves at least one; and it is not zero together with maxSurge. Absent means 25 %
    of both for a Deployment, 1 pod for a StatefulSet. A StatefulSet's OnDelete, unless an operator owns it, and a
    partition that holds every pod back are findings too: the update never arrives. A StatefulSet of one pod can't be
    updated without an outage, which is APP-01's finding.
    """
    for workload in workloads.serving():
        try:
            plan = rollout(workload)
        except Malformed as error:
            expect(workload, False, str(error))
            continue
        if plan is not None:
            expect(workload, not plan.wrong, plan.wrong, path=plan.path, value=plan.value)


@control(
    "APP-10",
    "A rolling update keeps as many pods as the disruption budget promises",
    severity="high",
    reason="Rollouts don't ask the budget: one that takes more pods than the budget allows leaves fewer than the "
    "service needs, and blocks every drain meanwhile.",
    remedy="Make the strategy's maxUnavailable no larger than what the budget lets go; 0 with maxSurge 1 always fits.",
    source="S0-26, S0-27; Kubernetes: Disruptions",
)
def test_rollout_keeps_the_budget(workloads: Workloads, budgets: Budgets, expect: Expect) -> None:
    """For every budget over a Deployment or StatefulSet, with every number of replicas between the fewest and the most
    that its autoscaler may choose: replicas - maxUnavailable of the strategy (a percentage rounded down) is at least
    what the budget keeps (rounded up). Other workloads under the same budget count with their fewest replicas, all
    serving. Budgets that keep every pod are APP-13's, strategies that leave none APP-09's.
    """
    for workload in workloads.serving():
        if not isinstance(workload.object, Deployment | StatefulSet):
            continue
        for budget in workload.budgets:
            others = sum(w.effective_replicas for w in budgets.guarded(budget)) - workload.effective_replicas
            try:
                broken = exceeds(workload, budget, others)
            except Malformed:
                continue  # APP-09 or APP-13 names it
            message, path = "", "spec.strategy.rollingUpdate.maxUnavailable"
            if isinstance(workload.object, StatefulSet):
                path = "spec.updateStrategy.rollingUpdate.maxUnavailable"
            if broken is not None:
                message = f"with {broken[0]} pods an update leaves {broken[1]}, budget {budget.name} keeps {broken[2]}"
            expect(workload, broken is None, message, path=path, value=_max_unavailable(workload))


def _max_unavailable(workload: Workload) -> int | str | None:
    if isinstance(workload.object, Deployment):
        update = workload.object.spec.strategy.rolling_update
    else:
        update = (
            workload.object.spec.update_strategy.rolling_update if isinstance(workload.object, StatefulSet) else None
        )
    return None if update is None else update.max_unavailable


@control(
    "APP-11",
    "A rollout waits until a new pod has proved itself, and no longer than starting can take",
    severity="low",
    reason="Without minReadySeconds a pod that answers once and dies counts as success, and the rollout goes on to the "
    "next one. A deadline shorter than a slow start calls good rollouts failed.",
    remedy="Set spec.minReadySeconds to a few seconds, and progressDeadlineSeconds above the start-up probes' room.",
    source="S0-26; Kubernetes: Deployments",
)
def test_rollout_timing(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For Deployments and StatefulSets: minReadySeconds is at least the profile's `application.min_ready_s`. For
    Deployments, progressDeadlineSeconds (600 unless given) is more than minReadySeconds and the longest that probes
    let a container start: the startup probe's initialDelay + period x failureThreshold, or readiness' initialDelay.
    """
    least = profile.application.min_ready_s
    for workload in workloads.serving():
        maker = workload.object
        if not isinstance(maker, Deployment | StatefulSet):
            continue
        wait = maker.spec.min_ready_seconds
        message = f"a pod counts as available after {wait} s of being Ready, wanted {least:g} s"
        expect(workload, wait >= least, message, path="spec.minReadySeconds", value=wait)
        if isinstance(maker, Deployment):
            given = maker.spec.progress_deadline_seconds
            deadline = 600 if given is None else given
            room = timing.start_room_s(workload.spec) + wait
            message = f"the rollout fails after {deadline} s, but a pod may take {room} s"
            expect(workload, deadline > room, message, path="spec.progressDeadlineSeconds", value=given)


@control(
    "APP-34",
    "A changed template makes new pods, and the former one can be brought back",
    severity="medium",
    reason="A change that reaches no pod until someone deletes it, and a bad version without its predecessor, both "
    "need a person at the worst moment.",
    remedy="Leave revisionHistoryLimit above 0, don't pause Deployments, use RollingUpdate, and a Deployment instead "
    "of a bare ReplicaSet or ReplicationController.",
    source="S0-2; Kubernetes: Deployments",
)
def test_rollback(workloads: Workloads, expect: Expect) -> None:
    """For Deployments, StatefulSets and DaemonSets: revisionHistoryLimit is not 0 (absent means 10). A Deployment is
    not paused; a DaemonSet that no operator owns does not update OnDelete (StatefulSets are APP-09's). A ReplicaSet
    or ReplicationController that nothing owns never replaces its pods.
    """
    for workload in workloads.long_running():
        maker = workload.object
        if isinstance(maker, ReplicaSet | ReplicationController):
            expect(
                workload, False, f"a change of a {maker.kind}'s template reaches no pod", path="kind", value=maker.kind
            )
        elif isinstance(maker, Deployment | StatefulSet | DaemonSet):
            limit = maker.spec.revision_history_limit
            expect(workload, limit != 0, "no former version is kept", path="spec.revisionHistoryLimit", value=limit)
        if isinstance(maker, Deployment):
            message = "paused: changes wait until someone resumes it"
            expect(workload, not maker.spec.paused, message, path="spec.paused", value=maker.spec.paused)
        if isinstance(maker, DaemonSet) and maker.controller is None:
            kind = maker.spec.update_strategy.type
            message = f"update strategy {kind}: a change waits until someone deletes each pod"
            expect(workload, kind == "RollingUpdate", message, path="spec.updateStrategy.type", value=kind)
