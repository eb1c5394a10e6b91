"""Nodes: somewhere for pods to go when one of them is lost."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.nodes import Nodes


@control(
    "SYS-19",
    "At least two nodes are Ready and take ordinary pods",
    severity="high",
    live=True,
    reason="When a node dies, its pods come back on another one, if there is another one.",
    remedy="Add workers, uncordon those that are cordoned for no reason, look at those that are NotReady.",
    source="S0-11",
)
def test_two_schedulable_workers(nodes: Nodes, profile: Profile, expect: Expect) -> None:
    """Nodes that are Ready, not cordoned, and without a NoSchedule or NoExecute taint, counted against the profile's
    `min_workers`. Control planes without such a taint count: pods run there.
    """
    found = [node.name for node in nodes.schedulable()]
    out = [node.name for node in nodes.all() if not node.control_plane and node.name not in found]
    message = f"{len(found)} node(s) take pods, wanted {profile.min_workers}"
    if out:
        message += f"; out of service: {', '.join(out)}"
    expect("cluster", len(found) >= profile.min_workers, message, path="nodes", value=found)


@control(
    "SYS-20",
    "Nodes that take pods are in at least two zones",
    severity="medium",
    live=True,
    reason="A zone (a room, a rack, a power feed) fails as one; replicas can only be apart where there are two.",
    remedy="Add nodes in another zone, and label all of them topology.kubernetes.io/zone.",
    source="S4-13",
)
def test_two_zones(nodes: Nodes, profile: Profile, expect: Expect) -> None:
    """Distinct values of topology.kubernetes.io/zone (or its older name) on nodes that are Ready and take ordinary
    pods, against the profile's `min_zones`. A node without the label is in no zone.
    """
    zones = sorted({node.zone for node in nodes.schedulable() if node.zone})
    bare = [node.name for node in nodes.schedulable() if not node.zone]
    message = f"{len(zones)} zone(s), wanted {profile.min_zones}"
    if bare:
        message += f"; without a zone label: {', '.join(bare)}"
    path = "metadata.labels[topology.kubernetes.io/zone]"
    expect("cluster", len(zones) >= profile.min_zones or profile.min_zones <= 1, message, path=path, value=zones)


PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


@control(
    "SYS-22",
    "No node is under pressure or without its network",
    severity="medium",
    live=True,
    reason="A node under pressure evicts pods and takes no new ones: it is already half lost.",
    remedy="Free memory, disk or process ids on the node named, or move what fills it; mend its network.",
    source="S3-1",
)
def test_no_pressure(nodes: Nodes, expect: Expect) -> None:
    """On every node MemoryPressure, DiskPressure, PIDPressure and NetworkUnavailable are not True. A condition that is
    Unknown (its kubelet is silent) can't be judged; that the node is NotReady is another control's finding.
    """
    for node in nodes.all():
        for name in PRESSURES:
            condition = node.condition(name)
            if condition is not None and condition.status == "Unknown":
                expect.uncertain(node, f"{name} is Unknown: {condition.message or condition.reason}")
                continue
            bad = condition is not None and condition.status == "True"
            message = f"{name}: {condition.message}" if condition is not None else name
            path = f"status.conditions[{name}]"
            expect(node, not bad, message, path=path, value=condition.status if condition is not None else None)


@control(
    "SYS-33",
    "One kubelet, proxy and runtime a node are accepted, because another node stands by",
    severity="low",
    live=True,
    reason="They are not made redundant within a node: the node is the unit that fails, so there must be another.",
    remedy="Add a node: with one, its kubelet, kube-proxy and container runtime are single points of failure.",
    source="S0-12",
)
def test_single_agents_are_accepted(nodes: Nodes, expect: Expect) -> None:
    """For every node: at least one other is Ready and takes ordinary pods. No finding is made of there being one
    kubelet, one proxy and one runtime on it.
    """
    schedulable = {node.name for node in nodes.schedulable()}
    for node in nodes.all():
        others = schedulable - {node.name}
        expect(node, others, "no other node could take over what runs here", path="nodes", value=sorted(others))
    expect.note("one kubelet, kube-proxy and container runtime a node: accepted, the node is the unit of failure")
