"""What more pods are good for."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-04",
    "Twice the pods answer nearly twice as much",
    severity="medium",
    reason="Scaling out only helps where the pods are the limit: a shared lock, database or quota makes it a placebo.",
    remedy="Find what the pods share (a database, a lock, a node's CPU, a quota) and scale or split that.",
    source="S0-6",
    live=True,
    set="complete",
)
def test_twice_the_pods_answer_nearly_twice_as_much(load: Load, expect: Expect) -> None:
    """Pods of a service made for the run, each held at a small CPU quota so that the machine is no limit, are asked for
    more than they can answer: good requests a second at 2N pods over those at N must reach the profile's figure for
    ELA-04 (`throughput-gain`, by default 1.6)."""
    judge(load("twice-the-pods"), "ELA-04", expect)
