"""What becomes of pods when the nodes are full."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-09",
    "Pods that no node has room for bring a node, where nodes are autoscaled",
    severity="medium",
    reason="Replicas that an autoscaler asks for serve nobody while they are Pending: without room for them pods scale "
    "on paper only.",
    remedy="An autoscaler for nodes with a group or pool that fits the pods' requests, zones and tolerations, below "
    "its maximum and its quota; room to spare where a node takes longer than a peak.",
    source="S4-36",
    live=True,
    set="complete",
)
def test_pods_without_room_bring_a_node(load: Load, expect: Expect) -> None:
    """Pods that ask for more than half of a node are made, one more than there are nodes. The scheduler must find no
    room for one; a node must come, and every pod be Ready within 300 s by default. Where no autoscaler for nodes is
    known (Karpenter's API, cluster-autoscaler's status) it does not apply."""
    judge(load("node-scaling"), "ELA-09", expect)
