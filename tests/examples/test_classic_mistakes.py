"""examples/classic-mistakes: every mistake in it is found by the control that is there for it."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from fixtures import catalogue
from tests.examples.judging import findings


class Trap(NamedTuple):
    """`says` are words that the finding's path, value or message must have."""

    source: str
    control: str
    object: str
    says: str = ""


TRAPS = (
    Trap("S3: a pod by itself", "APP-03", "Pod cinema/poster"),
    Trap("S3: the newest image, whatever that is", "APP-28", "Pod cinema/poster", "nginx:latest"),
    Trap("S3-2: subsets that no rule defines", "ACC-22", "VirtualService cinema/ratings", "v1"),
    Trap("S3-4: one istiod", "ACC-20", "IstioOperator istio-system/mesh"),
    Trap("S3-4: one gateway", "ACC-21", "IstioOperator istio-system/mesh", "istio-ingressgateway"),
    Trap("S3-5: scale to zero by silence", "ACC-41", "Service cinema/trailer"),
    Trap("S3-5: an image without a version", "APP-28", "Service cinema/trailer", "ghcr.io/cinema/trailer"),
    Trap("S3-6: a function without probes", "APP-04", "Deployment cinema/recommend"),
    Trap("S3-6: and without a disruption budget", "APP-12", "Deployment cinema/recommend"),
    Trap("S3-9: two rules for one host", "ACC-25", "DestinationRule cinema/recommend"),
    Trap("S3-9: ejected after the budget", "ACC-26", "DestinationRule cinema/recommend"),
    Trap("S3-11: configured above the limit", "APP-22", "Deployment cinema/recommend", "512Mi"),
    Trap("S3-12: mesh settings as an object", "ACC-32", "MeshConfig istio-system/mesh-settings"),
    Trap("S3-13: whatever was pushed last", "LCM-01", "Application argocd/cinema", "HEAD"),
    Trap("S3-14: development beside production", "LCM-06", "cinema"),
    Trap("S3-15: traces in memory", "LCM-15", "Jaeger monitoring/cinema"),
    Trap("S3-16: a monitor that nobody selects", "LCM-13", "ServiceMonitor cinema/recommend"),
    Trap("S3-17: logs without an output", "LCM-10", "fluentd"),
    Trap("S3-18: strict in one namespace", "ACC-29", "PeerAuthentication cinema/default"),
    Trap("S3-19: an account that isn't there", "ACC-30", "AuthorizationPolicy cinema/recommend", "ns/cinema"),
    Trap("S3-21: a Deployment without a selector", "APP-33", "Deployment cinema/popcorn", "selector"),
    Trap("S3-22: two caches that aren't one", "LCM-17", "Deployment cinema/cache"),
    Trap("S3-23: fifteen seconds to notice", "APP-07", "Deployment cinema/projector", "16"),
    Trap("S3-24: replicas without probes", "APP-04", "Deployment cinema/box-office"),
    Trap("S3-25: routes to no service", "ACC-22", "VirtualService cinema/seats"),
    Trap("S3-26: a method that was removed", "ACC-32", "DestinationRule cinema/seats", "LEAST_CONN"),
    Trap("S3-27: one Prometheus", "LCM-12", "Prometheus monitoring/main"),
    Trap("S3-28: a rate that is no ratio", "LCM-14", "PrometheusRule monitoring/cinema", "HighErrorRate"),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: f"{trap.source} ({trap.control})")
def test_every_mistake_is_found_by_the_control_that_is_there_for_it(trap: Trap) -> None:
    found = findings("classic-mistakes", catalogue.controls()[trap.control])
    texts = [f"{f.object} {f.path} {f.value} {f.message}" for f in found]
    assert any(trap.object in f.object and trap.says in text for f, text in zip(found, texts, strict=True)), texts


def test_what_only_looks_like_a_mistake_is_left_alone() -> None:
    """The API server fills in the group of a RoleBinding's role and subjects."""
    for control in catalogue.controls().values():
        if not control.live:
            assert not [f for f in findings("classic-mistakes", control) if "RoleBinding" in f.object]
