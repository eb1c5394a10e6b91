"""A service that was there before is loaded where its owner says, watched, and left as it was."""

from __future__ import annotations

import msgspec
import pytest

from experiments.loads import runner
from experiments.settings import Settings
from fixtures.clusters.kubeconfig import KubeconfigCluster
from tests.load.simulated import SimulatedCluster
from tests.prober.local_server import LocalServer

SCALERS = "/apis/autoscaling/v2/namespaces/reference/horizontalpodautoscalers"


def scaler(target: str) -> dict[str, object]:
    return {
        "metadata": {"name": "growing"},
        "spec": {"minReplicas": 4, "scaleTargetRef": {"kind": "Deployment", "name": target}},
        "status": {"desiredReplicas": 4},
    }


@pytest.fixture
def own(settings: Settings, service: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(KubeconfigCluster, "door", lambda self, port: None)
    for name, seconds in (("OWN_WARM_S", 1.0), ("OWN_HOLD_S", 3.0), ("OWN_COOL_S", 1.0)):
        monkeypatch.setattr(f"experiments.loads.plays.autoscaling.{name}", seconds)
    # one late second of five would be enough for "unknown", and where tests run many things do
    monkeypatch.setattr("fixtures.load.generator.LATE_S", 60.0)
    return msgspec.structs.replace(settings, app_url=service.url.rstrip("/"), load_peak=50.0, load_base=10.0)


def test_it_is_loaded_and_judged_and_not_changed(simulated: SimulatedCluster, own: Settings) -> None:
    simulated.objects[SCALERS] = {"items": [scaler("other"), scaler("web")]}
    simulated.objects[f"{SCALERS}/growing"] = scaler("web")
    result = runner.run("ELA-01", own, "own")
    assert (result.target, result.verdict) == ("reference/web", "fail"), result.reason
    assert "never: the scaler asked for more pods" in result.reason
    assert sum(p[2] for p in result.series[0].points) > 100
    touched = [c for c in simulated.changed if "/evenkeel" not in c and c != "POST /api/v1/namespaces"]
    assert touched == []


def test_one_without_a_scaler_is_said_to_have_none(simulated: SimulatedCluster, own: Settings) -> None:
    simulated.objects[SCALERS] = {"items": [scaler("other")]}
    result = runner.run("ELA-01", own, "own")
    assert result.verdict == "unknown"
    assert "no HorizontalPodAutoscaler in reference scales web" in result.reason


def test_a_host_must_be_named(settings: Settings) -> None:
    with pytest.raises(runner.UsageError, match="needs --host"):
        runner.run("ELA-01", settings, "own")
