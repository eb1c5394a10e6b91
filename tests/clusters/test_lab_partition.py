"""What the lab's bridge is told when a part of its network is cut off."""

from __future__ import annotations

from fixtures.clusters.cluster import Direction
from fixtures.clusters.lab import partition
from fixtures.clusters.lab.layout import Topology


def test_one_way_is_cut_by_rules_of_that_way_only() -> None:
    nodes = Topology().nodes()[:1]
    inbound, outbound = (partition.rules(nodes, way) for way in (Direction.IN, Direction.OUT))
    assert "iifname != @inside oifname @inside" in inbound
    assert "    iifname @inside" not in inbound
    assert "iifname @inside oifname != @inside" in outbound
    assert "    oifname @inside" not in outbound
    assert partition.rules(nodes, Direction.BOTH).count(" drop\n") == 4


def test_a_partition_names_the_cables_of_every_boot() -> None:
    rules = partition.rules(Topology().nodes()[:2], Direction.BOTH)
    assert 'elements = { "n0.*", "n1.*" }' in rules
