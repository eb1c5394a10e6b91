"""The controls of etcd and of the control plane fail on what must not be, each naming it. Results are made up."""

from __future__ import annotations

import pytest

from experiments.result import Check, Result, Target
from fixtures.profiles import profile as profiles
from tests.recovery.seen_failing import judged, reasons

CONTROLS = {
    "REC-13": "F-13",
    "REC-14": "F-14",
    "REC-15": "F-15",
    "REC-16": "F-16",
    "REC-23": "F-23",
    "REC-31": "F-31",
    "REC-32": "F-32",
    "REC-33": "F-33",
}
LOST = Check(name="acknowledged-writes", verdict="fail", message="of 100 acknowledged writes: 1 acknowledged but lost")
each = pytest.mark.parametrize("control", CONTROLS)


def measured(control: str, *checks: Check, app_out_s: float = 0.0, verdict: str = "pass") -> Result:
    """A run in which only the application had an outage, if anything."""
    app = Target(
        name="app",
        kind="app",
        budget_s=0.0,
        verdict="pass",
        requests=400,
        failed=int(app_out_s * 20),
        longest_outage_s=app_out_s,
        error_bar_s=0.06,
    )
    stopped = Target(name="api-write", kind="api-write", budget_s=None, verdict="pass", longest_outage_s=14.0)
    return Result(name=control, fault=CONTROLS[control], verdict=verdict, targets=[app, stopped], checks=list(checks))


def verdict_of(control: str, result: Result) -> tuple[str, str]:
    outcome = judged(control, lambda name, target="": result, profiles.load("lab"))
    return outcome.verdict, reasons(outcome) or outcome.reason


@each
def test_it_passes_when_everything_held(control: str) -> None:
    kept = Check(name="acknowledged-writes", verdict="pass", message="all are there")
    assert verdict_of(control, measured(control, kept))[0] == "pass"


@each
def test_a_lost_acknowledged_write_fails_it(control: str) -> None:
    said = verdict_of(control, measured(control, LOST, verdict="fail"))
    assert said[0] == "fail"
    assert "acknowledged but lost" in said[1]


@each
def test_an_application_that_was_out_fails_it(control: str) -> None:
    said = verdict_of(control, measured(control, app_out_s=3.0, verdict="fail"))
    assert said[0] == "fail"
    assert "app: longest outage 3.00 s" in said[1]


@each
def test_what_could_not_be_proven_is_unknown(control: str) -> None:
    assert verdict_of(control, measured(control, verdict="unknown"))[0] == "unknown"


@pytest.mark.parametrize(
    ("control", "name"),
    [
        ("REC-13", "takeover"),
        ("REC-14", "member-replaced"),
        ("REC-15", "api-write-refused"),
        ("REC-15", "clean-refusal"),
        ("REC-15", "api-read-return"),
        ("REC-16", "seen-by-SYS-11"),
        ("REC-16", "alarms-off"),
        ("REC-23", "seen-by-SYS-17"),
        ("REC-23", "renewed"),
        ("REC-31", "control-plane-replaced"),
        ("REC-32", "renewed"),
        ("REC-33", "restored"),
    ],
)
def test_what_each_claims_by_itself_fails_it(control: str, name: str) -> None:
    broken = Check(name=name, verdict="fail", message="what was wrong")
    said = verdict_of(control, measured(control, broken, verdict="fail"))
    assert said[0] == "fail"
    assert f"check {name}: what was wrong" in said[1]
