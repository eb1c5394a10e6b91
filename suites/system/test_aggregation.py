"""Aggregated APIs: parts of the API that pods of the cluster serve."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.endpoints import backing
from fixtures.snapshot.model.extension import APIService
from fixtures.snapshot.model.policy import HorizontalPodAutoscaler
from fixtures.snapshot.snapshot import Snapshot

METRICS_GROUP = "metrics.k8s.io"


@control(
    "SYS-24",
    "Aggregated APIs are available, from two endpoints",
    severity="medium",
    live=True,
    reason="One that is down breaks discovery for every client, and with it the deletion of namespaces.",
    remedy="Run two replicas of what serves it; delete the APIService of what was uninstalled.",
    source="S1-24; Kubernetes: API Aggregation Layer",
)
def test_aggregated_apis(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each APIService with a Service (the others are the API server's own) is Available, and that Service has at least
    the profile's `min_endpoints` Ready endpoints. The metrics API is SYS-34's.
    """
    for api in snapshot.of(APIService):
        if api.spec.service is not None and api.spec.group != METRICS_GROUP:
            _judge(api, snapshot, profile, expect)


@control(
    "SYS-34",
    "The metrics API answers, from two replicas",
    severity="high",
    live=True,
    reason="Autoscaling on CPU and memory stands still without it, at whatever size it had.",
    remedy="Install metrics-server with two replicas on two nodes (its high-availability manifest).",
    source="S0-7",
)
def test_metrics_api(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """The APIService of metrics.k8s.io is Available, and its Service has at least the profile's `min_endpoints` Ready
    endpoints. Where there is none: a finding when some HorizontalPodAutoscaler uses resource metrics, else not
    applicable.
    """
    apis = [api for api in snapshot.of(APIService) if api.spec.group == METRICS_GROUP]
    for api in apis:
        _judge(api, snapshot, profile, expect)
    if not apis:
        waiting = [hpa.reference for hpa in snapshot.of(HorizontalPodAutoscaler) if _measures(hpa)]
        if waiting:
            others = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            message = f"nothing serves it, and {waiting[0]}{others} can't scale without it"
            expect(f"APIService {METRICS_GROUP}", False, message, path="spec.metrics", value=len(waiting))


def _measures(hpa: HorizontalPodAutoscaler) -> bool:
    """Whether it scales on CPU or memory, as it does where it doesn't say on what."""
    kinds = {str(metric.get("type")) for metric in hpa.spec.metrics or ()}
    return not hpa.spec.metrics or bool(kinds & {"Resource", "ContainerResource"})


def _judge(api: APIService, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    state = api.available
    why = f"{state.reason}: {state.message}" if state is not None else "nothing is known of it"
    available = state is not None and state.status == "True"
    expect(api, available, f"not available: {why}", path="status.conditions[Available]")
    service = api.spec.service
    if service is not None:
        behind = backing(snapshot, service.namespace, service.name).addresses
        message = f"{len(behind)} Ready endpoint(s) behind Service {service.namespace}/{service.name}"
        expect(api, len(behind) >= profile.min_endpoints, message, path="spec.service", value=behind)
