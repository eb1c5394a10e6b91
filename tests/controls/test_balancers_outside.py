"""SYS-32 where the balancers are outside the cluster, and the provider can look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures import catalogue, verdict
from fixtures.nouns import given
from fixtures.profiles import profile
from tests.controls.test_mutants import recorded

CONTROL = catalogue.controls()["SYS-32"]
OUTSIDE = Path(__file__).parent / "SYS-32" / "unknown-outside.yaml"


def balancer(name: str, **state: Any) -> dict[str, Any]:
    return {"name": name, "address": "198.18.0.2", "power": "on", "serves": True, **state}


@pytest.mark.parametrize(
    ("balancers", "said"),
    [
        ([balancer("lb-1"), balancer("lb-2")], "pass"),
        ([balancer("lb-1")], "fail"),
        ([balancer("lb-1"), balancer("lb-2", power="off")], "fail"),
        ([balancer("lb-1", serves=False), balancer("lb-2")], "fail"),
        ([], "unknown"),
    ],
)
def test_two_that_serve_are_redundant(balancers: list[dict[str, Any]], said: str) -> None:
    snapshot = recorded(OUTSIDE, CONTROL)
    snapshot.cluster = {"balancers": balancers}
    outcome = verdict.judge(CONTROL, snapshot, given(snapshot, profile.load("kubeadm")))
    assert outcome.verdict == said
