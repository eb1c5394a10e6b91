"""Tenants: one team's mistake must not be everyone's outage."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import indexes
from fixtures.snapshot.model.policy import LimitRange, ResourceQuota
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "SYS-38",
    "Tenants are kept apart: every namespace has a quota and limits",
    severity="medium",
    reason="One namespace without a quota can take the room that the others' replacements need.",
    remedy="Give each namespace a ResourceQuota and a LimitRange; where the profile asks for pools, a nodeSelector "
    "or required node affinity, with a taint on the pool.",
    source="S4-35",
)
def test_tenants_are_apart(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each namespace in scope with a workload in it has a ResourceQuota and a LimitRange. Where the profile says
    `tenants_have_node_pools`, each of its workloads also has a nodeSelector or a required node affinity; DaemonSets
    belong on every node.
    """
    quotas = indexes.by_namespace(snapshot.of(ResourceQuota))
    limits = indexes.by_namespace(snapshot.of(LimitRange))
    for namespace in sorted({workload.namespace for workload in workloads.all()}):
        expect(f"Namespace {namespace}", quotas.get(namespace), "has no ResourceQuota", path="ResourceQuota")
        expect(f"Namespace {namespace}", limits.get(namespace), "has no LimitRange", path="LimitRange")
    if profile.tenants_have_node_pools:
        for workload in workloads.all():
            affinity = workload.spec.affinity.node_affinity if workload.spec.affinity is not None else None
            tied = workload.spec.node_selector or (affinity is not None and affinity.required is not None)
            if workload.kind != "DaemonSet":
                expect(workload, tied, "is tied to no node pool", path=f"{workload.template_path}.spec.nodeSelector")
