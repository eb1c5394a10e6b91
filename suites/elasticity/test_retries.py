"""What customers were promised, when what serves them dies in the middle of it."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect
from suites.elasticity.judging import judge


@control(
    "ELA-10",
    "A retried operation is done once, and one that was acknowledged is never lost",
    severity="high",
    reason="A try without an answer may have succeeded. A client that must not try again loses it, and one that may "
    "orders, books and pays twice.",
    remedy="An idempotency key with every operation, kept with its result in one atomic write to a replicated store; "
    "clients and gateways that retry only what carries one.",
    source="S4-9",
    live=True,
    set="complete",
)
def test_retried_operations_are_done_once(load: Load, expect: Expect) -> None:
    """Customers place orders through a gateway and a Service, each with a key of its own, and try again until they are
    answered, while pods of the service and of the gateway are killed and, where nodes can be, one loses power.
    Afterwards the store is read: 0 acknowledged orders missing, 0 keys there twice, 0 given up. Without a single retry
    nothing was shown: unknown."""
    judge(load("retries"), "ELA-10", expect)
