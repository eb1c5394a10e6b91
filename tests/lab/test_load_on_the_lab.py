"""Load tests on a real cluster, each seen passing or failing for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import runner as experiments
from experiments.loads import runner
from experiments.loads.result import Figure, Result
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.rest import Rest

pytestmark = [pytest.mark.lab, pytest.mark.nightly]


def played(lab: Lab, folder: Path, name: str, variant: str = "") -> Result:
    settings = experiments.settings_for(lab, allow_disruption=True, run_directory=str(folder))
    result = runner.run(name, settings, variant)
    assert result.figures, result.reason
    namespaces = Rest.of(lab).request("GET", "/api/v1/namespaces").decode()
    assert "evenkeel-load-" not in namespaces, "the play's namespace must be gone"
    return result


def figures(result: Result, name: str) -> list[Figure]:
    return [f for f in result.figures if f.name == name]


def test_graceful_pods_are_scaled_without_losing_a_request(lab: Lab, tmp_path: Path) -> None:
    (errors,) = figures(played(lab, tmp_path, "manual-scaling"), "errors")
    assert errors.verdict == "pass", errors.what


def test_careless_pods_lose_requests_when_they_are_scaled(lab: Lab, tmp_path: Path) -> None:
    (errors,) = figures(played(lab, tmp_path, "manual-scaling", "careless"), "errors")
    assert errors.verdict == "fail"
    assert errors.value


def test_a_naive_rolling_update_loses_requests(lab: Lab, tmp_path: Path) -> None:
    (errors,) = figures(played(lab, tmp_path, "rolling-update", "naive"), "errors")
    assert errors.verdict == "fail"
    assert errors.why


def test_pods_without_requests_are_never_scaled(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "autoscaling", "no-requests")
    (decision,) = figures(result, "decision")
    assert decision.never
    assert decision.verdict == "fail"


def test_a_quota_without_room_makes_more_pods_a_placebo(lab: Lab, tmp_path: Path) -> None:
    (gain,) = figures(played(lab, tmp_path, "twice-the-pods", "no-room"), "throughput-gain")
    assert gain.verdict == "fail"
    assert gain.value is not None
    assert gain.value < 1.3


def test_a_version_of_the_whole_rolls_the_neighbour_too(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "apart", "one-version")
    assert [f.verdict for f in figures(result, "neighbour-versions")] == ["fail"]
    assert [f.verdict for f in figures(result, "neighbour-pods")] == ["fail"]
