"""Faults through the API alone run wherever a kubeconfig leads; the others are skipped there, with the reason."""

from __future__ import annotations

import pytest

from experiments import runner
from experiments.faults import catalogue
from experiments.settings import Settings
from experiments.trial import extension
from tests.experiments.fake_api import PODS, FakeApi, pod

PROXIES = "/api/v1/namespaces/kube-system/pods"


def needy() -> list[str]:
    """Experiments whose fault needs more than the API."""
    return [n for n in runner.names() for id_ in extension(runner.load(n))["faults"] if catalogue.fault(id_).needs]


def test_every_fault_has_an_experiment_of_its_own() -> None:
    named = [id_ for name in runner.names() for id_ in extension(runner.load(name))["faults"]]
    assert sorted(set(named)) == list(catalogue.every())


@pytest.mark.parametrize("name", needy())
def test_a_fault_that_the_cluster_has_no_means_for_is_skipped_with_the_reason(
    api: FakeApi, settings: Settings, name: str
) -> None:
    result = runner.run(name, settings)
    assert result.verdict == "not-applicable", result.reason
    assert "a kubeconfig leads to the cluster's API, not to its machines" in result.reason
    assert api.changed == []


def test_only_the_pods_of_one_node_are_killed_and_all_of_them(api: FakeApi, settings: Settings) -> None:
    before = {one["metadata"]["name"]: one["spec"]["nodeName"] for one in api.below(PODS)}
    result = runner.run("node-pods-kill", settings)
    assert result.verdict == "pass", result.reason
    killed = [c.rsplit("/", 1)[-1] for c in api.changed if c.startswith(f"DELETE {PODS}/")]
    [node] = {before[name] for name in killed}
    assert sorted(killed) == sorted(name for name, where in before.items() if where == node)
    assert len(killed) == 2  # four pods on three workers: the busiest has two
    assert "replacement-ready" in {c.name for c in result.checks}


def test_pods_that_stand_together_on_one_node_are_not_all_killed(api: FakeApi, settings: Settings) -> None:
    for one in api.below(PODS):
        one["spec"]["nodeName"] = "worker-1"
    result = runner.run("node-pods-kill", settings)
    assert result.verdict == "unknown"
    assert "all 4 Ready pods are on worker-1" in result.reason
    assert not [c for c in api.changed if c.startswith(f"DELETE {PODS}/")]


def test_a_spent_budget_keeps_the_pods_of_a_node_alive(api: FakeApi, settings: Settings) -> None:
    api.disruptions_allowed = 0
    result = runner.run("node-pods-kill", settings)
    assert result.verdict == "unknown"
    assert "PodDisruptionBudget reference/web: allows no disruption" in result.reason
    assert not [c for c in api.changed if c.startswith(f"DELETE {PODS}/")]


def test_a_kube_proxy_that_nobody_replaces_fails(api: FakeApi, settings: Settings) -> None:
    for number in (1, 2, 3):
        api.objects[f"{PROXIES}/proxy-{number}"] = pod("kube-system", f"proxy-{number}", f"worker-{number}")
    result = runner.run("kube-proxy-kill", settings)
    assert result.proof.proven
    assert result.verdict == "fail"
    assert "not seen: as many of its pods are Ready as before" in result.reason
    assert len([c for c in api.changed if c.startswith(f"DELETE {PROXIES}/")]) == 1
