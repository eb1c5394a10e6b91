"""Autoscaling by what is not CPU."""

from __future__ import annotations

from experiments.plugin import Load
from fixtures.control import control
from fixtures.expect import Expect, NotApplicable
from suites.elasticity.judging import judge


@control(
    "ELA-03",
    "Services grow by memory and by metrics of their own, and shrink again",
    severity="medium",
    reason="Queues, connections and memory fill up long before CPU does. An autoscaler on a metric that nobody serves "
    "looks right and never acts.",
    remedy="A metrics server for memory, an adapter (KEDA, prometheus-adapter) for everything else; see the scaler's "
    "ScalingActive condition.",
    source="S0-5",
    live=True,
    set="complete",
)
def test_services_grow_by_memory_and_by_metrics_of_their_own(load: Load, expect: Expect) -> None:
    """Twice: one pod takes two and a half times the memory that its autoscaler aims at (the metrics API), and a gateway
    gets two and a half times the requests a second that a pod is sized for (KEDA, asked of Prometheus; in the lab a
    stand-in for it where KEDA is not built, and then the report says so). Each time a second pod must be Ready within
    60 s by default, no request fail, and one pod be left within 60 s of the end."""
    judge(load("other-metrics", "memory"), "ELA-03", expect)
    try:
        judge(load("other-metrics", "external"), "ELA-03", expect)
    except NotApplicable as absent:
        expect.note(f"{absent}: a stand-in served the external metric instead")
        judge(load("other-metrics", "stand-in"), "ELA-03", expect)
