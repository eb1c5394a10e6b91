"""Many clusters under one hub (Open Cluster Management): each can be lost, the hub can be cut off."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import keys
from fixtures.snapshot.leases import CLOCKS_S, Leases
from fixtures.snapshot.loose import condition, text, whole
from fixtures.snapshot.model.delivery import ManagedCluster, Placement
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads

HUB = ("open-cluster-management", "open-cluster-management-hub")
CONDITIONS = {
    "HubAcceptedManagedCluster": "the hub has not accepted it",
    "ManagedClusterJoined": "it has not joined",
    "ManagedClusterConditionAvailable": "it is not available",
}
LEASE = "managed-cluster-lease"
LEASE_S = 60  # where spec.leaseDurationSeconds is 0
GRACE = 5  # leases long: the hub's own patience (pkg/registration/hub/lease)


@control(
    "LCM-04",
    "The multi-cluster hub is redundant, its clusters are there, and it holds no key to them",
    severity="high",
    live=True,
    reason="A hub that fails stops delivery and relocation; one that holds keys opens every cluster at once.",
    remedy="Three control planes for the hub; look at the klusterlet of missing clusters; let clusters pull instead.",
    source="S1-8, S1-13, S1-17, S1-18, S1-20, S1-21, S1-22",
)
def test_hub(workloads: Workloads, snapshot: Snapshot, leases: Leases, profile: Profile, expect: Expect) -> None:
    """Where there are ManagedClusters: every Deployment in the hub's namespaces has `lifecycle.min_hub_replicas` Ready
    pods; each cluster is accepted, has joined and is available (conditions), its lease renewed within five times
    its duration, as the hub counts; each Placement is satisfied; and no Secret holds a cluster's credentials (by the
    labels of KubeVela and Argo CD, or the names in `lifecycle.cluster_keys`), except those that ManagedServiceAccounts
    rotate and the agent's own towards the hub.
    """
    clusters = snapshot.of(ManagedCluster)
    if not clusters:
        expect.not_applicable("no ManagedCluster: this is no hub")
    wanted = profile.lifecycle.min_hub_replicas
    for workload in workloads.everywhere():
        if workload.namespace in HUB and workload.kind == "Deployment" and workload.effective_replicas > 0:
            ready = workload.observed.ready_replicas if workload.observed else 0
            message = f"{ready} Ready pod(s), wanted {wanted}"
            expect(workload, ready >= wanted, message, path="status.readyReplicas", value=ready)
    for cluster in clusters:
        _there(cluster, leases, expect)
    for placement in snapshot.of(Placement):
        found = condition(placement.status, "PlacementSatisfied")
        said = text(found, "status")
        message = f"not satisfied: {text(found, 'message') or 'nothing was decided yet'}"
        expect(placement, said == "True", message, path="status.conditions[PlacementSatisfied]", value=said)
    try:
        for secret, path in keys.of_clusters(snapshot, profile.lifecycle.cluster_keys):
            expect(secret, False, "the hub keeps a cluster's credentials", path=path, value=secret.name)
    except Unreadable as error:
        expect.uncertain("hub", f"whether it holds clusters' keys: {error}")


def _there(cluster: ManagedCluster, leases: Leases, expect: Expect) -> None:
    if cluster.spec.get("hubAcceptsClient") is not True:
        message = "the hub does not accept it"
        value = cluster.spec.get("hubAcceptsClient")
        expect(cluster, False, message, path="spec.hubAcceptsClient", value=value)
        return
    for kind, wrong in CONDITIONS.items():
        found = condition(cluster.status, kind)
        said = text(found, "status")
        message = f"{wrong}: {text(found, 'message')}".rstrip(": ")
        expect(cluster, said == "True", message, path=f"status.conditions[{kind}]", value=said)
    lease = leases.named(cluster.name, LEASE)
    if lease is None:
        expect(cluster, False, "it has no lease on the hub", path=f"Lease {cluster.name}/{LEASE}")
        return
    patience = GRACE * (whole(cluster.spec, "leaseDurationSeconds") or LEASE_S)
    age = leases.age_s(lease)
    message = f"its agent last renewed {'never' if age is None else f'{age:.0f} s ago'}, allowed are {patience} s"
    fresh = age is not None and age <= patience + CLOCKS_S
    expect(cluster, fresh, message, path=f"Lease {cluster.name}/{LEASE} spec.renewTime", value=lease.spec.renew_time)
