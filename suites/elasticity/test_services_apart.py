"""What one service's changes are to another."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-11",
    "A service is scaled and released without its neighbour noticing",
    severity="medium",
    reason="Services that can't be scaled and released apart are one service with several names.",
    remedy="Manifests, versions and pipelines of their own; no version label of the whole in every pod template.",
    source="S4-15",
    live=True,
    set="complete",
)
def test_a_service_is_scaled_and_released_apart(load: Load, expect: Expect) -> None:
    """Of two services made for the run one is scaled up, gets a new version and is scaled down again under load. The
    other's Deployment must keep its generation and its pods, and lose no request."""
    judge(load("apart"), "ELA-11", expect)
