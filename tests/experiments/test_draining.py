"""A node is emptied politely: budgets are honoured, what can't be moved stays, and the way back opens it again."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import eviction
from experiments.faults.fault import Victim
from experiments.faults.node_drain import NodeDrain
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.preflight import Scenery
from fixtures.safety.rest import Rest, RestError
from fixtures.snapshot.model.cluster import Node

FULL = RestError("POST …/eviction: 429 Cannot evict pod as it would violate the pod's disruption budget.", 429)


class Api:
    """A node with pods, whose evictions answer as told. `refusals`: how many 429 each pod gives first."""

    def __init__(self, *pods: dict[str, Any], refusals: Mapping[str, int] | None = None, stuck: bool = False) -> None:
        self.pods = {p["metadata"]["name"]: p for p in pods}
        self.refusals = dict(refusals or {})
        self.stuck = stuck
        self.evicted: list[str] = []
        self.merged: list[tuple[str, Any]] = []
        self.missing_node = False

    def get(self, path: str, kind: type[Any], query: Mapping[str, str]) -> Any:
        assert query == {"fieldSelector": "spec.nodeName=worker-1"}
        return msgspec.json.decode(msgspec.json.encode({"items": list(self.pods.values())}), type=kind)

    def post(self, path: str, body: dict[str, Any], *, timeout_s: float = 5.0) -> bytes:
        name = body["metadata"]["name"]
        assert path == f"/api/v1/namespaces/shop/pods/{name}/eviction"
        assert timeout_s >= 30, "hanging up takes the room out of the budget for two minutes"
        assert body["deleteOptions"]["preconditions"]["uid"] == f"uid-{name}"
        if self.refusals.get(name, 0) > 0:
            self.refusals[name] -= 1
            raise FULL
        self.evicted.append(name)
        if self.stuck:
            self.pods[name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        else:
            del self.pods[name]
        return b""

    def merge(self, path: str, body: Any) -> bytes:
        if self.missing_node:
            raise RestError("404", 404)
        self.merged.append((path, body))
        return b""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def pod(name: str, owner: str | None = "ReplicaSet", **more: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "name": "x", "uid": "x", "apiVersion": "apps/v1", "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "ownerReferences": owners, **more},
        "spec": {"nodeName": "worker-1"},
        "status": {"phase": "Running"},
    }


def drain(api: Api, within_s: float = 60.0) -> int:
    clock = Clock()
    return eviction.evict_all(cast(Rest, api), "worker-1", within_s, clock, clock.sleep)


def test_every_pod_is_evicted_and_the_node_found_empty() -> None:
    api = Api(pod("a"), pod("b"))
    assert drain(api) == 0
    assert api.evicted == ["a", "b"]


def test_a_budget_without_room_is_waited_for_and_the_others_go_meanwhile() -> None:
    api = Api(pod("a"), pod("b"), refusals={"a": 3})
    assert drain(api) == 3
    assert api.evicted == ["b", "a"]


def test_daemons_static_pods_and_finished_ones_stay() -> None:
    finished = pod("done", "Job")
    finished["status"]["phase"] = "Succeeded"
    static = pod("static", "Node", annotations={eviction.MIRROR: "x"})
    api = Api(pod("a"), pod("daemon", "DaemonSet"), static, finished)
    drain(api)
    assert api.evicted == ["a"]


def test_a_drain_that_a_budget_blocks_for_good_ends_and_names_pod_and_reason() -> None:
    with pytest.raises(ClusterError, match=r"worker-1 is not empty after 5 s: shop/a \(.*disruption budget"):
        drain(Api(pod("a"), refusals={"a": 1000}), within_s=5.0)


def test_a_pod_that_does_not_end_is_evicted_once_and_named() -> None:
    api = Api(pod("a"), stuck=True)
    with pytest.raises(ClusterError, match=r"shop/a \(is still ending\)"):
        drain(api, within_s=5.0)
    assert api.evicted == ["a"]


def test_an_api_that_does_not_answer_for_a_moment_does_not_end_a_drain() -> None:
    api = Api(pod("a"))
    real, failures = api.get, [RestError("no answer")]

    def shaky(path: str, kind: type[Any], query: Mapping[str, str]) -> Any:
        if failures:
            raise failures.pop()
        return real(path, kind, query)

    api.get = shaky  # type: ignore[method-assign]
    drain(api)
    assert api.evicted == ["a"]


def test_uncordon_takes_the_field_away_and_a_vanished_node_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    monkeypatch.setattr(Rest, "of", lambda cluster: api)
    cluster = cast(Cluster, object())
    eviction.uncordon(cluster, "worker-1")
    assert api.merged == [("/api/v1/nodes/worker-1", {"spec": {"unschedulable": None}})]
    api.missing_node = True
    eviction.uncordon(cluster, "worker-1")


@pytest.mark.parametrize(
    ("takes", "left", "proven"), [("no", "none", True), ("no", "b", False), ("yes", "none", False), ("yes", "a", False)]
)
def test_a_drain_is_proven_by_a_closed_and_empty_node(takes: str, left: str, proven: bool) -> None:
    keys = ("worker-1 takes new pods", "evictable pods on worker-1")
    before = dict(zip(keys, ("yes", "a, b"), strict=True))
    assert NodeDrain().proven(before, dict(zip(keys, (takes, left), strict=True))) is proven


def stage(api: Api, allowed: int = 1) -> Scene:
    """A scene with two workers, and replicas of the application on both."""
    budget = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed},
    }
    pods = api.get

    def get(path: str, kind: type[Any], query: Mapping[str, str] | None = None) -> Any:
        if path.endswith("poddisruptionbudgets"):
            return msgspec.convert({"items": [budget]}, kind)
        return pods(path, kind, query or {})

    api.get = get  # type: ignore[method-assign]
    app = [SimpleNamespace(ready=True, spec=SimpleNamespace(node_name=f"worker-{n}")) for n in (1, 2)]
    return cast(Scene, SimpleNamespace(rest=api, app="Deployment shop/web", app_pods=lambda: app))


def scenery() -> Scenery:
    nodes = [{"metadata": {"name": n}, "status": {"conditions": [READY]}} for n in ("worker-1", "worker-2")]
    return Scenery(nodes=msgspec.convert(nodes, list[Node]), control_plane=[])


READY = {"type": "Ready", "status": "True"}
WORKER = Victim(kind="Node", name="worker-1", node="worker-1")


def test_a_drain_that_everything_has_room_for_may_begin() -> None:
    assert NodeDrain().blast(stage(Api(pod("a", labels={"app": "web"}))), scenery(), WORKER) == []


def test_a_pod_that_nobody_would_make_again_stops_a_drain_before_it_begins() -> None:
    [refusal] = NodeDrain().blast(stage(Api(pod("a", None))), scenery(), WORKER)
    assert "Pod shop/a: belongs to no controller" in str(refusal)


def test_a_spent_budget_stops_a_drain_before_it_begins() -> None:
    [refusal] = NodeDrain().blast(stage(Api(pod("a", labels={"app": "web"})), allowed=0), scenery(), WORKER)
    assert "PodDisruptionBudget shop/web: allows no disruption" in str(refusal)


def test_a_spent_budget_of_pods_elsewhere_does_not_concern_a_drain() -> None:
    assert NodeDrain().blast(stage(Api(pod("a", labels={"app": "other"})), allowed=0), scenery(), WORKER) == []
