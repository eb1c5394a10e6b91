"""Routes: from a host and a path to a Service that is there."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.gateway_api import GROUP, Route
from fixtures.snapshot.operators import may_make
from fixtures.snapshot.routes import Routes, Target
from fixtures.snapshot.sight import in_sight
from fixtures.snapshot.snapshot import Snapshot


@control(
    "ACC-06",
    "Every route leads to a Service and a port that exist",
    severity="high",
    reason="A route to nothing answers 503 to everyone who takes it, while every pod is healthy.",
    remedy="Correct the Service's name, namespace and port in the route; across namespaces add a ReferenceGrant there.",
    source="S4-4, S0-32",
)
def test_routes_lead_somewhere(routes: Routes, snapshot: Snapshot, expect: Expect) -> None:
    """Each backend of an Ingress, and each of an HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute, mirrors
    included: the Service exists in the namespace named, has the port by number or name, and where the namespace is
    another one, a ReferenceGrant there allows it. An ExternalName Service without ports takes any. On a cluster each
    route's Gateway (and its listener, where named) exists too, and no condition of the route's status is Accepted or
    ResolvedRefs False. In manifests, a namespace that they have nothing of is out of sight, and is noted.
    """
    for target in routes.targets():
        _judge(routes, target, snapshot, expect)
    for route in routes.of_gateways():
        _parents(routes, route, snapshot, expect)


def _judge(routes: Routes, target: Target, snapshot: Snapshot, expect: Expect) -> None:
    route, wanted = target.route, f"{target.namespace}/{target.name}"
    if not target.name:
        expect(route, False, "a backend without a Service", path=target.path)
        return
    if not in_sight(snapshot, target.namespace):
        expect.note(f"{route.reference}: Service {wanted} is out of sight")
        return
    service = routes.service(target)
    if service is None:
        operated = may_make(snapshot, target.namespace, target.name)
        if routes.generated(target):
            expect(route, True)
        elif operated:
            expect.uncertain(route, f"Service {wanted} is not in these manifests, but {operated} may make it")
        else:
            expect(route, False, f"there is no Service {wanted}", path=target.path, value=target.name)
        return
    asked = f"Service {wanted} has no port {target.port}" if target.port else f"it names no port of Service {wanted}"
    message = f"{asked}; there are {_ports(service)}"
    expect(route, _has(service, target.port), message, path=f"{target.path}.port", value=target.port)
    message = f"no ReferenceGrant in {target.namespace} lets it use {wanted}"
    expect(route, routes.granted(target), message, path=target.path, value=wanted)


def _has(service: Service, port: int | str | None) -> bool:
    ports = service.spec.ports or []
    if service.spec.type == "ExternalName" and not ports:
        return True
    return any(port in (each.port, each.name) for each in ports)


def _ports(service: Service) -> str:
    return ", ".join(f"{p.name} {p.port}".strip() for p in service.spec.ports or ()) or "none"


def _parents(routes: Routes, route: Route, snapshot: Snapshot, expect: Expect) -> None:
    if not snapshot.live:
        return
    for number, parent in enumerate(route.spec.parent_refs or ()):
        if (parent.group, parent.kind) != (GROUP, "Gateway"):
            continue
        gateway = routes.gateway(route, parent)
        path = f"spec.parentRefs[{number}]"
        if expect(route, gateway, f"there is no Gateway {parent.name}", path=path, value=parent.name):
            assert gateway is not None
            listeners = [each.name for each in gateway.spec.listeners or ()]
            found = not parent.section_name or parent.section_name in listeners
            message = f"{gateway.reference} has no listener {parent.section_name}; it has {', '.join(listeners)}"
            expect(route, found, message, path=f"{path}.sectionName", value=parent.section_name)
    for status in route.status.parents or ():
        for condition in status.conditions or ():
            if condition.type in ("Accepted", "ResolvedRefs"):
                path = f"status.parents[{status.parent_ref.name}].conditions[{condition.type}]"
                message = f"its controller says {condition.type} False: {condition.message or condition.reason}"
                expect(route, condition.status != "False", message, path=path, value=condition.reason)
