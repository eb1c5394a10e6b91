"""Headless Services: names for the members of a StatefulSet, not a way around readiness."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.model.workload import StatefulSet
from fixtures.snapshot.operators import may_make
from fixtures.snapshot.services import Services
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "ACC-05",
    "StatefulSets are governed by headless Services, and only such ones publish pods that are not Ready",
    severity="medium",
    reason="Without a headless Service members can't find each other; traffic to pods that aren't Ready is errors.",
    remedy="Give the StatefulSet's serviceName a Service with clusterIP None and the same selector; put "
    "publishNotReadyAddresses on that one only, and let clients use another Service.",
    source="S4-32",
)
def test_headless_services(workloads: Workloads, services: Services, snapshot: Snapshot, expect: Expect) -> None:
    """For each StatefulSet that runs and names a Service in serviceName: the Service exists in its namespace, has
    clusterIP None and selects the StatefulSet's pods. For each Service with publishNotReadyAddresses: it is headless,
    and every workload that it selects is a StatefulSet. What an operator may make is uncertain on manifests.
    """
    named = {(s.namespace, s.name): s for s in services.in_scope()}
    for workload in workloads.serving():
        governed = workload.object
        if not isinstance(governed, StatefulSet) or not governed.spec.service_name:
            continue
        name = governed.spec.service_name
        service = named.get((workload.namespace, name))
        if service is None and (operated := may_make(snapshot, workload.namespace, name)):
            expect.uncertain(workload, f"Service {name} is not in these manifests, but {operated} may make it")
            continue
        if not expect(workload, service, f"there is no Service {name}", path="spec.serviceName", value=name):
            continue
        assert service is not None
        message = f"{service.reference} governs it and is not headless"
        expect(workload, service.headless, message, path="spec.serviceName", value=service.spec.cluster_ip)
        selects = any(w.reference == workload.reference for w in services.workloads(service))
        message = f"{service.reference} governs it and does not select its pods"
        expect(workload, selects, message, path="spec.serviceName", value=service.spec.selector)

    for service in services.selecting():
        if not service.spec.publish_not_ready_addresses:
            continue
        path = "spec.publishNotReadyAddresses"
        message = "it has a cluster address, and sends to pods that are not Ready"
        if not expect(service, service.headless, message, path=path, value=True):
            continue
        others = [w.reference for w in services.workloads(service) if not isinstance(w.object, StatefulSet)]
        message = f"it publishes pods of {', '.join(others)} before they are Ready"
        expect(service, not others, message, path=path, value=True)
