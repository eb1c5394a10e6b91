"""Overload, retries and other metrics on a real cluster, each seen passing and failing for the right reason."""

from __future__ import annotations

from pathlib import Path

from experiments.loads.result import Result
from fixtures.clusters.lab.lab import Lab
from tests.lab.test_load_on_the_lab import figures, played, pytestmark  # noqa: F401 - these need the lab too

# Budgets are the report's to judge, on a machine that does nothing else. Beyond this much more, it is no noise; without
# limits the core functions take more than three seconds.
BUSY_S = 2.0


def verdicts(result: Result) -> dict[str, str]:
    return {f.name: f.verdict for f in result.figures if f.budget is not None}


def test_a_gateway_with_limits_refuses_the_flood_and_serves_the_core(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "overload", "haproxy")
    found = verdicts(result)
    for timed in ("refusal", "core"):
        assert found.pop(timed) in ("pass", "fail")
        [figure] = figures(result, timed)
        assert figure.value is not None
        assert figure.value <= (figure.budget or 0) + BUSY_S, figure.what
    assert set(found.values()) == {"pass"}, found


def test_a_gateway_without_limits_takes_the_core_down_with_the_flood(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "overload", "haproxy-without-limits")
    found = verdicts(result)
    assert result.verdict == "fail"
    assert found["core"] == "fail"
    assert found["broken-circuit"] == "fail"
    assert found["refusal"] == "unknown"  # nothing was refused


def test_orders_with_keys_are_made_once_while_pods_gateway_and_a_node_die(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "retries")
    assert verdicts(result) == {"lost": "pass", "doubled": "pass", "given-up": "pass"}, result.reason
    assert sum(m.what.startswith("F-02") for m in result.moments) == 4
    assert sum(m.what.startswith("F-04") for m in result.moments) == 1
    assert all(n.power == "on" for n in lab.nodes()), "the node that was switched off is on again"


def test_orders_without_keys_are_doubled_by_the_same_retries(lab: Lab, tmp_path: Path) -> None:
    result = played(lab, tmp_path, "retries", "naive")
    assert figures(result, "doubled")[0].verdict == "fail", result.reason
