"""What a soak draws depends on its seed and on what there is; it ends in time, when asked to, and when ill."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from experiments import interrupt, runner, soak
from experiments.cli import app
from experiments.faults import catalogue
from experiments.result import Result, Target
from experiments.soak import Pick
from fixtures.clusters.cluster import Capability
from tests.experiments.fake_api import FakeApi

EVERYTHING = soak.picks(frozenset(Capability))
WELL = Result(name="x", verdict="pass", injected="1", healthy="2")


def first(count: int, seed: int, among: list[Pick]) -> list[Pick]:
    return [soak.drawn(seed, n, among) for n in range(count)]


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    assert first(50, 7, EVERYTHING) == first(50, 7, list(EVERYTHING))
    assert first(50, 7, EVERYTHING) != first(50, 8, EVERYTHING)


def test_what_a_seed_draws_is_the_same_tomorrow() -> None:
    """Nothing but seed, number and order counts: no interpreter's generator, no clock."""
    among = [Pick("F-01", "pod-kill", t) for t in "abcde"]
    assert "".join(p.target for p in first(12, 42, among)) == "cabbdbadedda"


def test_everything_is_drawn_about_equally_often() -> None:
    counted = Counter(first(100 * len(EVERYTHING), 1, EVERYTHING))
    assert set(counted) == set(EVERYTHING)
    assert max(counted.values()) < 2 * min(counted.values())


def test_only_declared_faults_are_drawn_and_none_that_exceeds() -> None:
    known = catalogue.every()
    assert all(known[p.fault].soaks and not known[p.fault].exceeds for p in EVERYTHING)
    assert {"F-30", "F-15"}.isdisjoint(p.fault for p in EVERYTHING)
    assert {("F-01", "kill"), ("F-29", "pair"), ("F-21", "inodes")} <= {(p.fault, p.target) for p in EVERYTHING}


def test_what_the_cluster_can_not_do_is_not_drawn() -> None:
    here = soak.picks(frozenset())
    assert all(not catalogue.fault(p.fault).needs for p in here)
    assert "inodes" not in {p.target for p in here}
    assert {"cpu", "memory", "disk"} <= {p.target for p in here}


def run(*results: Result, enough: int = 100) -> tuple[list[Result], str]:
    """A soak of these results, the last of them again and again."""
    left = list(results)
    begun: list[Pick] = []

    def one(pick: Pick) -> Result:
        begun.append(pick)
        return left.pop(0) if len(left) > 1 else left[0]

    return soak.soak(EVERYTHING, 3, one, lambda: soak.TIME_IS_UP if len(begun) >= enough else "")


def test_a_soak_ends_when_its_time_is_up() -> None:
    results, ended = run(WELL, enough=4)
    assert (len(results), ended) == (4, "time is up")


def test_no_further_fault_begins_in_a_cluster_that_did_not_get_well() -> None:
    sick = msgspec.structs.replace(WELL, verdict="fail", healthy=None)
    results, ended = run(WELL, sick)
    assert [r.verdict for r in results] == ["pass", "fail"]
    assert ended == f"the cluster did not get well after {soak.drawn(3, 1, EVERYTHING)}"


def test_what_was_refused_changed_nothing_and_ends_nothing() -> None:
    refused = msgspec.structs.replace(WELL, verdict="unknown", injected=None, healthy=None)
    assert len(run(refused, enough=3)[0]) == 3


def test_with_nothing_to_draw_from_nothing_is_run() -> None:
    assert soak.soak([], 1, lambda pick: WELL, lambda: "") == ([], soak.NOTHING)


def test_the_summary_has_the_worst_of_each_kind_and_names_what_did_not_pass() -> None:
    def result(fault: str, verdict: str, seconds: float, budget: float | None = 5.0) -> Result:
        target = Target(name="app-x", kind="app", budget_s=budget, verdict="pass", longest_outage_s=seconds)
        return Result(name="n", fault=fault, verdict=verdict, reason="why", targets=[target])

    results = [result("F-01", "pass", 0.2), result("F-04", "fail", 1.5), result("F-05", "pass", 9.0, None)]
    said = soak.summary(5, EVERYTHING, results, soak.TIME_IS_UP)
    assert (said.ran, said.verdicts) == (3, {"pass": 2, "fail": 1})
    assert {kind: (w.seconds, w.experiment) for kind, w in said.worst.items()} == {"app": (1.5, "F-04 n")}
    assert said.not_passed == ["F-04 n: fail: why"]
    assert "longest outage of app: 1.50 s, in F-04 n" in soak.text(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_an_experiment_swallowed_is_heard_of(number: signal.Signals) -> None:
    before = signal.signal(number, lambda *_: None)
    try:
        with interrupt.asked_to_end() as asked:
            assert not asked()
            os.kill(os.getpid(), number)
            assert asked()
            assert asked(), "however often it is asked"
    finally:
        signal.signal(number, before)


def call(api: FakeApi, folder: Path, *more: str) -> Any:
    where = ["--kubeconfig", str(api.kubeconfig(folder)), "--context", "fake", "--profile", "lab"]
    knock = ["--app-url", f"{api.url}/healthz", "--minutes", "0.01", "--seed", "5"]
    return CliRunner().invoke(app, ["soak", *where, *knock, *more])


def test_without_permission_nothing_is_drawn(api: FakeApi, state: Path, quick: Path, tmp_path: Path) -> None:
    done = call(api, tmp_path)
    assert done.exit_code == 4
    assert "--allow-disruption" in done.output
    assert api.changed == []


def test_one_summary_and_every_result_come_out_as_json(
    api: FakeApi, state: Path, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = [p for p in EVERYTHING if p.fault in ("F-01", "F-03")]
    monkeypatch.setattr(soak, "picks", lambda capabilities: only)
    done = call(api, tmp_path, "--allow-disruption", "--output", "json")
    said = msgspec.json.decode(done.stdout)
    assert done.exit_code == {"pass": 0, "fail": 1, "unknown": 5}[said["experiments"][0]["verdict"]]
    assert (said["soak"]["seed"], said["soak"]["ran"], said["soak"]["ended"]) == (5, 1, "time is up")
    assert said["experiments"][0]["fault"] == soak.drawn(5, 0, only).fault
    assert quick == runner.HERE
