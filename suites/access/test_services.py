"""Services: the stable name in front of pods that come and go."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.operators import maker
from fixtures.snapshot.ports import resolves
from fixtures.snapshot.services import Services
from fixtures.snapshot.snapshot import Snapshot


@control(
    "ACC-01",
    "Every Service selects pods, and its ports lead to theirs",
    severity="high",
    reason="A selector or a port that matches nothing is an outage that no pod's health ever shows.",
    remedy="Give spec.selector labels that the pod template has, and targetPort a port that its container declares.",
    source="S0-23",
)
def test_selector_and_ports(services: Services, snapshot: Snapshot, expect: Expect) -> None:
    """Services with a selector, except ExternalName: some workload's pod template, or some pod, of the namespace has
    all of the selector's labels. Then each port ends at a container: a named targetPort exists, with the same protocol,
    in at least one of them; a number is declared by one, unless none declares any port for that protocol. On manifests
    that contain custom objects which may make pods of their own, a selector that matches nothing is unknown.
    """
    for service in services.selecting():
        backends = services.backends(service)
        if not backends and (operated := maker(snapshot, service.namespace)):
            expect.uncertain(service, f"selects nothing in these manifests, but {operated} may make such pods")
            continue
        message = "its selector matches no pod and no workload"
        if not expect(service, backends, message, path="spec.selector", value=service.spec.selector):
            continue
        for number, port in enumerate(service.spec.ports or ()):
            found, declared = resolves(port, backends)
            message = f"port {port.port} leads to {port.target}, which no container declares; declared: {declared}"
            expect(service, found, message, path=f"spec.ports[{number}].targetPort", value=port.target)


@control(
    "ACC-02",
    "Every Service has at least two Ready endpoints",
    severity="high",
    live=True,
    reason="With one endpoint the Service is gone from the moment its pod fails until another one is Ready.",
    remedy="Run two or more replicas (APP-01), and look at why the others are not Ready (APP-02).",
    source="S0-4, S0-22",
)
def test_two_ready_endpoints(services: Services, profile: Profile, expect: Expect) -> None:
    """Ready addresses in the EndpointSlices of each Service with a selector, counted once each, against the profile's
    `min_endpoints`; where addresses are published before they are ready, the serving ones. Left out: Services whose
    workloads are all scaled to zero, and those that address one member of a StatefulSet by its name.
    """
    for service in services.selecting():
        workloads = services.workloads(service)
        asleep = workloads and all(w.replicated and w.replicas == 0 for w in workloads)
        if asleep or services.of_one_pod(service):
            continue
        addresses = [e.addresses[0] for e in services.ready_endpoints(service) if e.addresses]
        message = f"{len(addresses)} Ready endpoint(s), wanted {profile.min_endpoints}"
        expect(service, len(addresses) >= profile.min_endpoints, message, path="endpoints", value=addresses)
