"""A control that breaks several things one after the other: what can't be judged of one leaves the others judged."""

from __future__ import annotations

from experiments.result import FAIL, PASS, UNKNOWN, Check, Result
from fixtures.profiles import profile as profiles
from fixtures.verdict import Outcome
from tests.recovery.seen_failing import judged, reasons

FLAPPED = Result(name="partition", verdict=UNKNOWN, reason="not in its steady state")
BORNE = Result(name="partition", verdict=PASS)
LOST = Result(name="partition", verdict=FAIL, checks=[Check(name="writes", verdict=FAIL, message="2 were lost")])


def said(halves: Result, one_way: Result, minority: Result) -> tuple[Outcome, list[str]]:
    by_target, broken = {"halves": halves, "one-way": one_way, "minority-master": minority}, []

    def run(_: str, target: str = "") -> Result:
        broken.append(target)
        return by_target[target]

    return judged("REC-34", run, profiles.load("lab")), broken


def test_the_others_are_broken_too_and_the_verdict_is_unknown() -> None:
    outcome, broken = said(FLAPPED, BORNE, BORNE)
    assert outcome.verdict == UNKNOWN
    assert "not in its steady state" in outcome.reason
    assert broken == ["halves", "one-way", "minority-master"]


def test_a_failure_of_another_is_a_failure() -> None:
    outcome, _ = said(FLAPPED, BORNE, LOST)
    assert outcome.verdict == FAIL
    assert "2 were lost" in reasons(outcome)
