"""Endpoints: where the traffic of a Service really goes, from every node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.model.workload import DaemonSet
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.services import Services
from fixtures.snapshot.snapshot import Snapshot

LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"


@control(
    "ACC-03",
    "The endpoints of every Service are the Ready pods that it selects, no more and no fewer",
    severity="high",
    live=True,
    reason="An endpoint without a Ready pod answers with errors; a Ready pod without one stands idle.",
    remedy="Look at the endpoint slice controller (kube-controller-manager), and for EndpointSlices made by hand.",
    source="S0-22, S0-23, S0-24, S0-25",
)
def test_endpoints_are_the_ready_pods(services: Services, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For each Service with a selector: the names of the pods that it selects, are Ready and are not being deleted,
    against the targets of the ready endpoints in its EndpointSlices (of the serving ones, where addresses are published
    before they are ready). Lists are read one after the other: where they differ and a pod or a slice changed within
    the profile's `access.settle_s`, it is uncertain.
    """
    for service in services.selecting():
        pods = services.pods(service)
        ready = {pod.name for pod in pods if pod.ready}
        targets = services.targets(service)
        missing, extra = sorted(ready - targets), sorted(targets - ready)
        if (missing or extra) and _settling(services, service, pods, snapshot, profile):
            expect.uncertain(service, "its pods or endpoints were changing while they were read")
            continue
        message = "; ".join(
            [
                *([f"Ready but no endpoint: {', '.join(missing)}"] if missing else []),
                *([f"endpoint but no Ready pod: {', '.join(extra)}"] if extra else []),
            ]
        )
        expect(service, not message, message, path="endpoints", value=sorted(targets))


def _settling(services: Services, service: Service, pods: list[Pod], snapshot: Snapshot, profile: Profile) -> bool:
    since = snapshot.taken - timedelta(seconds=profile.access.settle_s)
    times = [moment(each.annotations.get(LAST_CHANGE)) for each in services.slices(service)]
    for pod in pods:
        times += [moment(c.last_transition_time) for c in pod.status.conditions or () if c.type == "Ready"]
        gone = moment(pod.metadata.deletion_timestamp)  # the end of its grace period
        times.append(gone - timedelta(seconds=pod.spec.grace_seconds) if gone else None)
    return any(time is not None and time >= since for time in times)


@control(
    "ACC-04",
    "A Local traffic policy leaves no node without endpoints",
    severity="medium",
    reason="With the policy Local a node drops what it gets when none of the Service's pods runs on it.",
    remedy="Use the policy Cluster, or trafficDistribution to prefer what is near; or run the pods as a DaemonSet.",
    source="Kubernetes: Virtual IPs and Service Proxies",
)
def test_local_policy(services: Services, nodes: Nodes, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Services with internalTrafficPolicy Local, and NodePort Services or external IPs with externalTrafficPolicy
    Local: every Ready node that takes ordinary pods has a ready endpoint. On manifests only a DaemonSet that is bound
    to no particular nodes can promise that. A LoadBalancer's health check node port, and a balancer that the profile
    says asks first (`access.node_ports_health_checked`), spare nodes without endpoints. None at all is ACC-02's.
    """
    for service in services.selecting():
        for path, excused in _local(service, profile):
            if excused:
                expect(service, True)
            elif not snapshot.live:
                workloads = services.workloads(service)
                if workloads:
                    bare = [w.reference for w in workloads if not _everywhere(w.object)]
                    message = f"nodes without a pod of {', '.join(bare)} drop its traffic"
                    expect(service, not bare, message, path=path, value="Local")
            elif ready := services.ready_endpoints(service):
                on = {endpoint.node_name for endpoint in ready}
                without = sorted(node.name for node in nodes.schedulable() if node.name not in on)
                message = f"these nodes have no endpoint of it and drop its traffic: {', '.join(without)}"
                expect(service, not without, message, path=path, value="Local")


def _local(service: Service, profile: Profile) -> Iterator[tuple[str, bool]]:
    """The field of each Local policy, and whether nodes without endpoints are spared."""
    spec = service.spec
    if service.headless:
        return
    if spec.internal_traffic_policy == "Local":
        yield "spec.internalTrafficPolicy", False
    exposed = spec.type in ("NodePort", "LoadBalancer") or spec.external_ips
    if exposed and spec.external_traffic_policy == "Local":
        yield (
            "spec.externalTrafficPolicy",
            spec.type == "LoadBalancer" or (spec.type == "NodePort" and profile.access.node_ports_health_checked),
        )


def _everywhere(maker: object) -> bool:
    if not isinstance(maker, DaemonSet):
        return False
    spec = maker.spec.template.spec
    return not spec.node_selector and (spec.affinity is None or spec.affinity.node_affinity is None)
