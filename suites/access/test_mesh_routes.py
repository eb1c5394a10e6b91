"""Routes of the mesh: to hosts and subsets that exist, in shares that make sense, with an end to waiting."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import duration_s
from fixtures.snapshot.mesh import Mesh, of_sidecars, splits
from fixtures.snapshot.mesh_hosts import full, service_of
from fixtures.snapshot.model.gateway_api import Route
from fixtures.snapshot.model.istio import Destination, HTTPRoute, IstioGateway, VirtualService
from fixtures.snapshot.operators import may_make
from fixtures.snapshot.routes import Routes, of_mesh
from fixtures.snapshot.sight import in_sight
from fixtures.snapshot.snapshot import Snapshot


@control(
    "ACC-22",
    "The hosts and subsets that VirtualServices name exist",
    severity="high",
    reason="A destination that is no Service, or a subset without a DestinationRule, answers 503 to its whole share.",
    remedy="Correct the host (a short name means the own namespace), or add the Service, the ServiceEntry, or the "
    "subset to the host's DestinationRule.",
    source="S3-2, S3-25",
)
def test_hosts_and_subsets(mesh: Mesh, snapshot: Snapshot, expect: Expect) -> None:
    """Each destination and mirror of a VirtualService: its host, resolved as Istio does (a name without dots in the
    VirtualService's namespace, any other as it is), is a Service, Knative's included, or a ServiceEntry that is shown
    to the namespace; its port, where given, is one of the Service's; its subset is in a DestinationRule for that host.
    Hosts that it applies to inside the mesh are Services where they look like one; Gateways and delegates that it
    names exist. In manifests, a namespace that they have nothing of is out of sight.
    """
    for virtual in mesh.virtual_services():
        _applies_to(mesh, virtual, snapshot, expect)
        for path, destination in _destinations(virtual):
            _leads_to(mesh, virtual, path, destination, snapshot, expect)


def _destinations(virtual: VirtualService) -> Iterator[tuple[str, Destination]]:
    for split in splits(virtual):
        for number, each in enumerate(split.destinations):
            yield f"{split.path}[{number}].destination", each.destination
    for number, http in enumerate(virtual.declared.http or ()):
        if http.mirror is not None:
            yield f"spec.http[{number}].mirror", http.mirror
        for at, mirror in enumerate(http.mirrors or ()):
            yield f"spec.http[{number}].mirrors[{at}].destination", mirror.destination


def _leads_to(
    mesh: Mesh, virtual: VirtualService, path: str, destination: Destination, snapshot: Snapshot, expect: Expect
) -> None:
    host = full(destination.host, virtual.namespace)
    key = service_of(host)
    if key is not None and not in_sight(snapshot, key[0]):
        expect.note(f"{virtual.reference}: {destination.host} is out of sight")
        return
    if not mesh.hosts.known(host, virtual.namespace):
        operated = may_make(snapshot, *key) if key else ""
        if operated:
            expect.uncertain(virtual, f"{destination.host} is not in these manifests, but {operated} may make it")
        elif key is None and not snapshot.live and not _half(mesh, destination.host):
            expect.uncertain(virtual, f"no ServiceEntry in these manifests says what {destination.host} is")
        else:
            message = f"there is no {host}{_half(mesh, destination.host)}"
            expect(virtual, False, message, path=f"{path}.host", value=destination.host)
    else:
        expect(virtual, True)
        service = mesh.hosts.service(host)
        if service is not None and destination.port is not None and destination.port.number:
            ports = [port.port for port in service.spec.ports or ()]
            message = f"{service.reference} has no port {destination.port.number}; it has {ports}"
            number = destination.port.number
            expect(virtual, number in ports, message, path=f"{path}.port.number", value=number)
    if destination.subset:
        names = [s.name for rule in mesh.hosts.rules(host) for s in rule.declared.subsets or ()]
        said = f"its DestinationRule has {', '.join(names)}" if names else "no DestinationRule has subsets of it"
        message = f"{destination.host} has no subset {destination.subset}: {said}"
        expect(virtual, destination.subset in names, message, path=f"{path}.subset", value=destination.subset)


def _half(mesh: Mesh, host: str) -> str:
    """What to write instead of `name.namespace`, which Istio does not complete; empty for any other host."""
    completed = f"{host}.svc.cluster.local"
    return f"; write {completed}" if host.count(".") == 1 and mesh.hosts.service(completed) is not None else ""


def _applies_to(mesh: Mesh, virtual: VirtualService, snapshot: Snapshot, expect: Expect) -> None:
    declared = virtual.declared
    for number, host in enumerate(declared.hosts or ()):
        key = service_of(full(host, virtual.namespace))
        if key is None or not of_sidecars(virtual) or not in_sight(snapshot, key[0]):
            continue
        known = mesh.hosts.known(full(host, virtual.namespace), virtual.namespace)
        if not known and may_make(snapshot, *key):
            continue
        expect(virtual, known, f"it is for {host}, which is not there", path=f"spec.hosts[{number}]", value=host)
    gateways = snapshot.derive(_gateways)
    for number, name in enumerate(declared.gateways or ()):
        namespace, _, plain = name.rpartition("/")
        namespace = virtual.namespace if namespace in ("", ".") else namespace
        if name == "mesh" or "." in plain or not in_sight(snapshot, namespace):
            continue
        found = (namespace, plain) in gateways
        expect(virtual, found, f"there is no Gateway {namespace}/{plain}", path=f"spec.gateways[{number}]", value=name)
    others = snapshot.derive(_virtual_services)
    for number, http in enumerate(declared.http or ()):
        if http.delegate is not None:
            wanted = (http.delegate.namespace or virtual.namespace, http.delegate.name)
            if in_sight(snapshot, wanted[0]):
                message = f"there is no VirtualService {'/'.join(wanted)}"
                expect(virtual, wanted in others, message, path=f"spec.http[{number}].delegate", value=wanted[1])


def _gateways(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    return frozenset((gateway.namespace, gateway.name) for gateway in snapshot.of(IstioGateway))


def _virtual_services(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    return frozenset((virtual.namespace, virtual.name) for virtual in snapshot.of(VirtualService))


@control(
    "ACC-23",
    "The weights of every route are shares of something",
    severity="medium",
    reason="Where all weights are zero nothing is served; a negative one makes the proxies refuse the configuration.",
    remedy="Give the destinations of a route weights of 0 or more that add up to 100.",
    source="S3-2",
)
def test_weights(mesh: Mesh, routes: Routes, expect: Expect) -> None:
    """For each route of a VirtualService: no weight is negative, and where it has several destinations their weights
    add up to more than 0 (absent counts 0; a single destination gets everything whatever its weight). A sum other than
    100 is valid, shares are proportional, and is noted. For each rule of a Gateway API route: no weight is negative,
    and they (absent counts 1) add up to more than 0.
    """
    for virtual in mesh.virtual_services():
        for split in splits(virtual):
            weights = [each.weight for each in split.destinations]
            if weights:
                alone = len(weights) == 1
                _weigh(virtual, split.path, weights, alone, expect)
                if not alone and sum(weights) not in (0, 100):
                    expect.note(
                        f"{virtual.reference} {split.path}: weights {weights} add up to {sum(weights)}, not 100"
                    )
    for route in routes.of_gateways():
        for number, rule in enumerate(route.spec.rules or ()):
            weights = [backend.weight for backend in rule.backend_refs or ()]
            if weights:
                _weigh(route, f"spec.rules[{number}].backendRefs", weights, False, expect)


def _weigh(subject: VirtualService | Route, path: str, weights: list[int], alone: bool, expect: Expect) -> None:
    if expect(subject, min(weights) >= 0, f"negative weight in {weights}", path=path, value=weights):
        message = f"weights {weights} add up to 0: nothing is served"
        expect(subject, alone or sum(weights) > 0, message, path=path, value=weights)


@control(
    "ACC-28",
    "Every route of the mesh ends waiting, and bounds its retries",
    severity="medium",
    reason="Without a timeout callers wait for a service that hangs until all of them do; endless retries finish it.",
    remedy="Set timeout, and retries with few attempts and a perTryTimeout below it, on every HTTP route.",
    source="S4-21, S4-9",
)
def test_timeouts_and_retries(mesh: Mesh, routes: Routes, profile: Profile, expect: Expect) -> None:
    """Each HTTP route of a VirtualService that has destinations (no redirect, answer or delegate): a timeout greater
    than 0 (absent or 0s means none), at most the profile's `mesh.max_retry_attempts` attempts (Istio's own default is
    2), and a perTryTimeout not longer than the timeout. Each rule of an HTTPRoute or GRPCRoute on a Service: a request
    timeout, or one for backend requests. What comes in through a gateway by the Gateway API is ACC-09's.
    """
    for virtual in mesh.virtual_services():
        for number, http in enumerate(virtual.declared.http or ()):
            if http.route and http.redirect is None and http.direct_response is None:
                _bounded(virtual, f"spec.http[{number}]", http, profile, expect)
    for route in routes.of_gateways():
        if of_mesh(route) and route.kind in ("HTTPRoute", "GRPCRoute"):
            for number, rule in enumerate(route.spec.rules or ()):
                given = [rule.timeouts.request, rule.timeouts.backend_request] if rule.timeouts else []
                path = f"spec.rules[{number}].timeouts"
                expect(route, any(duration_s(t) for t in given if t), "no timeout", path=path, value=given)


def _bounded(virtual: VirtualService, path: str, http: HTTPRoute, profile: Profile, expect: Expect) -> None:
    timeout = duration_s(http.timeout) if http.timeout else 0.0
    if timeout is None:
        expect.uncertain(virtual, f"{path}.timeout {http.timeout!r} is no duration")
        return
    expect(virtual, timeout > 0, "no timeout", path=f"{path}.timeout", value=http.timeout)
    if http.retries is None:
        return
    attempts = http.retries.attempts or 0
    most = profile.mesh.max_retry_attempts
    message = f"{attempts} retries, allowed are {most}"
    expect(virtual, 0 <= attempts <= most, message, path=f"{path}.retries.attempts", value=attempts)
    each = duration_s(http.retries.per_try_timeout) if http.retries.per_try_timeout else 0.0
    if each and timeout:
        message = f"one try may take {each:g} s, all together {timeout:g} s: no retry ever happens"
        value = http.retries.per_try_timeout
        expect(virtual, each <= timeout, message, path=f"{path}.retries.perTryTimeout", value=value)
