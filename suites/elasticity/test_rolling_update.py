"""What a service's clients notice of an update, a good one and bad ones."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-06",
    "A rolling update costs no request and keeps its promises at every moment",
    severity="high",
    reason="Updates are the most frequent disruption there is, and the one that everybody makes on purpose.",
    remedy="RollingUpdate with maxUnavailable 0 and maxSurge 1 or more, a readiness probe, and a graceful end: unready "
    "on SIGTERM, then serving on until no proxy sends any more.",
    source="S0-26; F-26",
    live=True,
    set="complete",
)
def test_a_rolling_update_costs_no_request(load: Load, expect: Expect) -> None:
    """A service made for the run is updated, restarted, updated twice at once, given an image that does not exist and a
    version that never gets ready, and taken back each time, at 100 requests a second. Errors must stay within the
    profile's budget for ELA-06, by default 0; at every look as many pods must be Ready as maxUnavailable promises and
    no more exist than maxSurge allows; and no pod of a bad version may get traffic."""
    judge(load("rolling-update"), "ELA-06", expect)
