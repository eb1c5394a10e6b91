"""Disruption budgets: what keeps a drain from taking a service away, without making the drain impossible."""

from __future__ import annotations

import msgspec

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.arithmetic import Malformed
from fixtures.snapshot.budgets import Budgets
from fixtures.snapshot.operators import maker
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-12",
    "Workloads of several replicas have a disruption budget",
    severity="medium",
    reason="A drain or an upgrade may evict all replicas at once where no budget says how many must stay.",
    remedy="Add a PodDisruptionBudget (policy/v1) that selects the pods, with maxUnavailable 1.",
    source="S0-31; Kubernetes: Disruptions",
)
def test_budget_present(workloads: Workloads, expect: Expect) -> None:
    """For every workload that runs with at least two pods, some PodDisruptionBudget of its namespace selects its pod
    template's labels. An absent selector selects nothing, an empty one the whole namespace.
    """
    for workload in workloads.serving():
        if workload.effective_replicas >= 2:
            message = "no PodDisruptionBudget selects its pods"
            expect(workload, workload.budgets, message, path="spec.template.metadata.labels", value=workload.pod_labels)


@control(
    "APP-13",
    "Disruption budgets leave room for a drain",
    severity="high",
    reason="A budget that allows no disruption blocks every drain, so nodes can't be repaired or upgraded.",
    remedy="Use maxUnavailable 1, or keep minAvailable below the fewest replicas; then look at pods that aren't Ready.",
    source="Kubernetes: Specifying a Disruption Budget",
)
def test_budget_allows_a_drain(budgets: Budgets, profile: Profile, expect: Expect) -> None:
    """With all pods healthy, the budget lets at least one go: counted as the disruption controller counts, percentages
    rounded up, against the sum of the fewest replicas of all workloads that the budget selects. A live cluster's own
    answer is judged beside it: disruptionsAllowed is at least 1 while all expected pods are healthy, and the
    controller could compute it. A budget that selects nothing that runs is APP-15's matter.
    """
    for budget in budgets.in_scope():
        room = budgets.room(budget)
        if room is None:
            continue
        expect(budget, not room.wrong, room.wrong, path=room.path, value=room.value)


@control(
    "APP-14",
    "Every disruption budget keeps at least one pod",
    severity="medium",
    reason="A budget that lets all pods go looks like protection and is none: one drain may take the whole service.",
    remedy="Use maxUnavailable 1 (or minAvailable of at least 1) instead of 100 %, 0, or more than there are pods.",
    source="S0-31; Kubernetes: Specifying a Disruption Budget",
)
def test_budget_protects(budgets: Budgets, expect: Expect) -> None:
    """What the budget keeps of the fewest replicas of all workloads that it selects, percentages rounded up, is at
    least one. Of pods that no known workload makes, a live cluster's status.desiredHealthy. A budget without either
    number keeps none. Where a single pod runs there is nothing to keep without blocking the drain: that is APP-01's.
    """
    for budget in budgets.in_scope():
        try:
            kept = budgets.kept(budget)
        except Malformed:
            continue  # APP-13 names it
        if kept is not None:
            spec = budget.spec
            path = "spec.minAvailable" if spec.max_unavailable is None else "spec.maxUnavailable"
            value = spec.min_available if spec.max_unavailable is None else spec.max_unavailable
            expect(budget, kept[0] >= 1, f"keeps {kept[0]} of {kept[1]} pods", path=path, value=value)


@control(
    "APP-15",
    "Every pod is under at most one disruption budget, and every budget selects pods",
    severity="medium",
    reason="The eviction API refuses pods under two budgets, so their node can't be drained; a budget that selects "
    "nothing protects nothing, most often because a label was changed.",
    remedy="Make the budgets' selectors those of one workload each; delete those of workloads that are gone.",
    source="Kubernetes: Disruptions",
)
def test_one_budget_a_pod(budgets: Budgets, snapshot: Snapshot, expect: Expect) -> None:
    """Judged by the labels of pod templates, of a live StatefulSet's own pods, and of live pods that no known workload
    makes. A budget selects some template (scaled to zero or not) or some pod; on manifests with custom objects that may
    make pods, one that selects nothing is unknown.
    """
    for budget in budgets.in_scope():
        selects = budgets.selected(budget)
        if not selects and (operated := maker(snapshot, budget.namespace)):
            expect.uncertain(budget, f"selects nothing in these manifests, but {operated} may make such pods")
            continue
        value = msgspec.to_builtins(budget.spec.selector)
        message = "selects no pod" if value is not None else "has no selector, so it selects no pod"
        expect(budget, selects, message, path="spec.selector", value=value)
    for subject, found in budgets.over():
        names = sorted(budget.name for budget in found)
        message = f"under {len(found)} disruption budgets: {', '.join(names)}"
        expect(subject, len(found) == 1, message, path="metadata.labels", value=names)


@control(
    "APP-16",
    "Disruption budgets let pods be evicted that don't work anyway",
    severity="low",
    reason="By default pods that are not Ready can only be evicted while enough others are healthy: a broken rollout "
    "blocks the drain that might repair it.",
    remedy="Set spec.unhealthyPodEvictionPolicy: AlwaysAllow.",
    source="Kubernetes: Specifying a Disruption Budget",
)
def test_unhealthy_pods_may_go(budgets: Budgets, expect: Expect) -> None:
    """spec.unhealthyPodEvictionPolicy is AlwaysAllow; absent means IfHealthyBudget. Budgets that an operator owns are
    left out: it would put its own value back.
    """
    for budget in budgets.in_scope():
        if budget.controller is None:
            policy = budget.spec.unhealthy_pod_eviction_policy
            message = f"{policy or 'IfHealthyBudget'}: broken pods can block a drain"
            path = "spec.unhealthyPodEvictionPolicy"
            expect(budget, policy == "AlwaysAllow", message, path=path, value=policy)
