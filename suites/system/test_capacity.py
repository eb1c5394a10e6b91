"""Capacity: room for what a lost node leaves behind."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.capacity import homeless, load
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.model.upkeep import KarpenterNodePool
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads

STATUS = ("kube-system", "cluster-autoscaler-status")


@control(
    "SYS-21",
    "The pods of any one node fit on the others",
    severity="high",
    live=True,
    reason="Pods of a dead node come back elsewhere only where there is room: otherwise they stay Pending.",
    remedy="Add a node, lower requests that are not used, or relax selectors and anti-affinity that leave no place.",
    source="S0-11; N+1",
)
def test_any_node_may_go(snapshot: Snapshot, expect: Expect) -> None:
    """For each node that takes pods, its pods (those of DaemonSets and static ones stay with it) are placed on the
    other Ready nodes, largest requests first: CPU, memory and the number of pods, taints, nodeSelector, required node
    affinity and required anti-affinity by host name are kept. What was placed that way fits; a better packing may
    exist where this one fails. Spread constraints and volumes' zones are not considered.
    """
    for name, room in snapshot.derive(load).rooms.items():
        lost = [pod.reference.partition(" ")[2] for pod in homeless(snapshot, name)]
        shown = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        message = f"when it dies, {len(lost)} of its pods fit nowhere: {shown}"
        expect(room.node, not lost, message, path="pods", value=lost)


@control(
    "SYS-35",
    "Nodes can be added on demand",
    severity="low",
    live=True,
    reason="Pods that scale out need machines to scale onto; by hand, that takes as long as someone takes to wake up.",
    remedy="Run Cluster Autoscaler or Karpenter, turn on the provider's node-pool autoscaling, or waive this where "
    "machines are fixed.",
    source="S4-36",
)
def test_nodes_on_demand(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """A running Deployment named cluster-autoscaler, its status ConfigMap, or a Karpenter NodePool. Where a provider
    runs the control plane it may add nodes without any of these: unknown then, unless the profile states it.
    """
    running = any("cluster-autoscaler" in w.name and w.effective_replicas > 0 for w in workloads.everywhere())
    reports = any((m.namespace, m.name) == STATUS for m in snapshot.of(ConfigMap))
    found = running or reports or bool(snapshot.of(KarpenterNodePool))
    if not found and "SYS-35" in profile.statements:
        expect.stated("cluster", profile.statements["SYS-35"])
    elif not found and profile.control_plane == "hidden":
        expect.unknown("neither Cluster Autoscaler nor Karpenter is to be seen; the provider may add nodes by itself")
    else:
        expect("cluster", found, "neither Cluster Autoscaler nor Karpenter runs here", path="nodes")
