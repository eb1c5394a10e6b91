"""Rollouts: an update must never take a service away."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.arithmetic import Malformed
from fixtures.snapshot.rollout import rollout
from fixtures.snapshot.workloads import Workloads


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
