"""Disruption budgets: what keeps a drain from taking a service away, without making the drain impossible."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.budgets import Budgets
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
