"""What the mesh does for a service that is failing: leave the bad pod out, and don't pile up on the rest."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import selectors
from fixtures.snapshot.mesh import Mesh, Policy
from fixtures.snapshot.mesh_hosts import full
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.istio import OutlierDetection, Subset
from fixtures.snapshot.snapshot import Snapshot

CONSECUTIVE = 5  # errors in a row that eject an endpoint, where nothing is said
MOST_EJECTED = 10  # percent of the endpoints, where nothing is said


@control(
    "ACC-24",
    "Every subset that a route sends to has at least two Ready pods",
    severity="high",
    live=True,
    reason="A subset is a service of its own: with one pod, its share of the traffic is gone when that pod fails.",
    remedy="Correct the subset's labels, or run two or more pods of each version that gets traffic.",
    source="S3-2",
)
def test_subsets_have_pods(mesh: Mesh, profile: Profile, expect: Expect) -> None:
    """Each subset of a DestinationRule in scope that some VirtualService sends to with a weight above 0 (or as the
    only destination): the Ready pods that the host's Service selects and that have the subset's labels are at least
    the profile's `min_endpoints`. Subsets that get nothing, and hosts that are no Service, are left out.
    """
    used = mesh.subset_sent_to()
    for rule in mesh.rules():
        host = full(rule.declared.host, rule.namespace)
        service = mesh.hosts.service(host)
        for number, subset in enumerate(rule.declared.subsets or ()):
            if service is None or (host, subset.name) not in used:
                continue
            ready = [pod.name for pod in mesh.services.pods(service) if pod.ready and _of(subset, pod.labels)]
            message = f"subset {subset.name} has {len(ready)} Ready pod(s), wanted {profile.min_endpoints}"
            path = f"spec.subsets[{number}].labels"
            expect(rule, len(ready) >= profile.min_endpoints, message, path=path, value=subset.labels)


@control(
    "ACC-26",
    "Every service of the mesh has outlier detection that works with the endpoints it has",
    severity="medium",
    reason="Without it an endpoint that only answers errors keeps its share of the requests until its probe fails.",
    remedy="Set trafficPolicy.outlierDetection in the host's DestinationRule, with a maxEjectionPercent of at least "
    "100 divided by the endpoints.",
    source="S3-9, S4-22",
)
def test_outlier_detection(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Services in scope with meshed pods behind them, or named by a route or DestinationRule: some DestinationRule
    sets outlierDetection, for the host and again for each port that it sets apart, where nothing is inherited; subsets
    inherit. It can eject one of the endpoints (the Ready ones; on manifests the fewest replicas): with n of them,
    100 / n is at most maxEjectionPercent (10 unless set), and the rest are at least minHealthPercent. Errors in a row
    (5 unless set) add up to an ejection within `recovery_budget_s` at the profile's `mesh.requests_per_endpoint_s`;
    Envoy ejects at the last of them, the interval only paces the other checks.
    """
    for service in mesh.called():
        policies = mesh.policies(service)
        if not expect(service, policies, "no DestinationRule is for it: no outlier detection", path="metadata.name"):
            continue
        for policy in policies:
            path = f"{policy.path}.outlierDetection"
            detection = policy.outlier_detection
            if not expect(policy.rule, detection, f"no outlier detection for {service.reference}", path=path):
                continue
            assert detection is not None
            wrong, field, value = _slow(detection, profile)
            expect(policy.rule, not wrong, wrong, path=f"{path}.{field}", value=value)
            count = _endpoints(mesh, service, policy, snapshot)
            if count is not None and count > 1:
                wrong, field, value = _toothless(detection, count)
                expect(policy.rule, not wrong, wrong, path=f"{path}.{field}", value=value)


def _slow(detection: OutlierDetection, profile: Profile) -> tuple[str, str, int | None]:
    """Why errors in a row don't lead to an ejection in time; "" when they do."""
    given = detection.consecutive_5xx_errors
    limits = [
        CONSECUTIVE if given is None else given,
        detection.consecutive_gateway_errors or 0,
    ]
    least = min((limit for limit in limits if limit > 0), default=0)
    if not least:
        return "errors in a row eject nothing: consecutive5xxErrors is 0", "consecutive5xxErrors", given
    takes, budget = least / profile.mesh.requests_per_endpoint_s, profile.recovery_budget_s
    rate = f"{profile.mesh.requests_per_endpoint_s:g} requests/s"
    message = f"{least} errors in a row take {takes:g} s at {rate} an endpoint; allowed are {budget:g} s"
    return message if takes > budget else "", "consecutive5xxErrors", given


def _toothless(detection: OutlierDetection, count: int) -> tuple[str, str, int | None]:
    """Why not one of so many endpoints can be ejected; "" when one can."""
    most = MOST_EJECTED if detection.max_ejection_percent is None else detection.max_ejection_percent
    if most * count < 100:
        message = f"{most} % of {count} endpoints is less than one: none is ever ejected"
        return message, "maxEjectionPercent", detection.max_ejection_percent
    healthy = detection.min_health_percent or 0
    if (count - 1) * 100 < healthy * count:
        message = f"{count - 1} of {count} endpoints are less than {healthy} %: one ejected, all are used again"
        return message, "minHealthPercent", detection.min_health_percent
    return "", "maxEjectionPercent", detection.max_ejection_percent


def _endpoints(mesh: Mesh, service: Service, policy: Policy, snapshot: Snapshot) -> int | None:
    """How many there are to eject from; None where that can't be told."""
    if snapshot.live:
        pods = [pod for pod in mesh.services.pods(service) if pod.ready]
        return sum(1 for pod in pods if _of(policy.subset, pod.labels))
    workloads = [w for w in mesh.services.workloads(service) if _of(policy.subset, w.pod_labels)]
    return sum(w.effective_replicas for w in workloads) if all(w.replicated for w in workloads) else None


def _of(subset: Subset | None, labels: dict[str, str]) -> bool:
    return subset is None or not subset.labels or selectors.matches_map(subset.labels, labels)


@control(
    "ACC-27",
    "Every service of the mesh has limits on connections or requests",
    severity="medium",
    reason="Without limits callers pile up on a service that is slow, until it and they fail together.",
    remedy="Set trafficPolicy.connectionPool: tcp.maxConnections, http.http1MaxPendingRequests or http2MaxRequests.",
    source="S3-8, S4-22, S4-24",
)
def test_connection_limits(mesh: Mesh, expect: Expect) -> None:
    """The services of ACC-26: some DestinationRule sets a connectionPool with tcp.maxConnections,
    http.http1MaxPendingRequests or http.http2MaxRequests, for the host, each port set apart and each subset, inherited
    as there. maxRequestsPerConnection and timeouts bound how long a connection is used, not how many wait.
    """
    for service in mesh.called():
        policies = mesh.policies(service)
        if not expect(service, policies, "no DestinationRule is for it: no limits", path="metadata.name"):
            continue
        for policy in policies:
            pool = policy.connection_pool
            limited = pool is not None and pool.limited
            message = f"no limit on connections or requests to {service.reference}"
            expect(policy.rule, limited, message, path=f"{policy.path}.connectionPool")
