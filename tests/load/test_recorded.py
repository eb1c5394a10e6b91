"""What the lab recorded is judged again: passes and failures, each for the right reason."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from experiments.loads import catalogue
from experiments.loads.play import Budgets
from experiments.loads.recording import Recording
from experiments.loads.result import Figure

RECORDED = Path(__file__).with_name("recorded")


def recording(name: str) -> Recording:
    return msgspec.json.decode((RECORDED / f"{name}.json").read_bytes(), type=Recording, strict=False)


def judged(name: str, play: str, variant: str = "") -> dict[str, Figure]:
    return {f.name: f for f in catalogue.play(play).judge(recording(name), variant, Budgets({}))}


def verdicts(figures: dict[str, Figure]) -> dict[str, str]:
    return {name: f.verdict for name, f in figures.items() if f.budget is not None}


def test_a_flood_at_a_gateway_with_limits() -> None:
    """2,105 of 2,253 refused within 28 ms (99 %); the breaker stayed open for three seconds only: not enough."""
    found = verdicts(judged("overload-haproxy", "overload", "haproxy"))
    assert found.pop("broken-circuit") == "fail"
    assert set(found.values()) == {"pass"}


def test_the_same_flood_without_limits() -> None:
    """Core requests took 3.3 s, both pods lost their readiness and were restarted."""
    figures = judged("overload-haproxy-without-limits", "overload", "haproxy-without-limits")
    found = verdicts(figures)
    assert found.pop("refusal") == "unknown"
    assert set(found.values()) == {"fail"}
    assert (figures["core"].value or 0) > 3
    assert figures["upstream-ready"].value == 0


def test_a_flood_at_envoy_with_limits() -> None:
    """2,093 of 2,252 refused, 99 % within 98 ms: late by the 50 ms of a machine of one's own, not by the lab's 200."""
    figures = judged("overload-envoy", "overload", "envoy")
    found = verdicts(figures)
    assert found.pop("refusal") == "fail"
    assert set(found.values()) == {"pass"}
    assert (figures["refusal"].value or 0) < 0.2


def test_the_same_flood_at_envoy_without_limits() -> None:
    """Half of the core requests failed, both pods were restarted; 503 came, but after five seconds."""
    figures = judged("overload-envoy-without-limits", "overload", "envoy-without-limits")
    found = verdicts(figures)
    assert found.pop("broken-circuit") == "pass"  # nobody was Ready to be asked
    assert set(found.values()) == {"fail"}
    assert (figures["core-failed"].value, figures["upstream-restarts"].value) == (76, 2)


def test_a_flood_from_a_machine_that_was_too_busy_lets_nothing_be_concluded() -> None:
    assert "bottleneck" in recording("overload-on-a-busy-machine").bottleneck
    assert recording("overload-haproxy").bottleneck == ""


def test_orders_while_pods_gateway_and_a_node_died() -> None:
    figures = judged("retries-idempotent", "retries", "idempotent")
    assert verdicts(figures) == {"lost": "pass", "doubled": "pass", "given-up": "pass"}
    assert "367 acknowledged orders, 19 of them tried more than once" in figures["lost"].what


def test_orders_of_which_none_needed_a_second_try() -> None:
    """Pods that are deleted finish what they have begun: nothing was shown, although the service was a naive one."""
    assert set(verdicts(judged("retries-nobody-retried", "retries", "naive")).values()) == {"unknown"}


def test_scaling_by_memory() -> None:
    figures = judged("other-metrics-memory", "other-metrics", "memory")
    assert set(verdicts(figures).values()) == {"pass"}
    assert figures["grown"].value == 3


def test_scaling_by_requests_that_prometheus_counted() -> None:
    figures = judged("other-metrics-stand-in", "other-metrics", "stand-in")
    assert set(verdicts(figures).values()) == {"pass"}
    assert (figures["first-pod-ready"].value or 99) < 20


def test_an_adapter_without_its_prometheus() -> None:
    assert verdicts(judged("other-metrics-without-prometheus", "other-metrics", "stand-in"))["grown"] == "fail"


def test_scaling_by_what_keda_served() -> None:
    figures = judged("other-metrics-external", "other-metrics", "external")
    assert set(verdicts(figures).values()) == {"pass"}
    assert figures["grown"].value == 3


def test_a_service_that_keda_took_to_zero_and_back() -> None:
    """42 requests, the first of which found no pod: the gateway held it for 2.7 s."""
    figures = judged("scale-to-zero-holding", "scale-to-zero", "holding")
    assert set(verdicts(figures).values()) == {"pass"}
    assert figures["cold-start"].value == pytest.approx(2.71, abs=0.01)


def test_the_same_behind_a_gateway_that_does_not_wait() -> None:
    """23 of 48 requests were refused until the first pod was Ready after 6 s."""
    figures = judged("scale-to-zero-refusing", "scale-to-zero", "refusing")
    found = verdicts(figures)
    assert found.pop("lost") == "fail"
    assert set(found.values()) == {"pass"}
    assert figures["lost"].value == 23
