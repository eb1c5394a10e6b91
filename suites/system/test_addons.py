"""Add-ons: what every pod of the cluster leans on, and must not be evicted first."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.model.workload import DaemonSet
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.workloads import Workload, Workloads

CRITICAL = ("system-node-critical", "system-cluster-critical")
SYSTEM_NAMESPACES = ("kube-system", "calico-system", "tigera-operator", "kube-flannel", "cilium", "kube-router")
NETWORK = ("kube-proxy", "calico-node", "cilium", "kube-flannel", "canal", "weave-net", "kube-router", "antrea-agent")


def agents(workloads: Workloads) -> list[Workload]:
    """DaemonSets of the system."""
    return [w for w in workloads.everywhere() if isinstance(w.object, DaemonSet) and w.namespace in SYSTEM_NAMESPACES]


@control(
    "SYS-26",
    "Node agents are ready on every node they belong on",
    severity="high",
    live=True,
    reason="A node without its proxy, network or storage agent runs pods that nobody can reach or that reach no disk.",
    remedy="Look at the DaemonSet's pods on the nodes named, and at taints that it does not tolerate.",
    source="S4-34",
)
def test_node_agents(workloads: Workloads, nodes: Nodes, expect: Expect) -> None:
    """DaemonSets of the system's namespaces: as many pods are Ready as are desired, and none is where it should not be;
    the controller has seen the latest spec. kube-proxy and network agents, unless a nodeSelector beyond the operating
    system restricts them, are desired on every node.
    """
    count = len(nodes.all())
    for workload in agents(workloads):
        daemons = workload.object
        assert isinstance(daemons, DaemonSet)
        status = daemons.status
        wanted, ready = status.desired_number_scheduled, status.number_ready
        expect(workload, ready >= wanted, f"Ready on {ready} of {wanted} nodes", path="status.numberReady", value=ready)
        stray = status.number_misscheduled
        message = f"runs on {stray} node(s) where it should not"
        expect(workload, not stray, message, path="status.numberMisscheduled", value=stray)
        selector = {k for k in workload.spec.node_selector or {} if k not in ("kubernetes.io/os", "kubernetes.io/arch")}
        if workload.name.startswith(NETWORK) and not selector and "windows" not in workload.name:
            message = f"is meant for {wanted} of {count} nodes: it does not tolerate the others' taints"
            expect(workload, wanted >= count, message, path="status.desiredNumberScheduled", value=wanted)


@control(
    "SYS-27",
    "System add-ons have a system-critical priority",
    severity="medium",
    reason="Under pressure, pods of low priority go first: cluster DNS and the network agents would be among them.",
    remedy="Set priorityClassName: system-node-critical for node agents, system-cluster-critical for the others.",
    source="Kubernetes: Guaranteed Scheduling For Critical Add-On Pods",
)
def test_addons_have_priority(workloads: Workloads, expect: Expect) -> None:
    """Deployments, StatefulSets and DaemonSets in kube-system have priorityClassName system-node-critical or
    system-cluster-critical, or a priority of 2,000,000,000 or more. Jobs, and what is scaled to zero, are left out.
    """
    for workload in workloads.everywhere():
        if workload.namespace != "kube-system" or workload.kind in ("Job", "CronJob"):
            continue
        if workload.replicated and workload.effective_replicas == 0:
            continue
        spec = workload.spec
        enough = spec.priority_class_name in CRITICAL or (spec.priority or 0) >= 2_000_000_000
        message = f"has priority class {spec.priority_class_name or 'none'}"
        path = f"{workload.template_path}.spec.priorityClassName"
        expect(workload, enough, message, path=path, value=spec.priority_class_name)
