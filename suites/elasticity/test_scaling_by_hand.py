"""What a service's clients notice when somebody changes the number of its replicas."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-05",
    "Scaling a service up and down by hand costs no request",
    severity="high",
    reason="Scaling is what one does when things are tight: it must not itself lose what it was meant to save.",
    remedy="A readiness probe, so that new pods get traffic only when they serve; on SIGTERM become unready and serve "
    "on until no proxy sends any more (a preStop sleep does it).",
    source="S0-5",
    live=True,
)
def test_scaling_by_hand_costs_no_request(load: Load, expect: Expect) -> None:
    """A service made for the run is scaled from 2 to 5 replicas and back while locust sends 100 requests a second, each
    on a connection of its own. Errors must stay within the profile's budget for ELA-05, by default 0."""
    judge(load("manual-scaling"), "ELA-05", expect)
