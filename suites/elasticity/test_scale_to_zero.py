"""Whether a service that sleeps wakes for the first who asks."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-07",
    "A service at zero pods wakes for the first request, and loses none",
    severity="medium",
    reason="Between requests nothing runs and nothing costs; but who asks first finds nobody, unless something waits "
    "with them.",
    remedy="A gateway or activator that holds requests until a pod is Ready, for longer than a cold start; a metric "
    "that counts requests at the gateway, for a service without pods counts none.",
    source="S0-34",
    live=True,
    set="complete",
)
def test_a_sleeping_service_wakes_for_the_first_request(load: Load, expect: Expect) -> None:
    """KEDA takes a service to zero, by the requests a second that its gateway reports to Prometheus. Then locust asks.
    No request may fail, the slowest, which woke the service, be answered within 15 s by default, and the service be
    back at zero within 60 s. Without KEDA, where it can't be installed for the run, it does not apply."""
    judge(load("scale-to-zero"), "ELA-07", expect)
