"""What a service's autoscaler makes of load that comes and goes."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-01",
    "A service grows with its load, in time and without losing a request",
    severity="high",
    reason="A configured autoscaler is not yet one that works: without requests, metrics or room it never acts.",
    remedy="CPU requests on every container, a metrics API that answers, scaleUp without a stabilization window, "
    "maxReplicas that carry the peak, and room on the nodes.",
    source="S0-5",
    live=True,
    set="complete",
)
def test_a_service_grows_with_its_load(load: Load, expect: Expect) -> None:
    """A service made for the run has an autoscaler on CPU; locust asks it for many times as much as before. The time
    until the scaler decides, until the first new pod and until enough pods are Ready, and until p95 is within its
    target again must be within the profile's budgets for ELA-01; and no request may fail meanwhile."""
    judge(load("autoscaling"), "ELA-01", expect)


@control(
    "ELA-02",
    "A service shrinks again after its load, without flapping and without losing a request",
    severity="medium",
    reason="What never shrinks is paid for; what shrinks too eagerly is short of pods at the next peak, and every pod "
    "that leaves without grace takes requests with it.",
    remedy="behavior.scaleDown with a stabilization window longer than the load's own ups and downs; pods that become "
    "unready on SIGTERM and serve on for a while.",
    source="S0-5",
    live=True,
    set="complete",
)
def test_a_service_shrinks_again_after_its_load(load: Load, expect: Expect) -> None:
    """The same run as for ELA-01: when the load is gone the service must be back at its minimum within the profile's
    budget for ELA-02, not before its stabilization window is over, and change its direction only once; and no request
    may fail meanwhile."""
    judge(load("autoscaling"), "ELA-02", expect)
