"""One whole experiment against a simulated cluster: what is done, in which order, and what comes out."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from experiments import baseline, runner
from experiments.faults import pod_kill
from experiments.faults.fault import Recovery, Victim
from experiments.result import Result
from experiments.scene import Scene
from experiments.settings import Settings
from fixtures.safety.journal import Journal
from fixtures.safety.state import journal_paths
from tests.experiments.fake_api import PODS, RUN_LEASE, WRITES, FakeApi


@pytest.fixture
def quick_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_kill.PodKill, "proof_within_s", 0.5)


def broken(api: FakeApi) -> list[str]:
    """Requests that changed something that is not Evenkeel's own."""
    return [c for c in api.changed if "/namespaces/evenkeel" not in c and c != "POST /api/v1/namespaces"]


def undone(api: FakeApi, settings: Settings) -> bool:
    """Nothing is left once the run is over: no Lease, no writes, no namespace, no pending entry."""
    kept = [path for path in api.objects if path.startswith((RUN_LEASE, WRITES))]
    runner.leave(settings)
    if kept or "/api/v1/namespaces/evenkeel" in api.objects:
        return False
    left = [p for p in api.objects if p.startswith((RUN_LEASE, WRITES))]
    return not left and not any(Journal(path).pending() for path in journal_paths())


def test_a_proven_fault_within_its_budgets_passes_and_leaves_nothing_behind(api: FakeApi, settings: Settings) -> None:
    result = runner.run("pod-kill", settings)
    assert (result.verdict, result.fault, result.driver) == ("pass", "F-01", "any"), result.reason
    assert result.proof.proven
    assert result.proof.after == {"pod UID": "gone"}
    assert [(p.kind, p.what.split()[0]) for p in result.phases][-1] == ("recovered", "replacement")
    assert {t.name for t in result.targets} == {"api-read", "api-read-reused", "api-write", "app", "app-reused"}
    assert all(t.requests > 10 and t.failed == 0 and t.timeline for t in result.targets)
    assert {c.name: c.verdict for c in result.checks} == {"acknowledged-writes": "pass", "replacement-ready": "pass"}
    assert undone(api, settings)
    assert broken(api) == [f"DELETE {PODS}/web-0"]


def test_the_instants_of_an_experiment_are_in_order(settings: Settings) -> None:
    result = runner.run("pod-kill", settings)
    instants = [result.started, result.injected, result.proven, result.healed, result.finished]
    assert None not in instants
    assert instants == sorted(instants, key=str)


def test_an_outage_longer_than_its_budget_fails_with_the_measured_figure(api: FakeApi, settings: Settings) -> None:
    api.app_outage_s = 1.0
    result = runner.run("pod-kill", settings)
    assert result.verdict == "fail"
    [app] = [t for t in result.targets if t.name == "app"]
    assert abs(app.longest_outage_s - 1.0) <= app.error_bar_s + 0.1
    assert f"app: longest outage {app.longest_outage_s:.2f} s" in result.reason
    assert any(p.what == "app answers again" for p in result.phases)


@pytest.mark.parametrize(("late_s", "verdict"), [(0.2, "pass"), (0.3, "fail")])
def test_a_recovery_is_late_only_when_no_look_can_have_been_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, late_s: float, verdict: str
) -> None:
    def recoveries(*_: object) -> list[Recovery]:
        return [Recovery(name="replacement-ready", seconds=5 + late_s, what="a replacement is Ready")]

    monkeypatch.setattr(pod_kill.PodKill, "recoveries", recoveries)
    result = runner.run("pod-kill", settings)
    [check] = [c for c in result.checks if c.name == "replacement-ready"]
    assert check.verdict == verdict
    assert check.message == f"a replacement is Ready after {5 + late_s:.2f} s ± 0.25, budget 5 s"


def sets_up_with_an_outage(monkeypatch: pytest.MonkeyPatch, api: FakeApi, lasts_s: float) -> None:
    def set_up(fault: pod_kill.PodKill, scene: Scene, victim: Victim) -> None:
        api.app_back = time.monotonic() + lasts_s
        time.sleep(0.3)

    monkeypatch.setattr(pod_kill.PodKill, "set_up", set_up)


def test_what_fails_while_a_fault_is_set_up_is_not_the_faults(
    api: FakeApi, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets_up_with_an_outage(monkeypatch, api, 1.0)
    result = runner.run("pod-kill", settings)
    assert result.verdict == "pass", result.reason
    [app] = [t for t in result.targets if t.name == "app"]
    assert (app.failed, app.windows) == (0, [])


def test_nothing_is_broken_where_its_set_up_leaves_no_baseline(
    api: FakeApi, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets_up_with_an_outage(monkeypatch, api, 60.0)
    monkeypatch.setattr(baseline, "PATIENCE_S", 1.0)
    result = runner.run("pod-kill", settings)
    assert result.verdict == "unknown"
    assert "without a failed probe within 1 s, before any fault (app" in result.reason
    assert broken(api) == []


def test_a_fault_that_can_not_be_proven_is_unknown_however_well_it_went(
    api: FakeApi, settings: Settings, quick_proof: None
) -> None:
    api.deaf = True
    result = runner.run("pod-kill", settings)
    assert result.verdict == "unknown"
    assert not result.proof.proven
    assert "could not be proven" in result.reason
    assert undone(api, settings)


def test_a_lost_acknowledged_write_fails_the_experiment(api: FakeApi, settings: Settings) -> None:
    api.loses_writes = True
    result = runner.run("pod-kill", settings)
    assert result.verdict == "fail"
    assert "acknowledged but lost" in result.reason


def test_a_cluster_that_does_not_get_healthy_again_fails(api: FakeApi, settings: Settings) -> None:
    api.replaces_pods = False
    result = runner.run("pod-kill", settings)
    assert result.verdict == "fail"
    assert "not healthy again" in result.reason
    assert "3 of 4 replicas Ready" in result.reason
    assert result.healthy is None
    assert undone(api, settings)


def test_a_cluster_that_is_not_steady_is_not_broken(api: FakeApi, settings: Settings) -> None:
    del api.objects[f"{PODS}/web-3"]
    result = runner.run("pod-kill", settings)
    assert result.verdict == "unknown"
    assert "3 of 4 replicas Ready" in result.reason
    assert broken(api) == []
    assert undone(api, settings)


def refused(api: FakeApi, settings: Settings) -> Result:
    result = runner.run("pod-kill", settings)
    assert result.verdict == "unknown"
    assert broken(api) == []
    return result


def test_a_node_not_ready_is_a_reason_not_to_start(api: FakeApi, settings: Settings) -> None:
    api.objects["/api/v1/nodes/worker-2"]["status"]["conditions"][0]["status"] = "Unknown"
    assert "Node worker-2: not Ready" in refused(api, settings).reason
    assert api.changed == []


def test_a_missing_permission_is_found_before_anything_is_changed(api: FakeApi, settings: Settings) -> None:
    api.forbidden = {"delete pods"}
    assert "may not delete pods" in refused(api, settings).reason
    assert api.changed == []


def test_a_context_that_was_not_named_is_not_broken(api: FakeApi, settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, confirmed=False)
    said = refused(api, settings).reason
    assert "context fake" in said
    assert "--context" in said
    assert api.changed == []


def test_an_exhausted_disruption_budget_is_a_reason_not_to_kill(api: FakeApi, settings: Settings) -> None:
    api.disruptions_allowed = 0
    assert "PodDisruptionBudget reference/web: allows 0 disruption(s)" in refused(api, settings).reason
    assert undone(api, settings)


def test_a_run_in_progress_is_a_reason_not_to_start(api: FakeApi, settings: Settings) -> None:
    spec = {"holderIdentity": "somebody else", "leaseDurationSeconds": 60, "renewTime": "2999-01-01T00:00:00Z"}
    api.objects[f"{RUN_LEASE}/evenkeel-run"] = {"metadata": {"name": "evenkeel-run"}, "spec": spec}
    assert "held by 'somebody else'" in refused(api, settings).reason
    assert api.objects[f"{RUN_LEASE}/evenkeel-run"]["spec"] == spec


def test_the_lease_of_a_run_long_dead_is_taken_over(api: FakeApi, settings: Settings) -> None:
    spec = {"holderIdentity": "the dead", "leaseDurationSeconds": 60, "renewTime": "2001-01-01T00:00:00Z"}
    api.objects[f"{RUN_LEASE}/evenkeel-run"] = {"metadata": {"name": "evenkeel-run", "uid": "u"}, "spec": spec}
    assert runner.run("pod-kill", settings).verdict == "pass"
    assert undone(api, settings)


def test_a_fault_the_cluster_has_no_driver_for_is_not_applicable_with_the_reason(
    api: FakeApi, settings: Settings
) -> None:
    result = runner.run("master-power-cut", settings)
    assert result.verdict == "not-applicable"
    assert "node-power" in result.reason
    assert "not to its machines" in result.reason
    assert api.changed == []


def test_without_permission_to_disrupt_nothing_is_even_asked(api: FakeApi, settings: Settings) -> None:
    with pytest.raises(runner.UsageError, match="--allow-disruption"):
        runner.run("pod-kill", msgspec.structs.replace(settings, allow_disruption=False))
    assert api.changed == []


def test_a_dry_run_names_the_object_and_changes_nothing(api: FakeApi, settings: Settings) -> None:
    plan = runner.plan("F-01", msgspec.structs.replace(settings, allow_disruption=False))
    assert "Pod reference/web-0" in plan.would
    assert plan.refusals == []
    assert api.changed == []


def test_the_token_is_in_no_file(settings: Settings, tmp_path: Path) -> None:
    runner.run("pod-kill", settings)
    files = [p for folder in ("run", "state") for p in (tmp_path / folder).rglob("*") if p.is_file()]
    assert len(files) >= 3
    assert not [p for p in files if b"s3cr3t-token" in p.read_bytes()]


def test_the_result_has_the_shape_of_run_json(settings: Settings) -> None:
    model = pytest.importorskip("reports.model")
    said = msgspec.json.decode(msgspec.json.encode(runner.run("pod-kill", settings).as_dict()))
    read = msgspec.convert(said, model.Experiment)
    assert msgspec.to_builtins(read).keys() >= said.keys()
