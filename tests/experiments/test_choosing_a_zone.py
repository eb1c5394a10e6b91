"""Which zone falls, and which must not. Made-up clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import elections, etcd, workers
from experiments.faults.fault import NoVictimError
from experiments.faults.zone_outage import ZoneOutage
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError, Node
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Scenery
from fixtures.safety.undo import call
from fixtures.snapshot.model import cluster as model

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
MASTER = "node-role.kubernetes.io/control-plane"


@pytest.fixture(autouse=True)
def leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """master-2 leads etcd and the scheduler."""
    leads = etcd.Leadership(leader="master-2", term=3, asked="etcd-master-2")
    monkeypatch.setattr(etcd, "leadership", lambda scene: leads)
    monkeypatch.setattr(elections, "leads", lambda scene, node: ["kube-scheduler"] if node == "master-2" else [])


def cluster(zones: Sequence[str] = "abc") -> list[Node]:
    return [
        Node(name=f"{role}-{n}", role=role, address="", zone=f"zone-{zone}")
        for n, zone in enumerate(zones, 1)
        for role in ("master", "worker")
    ]


def pod(node: str, **labels: str) -> Pod:
    body = {"metadata": {"name": f"on-{node}", "labels": labels}, "spec": {"nodeName": node}, "status": READY}
    return msgspec.convert(body, Pod)


def stage(nodes: Sequence[Node], pods: Mapping[str, int]) -> Scene:
    app = [pod(node) for node, count in pods.items() for _ in range(count)]
    provider = SimpleNamespace(name="made-up", nodes=lambda: list(nodes), reference=lambda: {"provider": "made-up"})
    return cast(Scene, SimpleNamespace(cluster=provider, app="Deployment shop/web", app_pods=lambda: app))


def scenery(nodes: Sequence[Node]) -> Scenery:
    def labels(node: Node) -> dict[str, str]:
        return {MASTER: ""} if node.role == "master" else {}

    seen: list[Any] = [{"metadata": {"name": n.name, "labels": labels(n)}, "status": READY} for n in nodes]
    members = [pod(n.name, component="etcd") for n in nodes if n.role == "master"]
    return Scenery(nodes=msgspec.convert(seen, list[model.Node]), control_plane=members)


def test_the_leader_s_zone_falls_whatever_runs_there() -> None:
    victim = ZoneOutage().choose(stage(cluster(), {"worker-3": 4}), "leader")
    assert (victim.name, victim.node) == ("zone-b", "master-2,worker-2")
    assert victim.why == "leads etcd, leads kube-scheduler, runs 0 of 4 Ready pods of Deployment shop/web"


def test_of_the_others_the_one_with_most_pods_falls() -> None:
    victim = ZoneOutage().choose(stage(cluster(), {"worker-1": 1, "worker-2": 2, "worker-3": 2}), "follower")
    assert victim.name == "zone-c"


def test_the_only_zone_is_not_taken() -> None:
    with pytest.raises(NoVictimError, match=r"made-up has 1 zone\(s\)"):
        ZoneOutage().choose(stage(cluster("aaa"), {"worker-1": 4}), "leader")


def test_a_zone_may_fall_when_quorum_and_replicas_stay() -> None:
    scene = stage(cluster(), {"worker-1": 2, "worker-2": 2})
    assert ZoneOutage().blast(scene, scenery(cluster()), ZoneOutage().choose(scene, "leader")) == []


def test_a_zone_that_holds_the_quorum_must_not_fall() -> None:
    nodes = cluster("abb")  # masters 2 and 3 share a zone
    scene = stage(nodes, {"worker-1": 2, "worker-2": 2})
    refusals = ZoneOutage().blast(scene, scenery(nodes), ZoneOutage().choose(scene, "leader"))
    assert [str(r).split(";")[0] for r in refusals] == [
        "etcd (3 members): 1 healthy without master-2, master-3, worker-2, worker-3, a majority is 2"
    ]


def test_a_zone_that_holds_every_replica_must_not_fall() -> None:
    scene = stage(cluster(), {"worker-2": 4})
    [refusal] = ZoneOutage().blast(scene, scenery(cluster()), ZoneOutage().choose(scene, "leader"))
    assert "all 4 Ready pods are on master-2, worker-2" in str(refusal)


def test_all_nodes_lose_power_though_one_can_not_be_reached() -> None:
    off: list[str] = []

    def power_off(node: str) -> None:
        off.append(node)
        if node == "master-2":
            raise ClusterError("master-2 does not answer")

    scene = stage(cluster(), {"worker-3": 4})
    cast(Any, scene.cluster).power_off = power_off
    with pytest.raises(ClusterError, match="master-2"):
        ZoneOutage().inject(scene, ZoneOutage().choose(scene, "leader"))
    assert sorted(off) == ["master-2", "worker-2"]


def test_the_way_back_switches_every_node_on_though_one_fails() -> None:
    on: list[str] = []

    def power_on(node: str) -> None:
        on.append(node)
        if node == "master-2":
            raise ClusterError("master-2 did not boot")

    scene = stage(cluster(), {"worker-3": 4})
    back = ZoneOutage().way_back(scene, ZoneOutage().choose(scene, "leader"))
    assert back is not None
    assert back.function == f"{workers.__name__}:switch_on"
    again = cast(Cluster, SimpleNamespace(power_on=power_on))
    with pytest.raises(ClusterError, match="did not boot"):  # so the journal keeps the entry, and it is tried again
        call(back, lambda reference: again)
    assert on == ["master-2", "worker-2"]
