"""What becomes of the important when too much of the unimportant comes."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-08",
    "What is too much is refused at once, and the core functions are served as always",
    severity="high",
    reason="Without a limit every request is accepted and none is answered: the queue grows, probes time out, pods are "
    "restarted under load, and the functions that matter go down with those that don't.",
    remedy="At the gateway: a rate limit a route (429), a bound on what is under way and a short queue (503), a poorer "
    "answer where one will do, and a breaker for what fails; room of its own for what must not fail.",
    source="S4-22, S4-23, S4-24, S0-33",
    live=True,
    set="complete",
)
def test_overload_is_refused_and_the_core_is_served(load: Load, expect: Expect) -> None:
    """A gateway (HAProxy) stands in front of a service of two pods. Locust sends six times the bulk requests that it
    can do, requests to a function that always fails, and core requests at their usual pace. By default: refused with
    429 or 503 within 50 ms (99 %), nothing left unanswered, 99 % of core requests within 0.3 s and none failed, every
    pod Ready throughout and none restarted, and half of what fails never reaches the pods. Nothing refused: unknown."""
    judge(load("overload", "haproxy"), "ELA-08", expect)
