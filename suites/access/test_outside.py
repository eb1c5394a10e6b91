"""What stands outside the cluster: reached by a name of the cluster, and more than one of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from ipaddress import ip_address

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.model.access import Endpoints, Service
from fixtures.snapshot.model.istio import ServiceEntry
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.operators import may_make
from fixtures.snapshot.services import Services
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads

_IN_URL = re.compile(r"://(?:[^/@\s]*@)?(\d{1,3}(?:\.\d{1,3}){3})(?=[:/?#]|$)")
_WITH_PORT = re.compile(r"(?:^|[\s,;])(\d{1,3}(?:\.\d{1,3}){3}):\d+(?=[\s,;/]|$)")
_BARE = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){3})$")
_HOST_NAME = re.compile(r"(?i)(HOST|ADDR|ADDRESS|SERVER|ENDPOINT|URL|URI)$")
_NOT_A_SERVER = re.compile(r"(?i)(NO_?PROXY|DNS|NAMESERVER|LISTEN|BIND)")


@control(
    "ACC-12",
    "What stands outside the cluster is reached through a Service, with two addresses or a name",
    severity="medium",
    reason="An address written into a program can't be moved when its server dies; and one alone has no other.",
    remedy="Make a Service without selector and an EndpointSlice of two or more addresses, or an ExternalName Service; "
    "let programs use its name.",
    source="S4-33",
)
def test_outside_services(
    services: Services, workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """Services without a selector (default/kubernetes, and those that a controller owns, aside) have at least the
    profile's `min_endpoints` ready addresses in EndpointSlices, or in Endpoints of the same name. An ExternalName names
    a host, not an address. A mesh's ServiceEntry with static addresses has as many of them. No environment variable of
    a workload holds the address of a server, in a URL, with a port, or alone where the variable's name says that it is
    one; loopback and cluster addresses are none of this.
    """
    enough = profile.min_endpoints
    for service in services.in_scope():
        if service.spec.type == "ExternalName":
            name = service.spec.external_name
            message = f"it stands for the single address {name}; an ExternalName is resolved as a name"
            expect(service, not _BARE.match(name), message, path="spec.externalName", value=name)
            continue
        ours = (service.namespace, service.name) == ("default", "kubernetes") or service.controller is not None
        if service.spec.selector or ours:
            continue
        addresses = _by_hand(services, snapshot, service)
        if not addresses and (operated := may_make(snapshot, service.namespace, service.name)):
            expect.uncertain(service, f"no endpoints in these manifests, but {operated} may make them")
            continue
        message = f"{len(addresses)} address(es) behind it, wanted {enough}"
        expect(service, len(addresses) >= enough, message, path="endpoints", value=addresses)

    for entry in snapshot.of(ServiceEntry):
        declared = entry.declared
        if profile.in_scope(entry.namespace) and declared.resolution == "STATIC" and not declared.workload_selector:
            addresses = sorted({e.address for e in declared.endpoints or ()})
            message = f"{len(addresses)} address(es) behind it, wanted {enough}"
            expect(entry, len(addresses) >= enough, message, path="spec.endpoints", value=addresses)

    inside = _Inside(snapshot)
    for workload in workloads.all():
        for place, container in workload.containers:
            for variable in container.env or ():
                if not _names_a_server(variable.name, variable.value):
                    continue
                outside = [a for a in _servers(variable.value) if a not in inside.addresses]
                path = f"{place}.env[{variable.name}]"
                message = f"container {container.name} goes straight to {', '.join(outside)}, without a Service"
                expect(workload, not outside, message, path=path, value=outside)


def _by_hand(services: Services, snapshot: Snapshot, service: Service) -> list[str]:
    found = {e.addresses[0] for e in services.ready_endpoints(service) if e.addresses}
    if not snapshot.live:
        for endpoints in snapshot.of(Endpoints):
            if (endpoints.namespace, endpoints.name) == (service.namespace, service.name):
                found |= {a.ip for subset in endpoints.subsets or () for a in subset.addresses or ()}
    return sorted(found)


def _names_a_server(name: str, value: str) -> bool:
    if not value or not ("://" in value or _WITH_PORT.search(value) or _HOST_NAME.search(name)):
        return False
    return not _NOT_A_SERVER.search(name)


def _servers(value: str) -> Iterator[str]:
    """Addresses in a URL, with a port, or alone. Loopback and their like are nobody else's."""
    found = [*_IN_URL.findall(value), *_WITH_PORT.findall(value), *_BARE.findall(value.strip())]
    for text in dict.fromkeys(found):
        try:
            address = ip_address(text)
        except ValueError:
            continue  # a version number
        if not (address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast):
            yield text


class _Inside:
    """The addresses of Services and pods: names for those are another matter (APP-35)."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._services, self._pods = snapshot.of(Service), snapshot.of(Pod)

    @cached_property
    def addresses(self) -> set[str]:
        found = {service.spec.cluster_ip for service in self._services}
        return found | {pod.status.pod_ip for pod in self._pods} | {pod.status.host_ip for pod in self._pods}
