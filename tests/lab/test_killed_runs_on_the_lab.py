"""A run that is killed at a moment of chance leaves the lab as it was; many more of these: benchmarks/kills.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.clusters.lab.lab import Lab
from tests.lab import killing
from tests.lab.killing import Plan

pytestmark = pytest.mark.lab

SEED = 4
EXPERIMENTS = [("pod-kill", ""), ("node-drain", ""), ("kubelet-stop", "kubelet"), ("node-power-cut", "")]
HEALTHY_WITHIN_S = 60.0  # the figure is the benchmark's to judge; a test's machine may be busy


@pytest.mark.parametrize(
    "plan", list(killing.plans(len(EXPERIMENTS), SEED, EXPERIMENTS)), ids=lambda plan: plan.experiment
)
def test_a_run_killed_at_a_moment_of_chance_leaves_nothing_behind(lab: Lab, tmp_path: Path, plan: Plan) -> None:
    before = killing.steady(lab)
    kill = killing.kill(lab, plan, tmp_path / "state", before)
    assert kill.good(HEALTHY_WITHIN_S), f"{plan}: {kill.left}"
