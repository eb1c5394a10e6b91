"""What an autoscaler does and says without metrics, and what must not notice at all. Synthetic, no cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import autoscaled, metrics_gone
from experiments.faults.autoscaled import Scaled
from experiments.faults.fault import NoVictimError, Victim
from experiments.faults.metrics_gone import API, PROMETHEUS, SERVER, MetricsGone, unnoticed
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.rest import Rest, RestError
from fixtures.safety.undo import UndoError

FAULT = MetricsGone()
VICTIM = Victim(kind="Deployment", name="metrics-server", namespace="kube-system", target=SERVER, mark="scaled-1")


def change(at: float, subject: str, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=None, new=new)


def sizes(*seen: tuple[int, str]) -> list[Change]:
    """One change a second, the first at 0.0; metrics go at 0.5."""
    return [
        change(float(n), "scaled/scaled-1", Scaled(size=size, desired=size, active=active))
        for n, (size, active) in enumerate(seen)
    ]


def test_a_size_that_was_kept_is_compared_with_the_one_at_the_injection() -> None:
    kept = [autoscaled.kept(autoscaled.states(sizes(*seen), "scaled-1", 0.5)).verdict for seen in (
        [(3, "True"), (3, "False: FailedGetResourceMetric")],
        [(3, "True"), (2, "False: FailedGetResourceMetric"), (3, "True")],
        [(2, "True"), (3, "True")],
        [],
    )]  # fmt: skip
    assert kept == ["pass", "fail", "pass", "unknown"]


def test_what_became_of_ours_after_healing_does_not_count() -> None:
    changes = [*sizes((3, "True"), (3, "False: x")), change(9.0, "scaled/scaled-1", None)]
    assert autoscaled.kept(autoscaled.states(changes, "scaled-1", 0.5)).verdict == "pass"


def test_an_autoscaler_that_says_why_it_does_not_act_is_what_is_waited_for() -> None:
    changes = sizes((3, "True"), (3, "True"), (3, "False: FailedGetResourceMetric"))
    [recovery] = FAULT.recoveries(cast(Scene, None), VICTIM, changes, 0.5)
    assert (recovery.seconds, recovery.judged) == (1.5, False)
    assert "FailedGetResourceMetric" in recovery.what
    assert [s.kind for s in FAULT.steps(cast(Scene, None), VICTIM, changes, 0.5)] == ["detected"]
    assert not FAULT.over(cast(Scene, None), VICTIM, changes[:2], 0.5)


def test_without_prometheus_nothing_may_become_anything_else() -> None:
    quiet = [change(0.2, "node/w1", "Ready"), change(1.0, "scaled", "")]
    assert unnoticed(quiet, 0.5).verdict == "pass"
    found = unnoticed([*quiet, change(1.0, "lease/kube-scheduler", ("b", 2))], 0.5)
    assert (found.verdict, "lease/kube-scheduler" in found.message) == ("fail", True)


@pytest.mark.parametrize(
    ("after", "proven"), [("none", True), ("no answer", True), ("u2", False), ("started later", False), ("u1", False)]
)
def test_gone_is_not_replaced(after: str, proven: bool) -> None:
    assert FAULT.proven({"what": "u1"}, {"what": after}) is proven


def test_only_prometheus_needs_more_than_the_api() -> None:
    assert (FAULT.needs, FAULT.also_needs) == (frozenset(), {PROMETHEUS: frozenset({Capability.MONITORING})})


class Api:
    """A metrics API with its Service and Deployment, as far as they are there."""

    def __init__(self, *, available: list[str], selector: dict[str, str] | None = None, served: bool = True) -> None:
        self.available, self.served = available, served
        self.selector = {"k8s-app": "metrics-server"} if selector is None else selector
        self.deleted: list[str] = []
        self.merged: list[tuple[str, Any]] = []

    def get(self, path: str, kind: type[Any], query: Any = None, *, timeout_s: float = 5.0) -> Any:
        if path.endswith(API):
            if not self.served:
                raise RestError("404", 404)
            status = self.available.pop(0) if len(self.available) > 1 else self.available[0]
            said = {"spec": {"service": {"namespace": "kube-system", "name": "metrics"}}}
            return msgspec.convert(said | {"status": {"conditions": [{"type": "Available", "status": status}]}}, kind)
        if "/services/" in path:
            return msgspec.convert({"spec": {"selector": self.selector}}, kind)
        template = {"metadata": {"labels": {"k8s-app": "metrics-server", "x": "y"}}}
        return msgspec.convert({"items": [{"metadata": {"name": "server"}, "spec": {"template": template}}]}, kind)

    def merge(self, path: str, body: Any) -> None:
        self.merged.append((path, body))

    def delete(self, path: str, body: Any = None) -> None:
        self.deleted.append(path.rsplit("/", 2)[-2])


def scene(api: Api, prometheus: str | None = None) -> Scene:
    entrances = SimpleNamespace(prometheus=prometheus)
    cluster = SimpleNamespace(name="lab", entrances=lambda: entrances)
    return cast(Scene, SimpleNamespace(rest=api, cluster=cluster))


def test_what_serves_the_metrics_api_is_found_through_its_service() -> None:
    victim = FAULT.choose(scene(Api(available=["True"])), SERVER)
    assert (victim.name, victim.mark[:7]) == ("server", "scaled-")


@pytest.mark.parametrize(
    ("api", "said"),
    [
        (Api(available=["True"], served=False), "has no APIService"),
        (Api(available=["True"], selector={"a": "b"}), "no Deployment stands behind"),
        (Api(available=["True"], selector={}), "no Deployment stands behind"),
    ],
)
def test_without_anything_that_measures_there_is_nothing_to_stop(api: Api, said: str) -> None:
    with pytest.raises(NoVictimError, match=said):
        FAULT.choose(scene(api), SERVER)


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9"])
def test_a_prometheus_that_does_not_answer_is_not_stopped(url: str | None) -> None:
    with pytest.raises(NoVictimError, match="no Prometheus answers"):
        FAULT.choose(scene(Api(available=["True"]), url), PROMETHEUS)


def scale_back(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rest, "of", lambda cluster: api)
    metrics_gone.scale_back(cast(Cluster, object()), "kube-system", "server", 2, "scaled-1")


def test_the_way_back_ends_when_the_metrics_api_is_served_again(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(available=["False", "True"])
    scale_back(api, monkeypatch)
    assert api.deleted == ["horizontalpodautoscalers", "deployments"]
    assert api.merged == [("/apis/apps/v1/namespaces/kube-system/deployments/server/scale", {"spec": {"replicas": 2}})]


def test_a_metrics_api_that_does_not_come_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_gone, "BACK_WITHIN_S", 0.0)
    with pytest.raises(UndoError, match=f"APIService {API} is not available"):
        scale_back(Api(available=["False"]), monkeypatch)


def test_an_autoscaler_that_never_acts_ends_the_wait_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscaled, "ACTED_WITHIN_S", 0.0)
    stuck = {"scaled/scaled-1": Scaled(size=1, desired=1, active="False: FailedGetResourceMetric")}
    monkeypatch.setattr(autoscaled, "look", lambda scene: stuck)
    with pytest.raises(ClusterError, match=r"did not act within 0 s .*FailedGetResourceMetric"):
        autoscaled.await_action(cast(Scene, None), "scaled-1")
