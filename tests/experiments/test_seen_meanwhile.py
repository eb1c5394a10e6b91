"""An audit made while a fault lasts must find that fault, and not something else."""

from __future__ import annotations

import pytest

from experiments.checks import seen_meanwhile
from fixtures import catalogue
from fixtures.expect import Finding
from fixtures.verdict import Outcome


def outcome(verdict: str, *objects: str) -> Outcome:
    findings = [(Finding(one, "alarms", "NOSPACE", "alarm NOSPACE"), None) for one in objects]
    return Outcome(catalogue.controls()["SYS-11"], verdict, "why", findings)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (outcome("fail", "etcd master-1", "etcd master-2"), "pass"),
        (outcome("waived", "etcd master-2"), "pass"),
        (outcome("fail", "etcd master-1"), "fail"),  # something else was wrong all along
        (outcome("pass"), "fail"),
        (outcome("unknown"), "unknown"),
    ],
)
def test_only_a_finding_about_the_victim_counts(said: Outcome, verdict: str) -> None:
    check = seen_meanwhile.judge(said, "master-2")
    assert (check.name, check.verdict) == ("seen-by-SYS-11", verdict)
    assert "SYS-11" in check.message
