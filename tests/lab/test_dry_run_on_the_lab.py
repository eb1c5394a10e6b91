"""A dry run says what would be done to which object, and does nothing: for every experiment and each of its targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import runner
from experiments.faults import catalogue
from experiments.scene import Scene
from experiments.trial import extension
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.rest import Rest
from fixtures.safety.state import state_directory
from tests.lab import condition
from tests.lab.waiting import wait

pytestmark = pytest.mark.lab


def aims() -> list[tuple[str, str]]:
    """Every experiment with every target."""
    return [
        (name, target)
        for name in runner.names()
        for target in catalogue.fault(extension(runner.load(name))["faults"][0]).targets
    ]


def test_a_dry_run_of_everything_names_its_victims_and_changes_nothing(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENKEEL_STATE", str(tmp_path / "state"))
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    wait("the cluster is steady", lambda: not scene.troubles(), 90)
    wait("what earlier tests made is gone", lambda: not condition.leaving(Rest.of(lab)), 90)
    settings = runner.settings_for(lab)
    before = condition.of(lab)
    boots = {node.name: lab.boot_id(node.name) for node in lab.nodes()}
    pods = sorted((p.metadata.uid, p.restarts) for p in scene.app_pods())
    said = {aim: runner.plan(aim[0], settings, aim[1]) for aim in aims()}
    assert condition.differences(before, condition.of(lab)) == []
    assert {node.name: lab.boot_id(node.name) for node in lab.nodes()} == boots
    assert sorted((p.metadata.uid, p.restarts) for p in scene.app_pods()) == pods
    assert not (state_directory() / "undo").exists()
    mute = [aim for aim, plan in said.items() if not plan.would and not plan.refusals]
    assert mute == []
    # the Prometheus that watches from beside the cluster is on no node and in no namespace
    known = {node.name for node in lab.nodes()} | {balancer.name for balancer in lab.balancers()}
    known |= {"reference", "kube-system", "evenkeel", "Prometheus"}
    vague = [aim for aim, plan in said.items() if plan.would and not any(name in plan.would for name in known)]
    assert vague == [], "a plan names a node, or an object with its namespace"
