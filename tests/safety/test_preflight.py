"""Preflight refuses what would be one failure too many, and says of which object, what was seen, and what to do."""

from __future__ import annotations

import pytest

from fixtures.safety import preflight
from fixtures.safety.objects import Condition, Pod, PodSpec, PodStatus
from fixtures.safety.preflight import Scenery
from fixtures.snapshot.model.base import Condition as NodeCondition
from fixtures.snapshot.model.base import Metadata
from fixtures.snapshot.model.cluster import Node, NodeSpec, NodeStatus
from fixtures.snapshot.model.pod import LabelSelector
from fixtures.snapshot.model.policy import BudgetSpec, BudgetStatus, PodDisruptionBudget


def node(name: str, ready: bool = True, cordoned: bool = False) -> Node:
    labels = {"node-role.kubernetes.io/control-plane": ""} if name.startswith("master") else {}
    return Node(
        metadata=Metadata(name=name, labels=labels),
        spec=NodeSpec(unschedulable=cordoned),
        status=NodeStatus(conditions=[NodeCondition(type="Ready", status=str(ready))]),
    )


def pod(name: str, on: str, ready: bool = True, labels: dict[str, str] | None = None) -> Pod:
    return Pod(
        metadata=Metadata(
            name=name, namespace="kube-system", labels=labels or {"component": name.partition("-on-")[0]}
        ),
        spec=PodSpec(node_name=on),
        status=PodStatus(phase="Running", conditions=[Condition(type="Ready", status=str(ready))]),
    )


def scenery(masters: int = 3, workers: int = 3, sick_etcd: tuple[str, ...] = ()) -> Scenery:
    names = [f"master-{i}" for i in range(1, masters + 1)]
    return Scenery(
        nodes=[node(n) for n in [*names, *(f"worker-{i}" for i in range(1, workers + 1))]],
        control_plane=[pod(f"etcd-on-{n}", n, n not in sick_etcd) for n in names],
    )


def test_a_healthy_cluster_is_not_refused() -> None:
    assert preflight.health(scenery()) == []


@pytest.mark.parametrize(
    ("sick", "value"), [(node("worker-9", ready=False), "not Ready"), (node("worker-9", cordoned=True), "cordoned")]
)
def test_a_node_already_missing_is_refused_by_name(sick: Node, value: str) -> None:
    there = scenery()
    there.nodes.append(sick)
    [refusal] = preflight.health(there)
    assert (refusal.object, refusal.value) == ("Node worker-9", value)
    assert "chaos heal" in refusal.next


def test_a_refusal_says_since_when_a_node_is_missing() -> None:
    there, sick = scenery(), node("worker-9", ready=False)
    assert sick.status.conditions is not None
    sick.status.conditions[0].last_transition_time = "2026-01-01T00:00:07Z"
    there.nodes.append(sick)
    assert preflight.health(there)[0].value == "not Ready since 2026-01-01T00:00:07Z"


def test_a_control_plane_pod_not_ready_is_refused_by_name() -> None:
    [refusal] = preflight.health(scenery(sick_etcd=("master-2",)))
    assert refusal.object == "Pod kube-system/etcd-on-master-2"


@pytest.mark.parametrize(
    ("masters", "sick", "lost", "refused"),
    [
        (3, (), ["master-1"], False),
        (3, ("master-2",), ["master-1"], True),  # quorum already reduced
        (3, ("master-1",), ["master-1"], False),  # the sick one is the one that goes
        (3, (), ["master-1", "master-2"], True),
        (1, (), ["master-1"], True),
        (2, (), ["master-1"], True),  # two members tolerate nothing
        (5, (), ["master-1", "master-2"], False),
        (5, ("master-5",), ["master-1", "master-2"], True),
        (3, (), ["worker-1"], False),
    ],
)
def test_a_fault_that_would_cost_etcd_its_majority_is_refused(
    masters: int, sick: tuple[str, ...], lost: list[str], refused: bool
) -> None:
    refusals = preflight.quorum(scenery(masters, sick_etcd=sick), lost)
    assert bool(refusals) is refused
    if refusals:
        assert f"a majority is {masters // 2 + 1}" in refusals[0].value


def test_a_hidden_etcd_is_nobodys_quorum() -> None:
    assert preflight.quorum(Scenery(nodes=[node("worker-1")], control_plane=[]), ["worker-1"]) == []


def test_the_last_node_of_its_role_is_spared() -> None:
    [refusal] = preflight.survivors(scenery(workers=1), ["worker-1"])
    assert refusal.object == "worker nodes (1)"
    assert preflight.survivors(scenery(workers=2), ["worker-1"]) == []


def budget(allowed: int) -> PodDisruptionBudget:
    return PodDisruptionBudget(
        metadata=Metadata(name="web", namespace="kube-system"),
        spec=BudgetSpec(selector=LabelSelector(match_labels={"app": "web"})),
        status=BudgetStatus(disruptions_allowed=allowed),
    )


def test_a_disruption_budget_without_room_is_refused_with_its_arithmetic() -> None:
    pods = [pod(f"web-{i}", "worker-1", labels={"app": "web"}) for i in range(2)]
    assert preflight.room([budget(2)], pods) == []
    [refusal] = preflight.room([budget(1)], pods)
    assert refusal.object == "PodDisruptionBudget kube-system/web"
    assert refusal.value == "allows 1 disruption(s), this fault makes 2"


def test_a_budget_of_other_pods_does_not_matter() -> None:
    assert preflight.room([budget(0)], [pod("other", "worker-1", labels={"app": "other"})]) == []


def test_only_a_disposable_or_named_cluster_may_be_broken() -> None:
    assert preflight.confirmed(True, "lab", None, False) == []
    assert preflight.confirmed(False, "kubeconfig", "prod", True) == []
    [refusal] = preflight.confirmed(False, "kubeconfig", "prod", False)
    assert "context prod" in refusal.object


def test_a_fault_that_takes_more_than_one_failure_must_have_been_allowed_by_name() -> None:
    assert preflight.deliberate("F-30", "", allowed=False) == []
    assert preflight.deliberate("F-30", "the whole cluster loses power", allowed=True) == []
    [refusal] = preflight.deliberate("F-30", "the whole cluster loses power", allowed=False)
    assert str(refusal).startswith("fault F-30: the whole cluster loses power; ")
    assert "disruption.beyond" in refusal.next
