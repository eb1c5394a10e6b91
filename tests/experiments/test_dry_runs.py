"""A dry run of every experiment reads, says what would be done or why it can't be, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import runner
from experiments.faults import catalogue
from experiments.settings import Settings
from experiments.trial import extension
from fixtures.safety.state import journal_paths
from tests.experiments.fake_api import FakeApi

AIMS = [
    (name, target)
    for name in runner.names()
    for target in catalogue.fault(extension(runner.load(name))["faults"][0]).targets
]


@pytest.mark.parametrize(("name", "target"), AIMS, ids=lambda value: value)
def test_a_dry_run_changes_nothing_and_never_says_nothing(
    api: FakeApi, settings: Settings, name: str, target: str
) -> None:
    plan = runner.plan(name, settings, target)
    assert api.changed == []
    assert journal_paths() == []
    assert plan.would or plan.refusals
    if plan.would:
        assert plan.undo, "how it is mended"


def test_it_asks_nothing_that_it_could_not_do_without(api: FakeApi, settings: Settings) -> None:
    runner.plan("pod-kill", settings)
    assert {method for method, path in api.asked if "selfsubjectaccessreviews" not in path} == {"GET"}


def test_where_the_lab_is_needed_it_says_so(settings: Settings, tmp_path: Path) -> None:
    plan = runner.plan("master-power-cut", settings)
    assert plan.would == ""
    assert "a kubeconfig leads to the cluster's API, not to its machines" in plan.refusals[0]
