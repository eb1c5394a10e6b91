"""Addresses: names last, addresses of pods and nodes don't."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import addresses
from fixtures.snapshot.addresses import Cluster
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads

MADE_BY_KUBERNETES = frozenset({"kube-root-ca.crt"})


@control(
    "APP-35",
    "Nothing is configured with the address of a pod or a node",
    severity="medium",
    reason="A pod's address ends with the pod, a node's with the node: what was configured with it fails "
    "just when the other side has recovered.",
    remedy="Use the name of a Service; for what is outside the cluster an ExternalName Service, or one with "
    "EndpointSlices of your own.",
    source="S4-3, S4-33",
)
def test_no_addresses(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Literal addresses used as hosts in the variables and command lines of all containers, and in ConfigMaps (the
    whole of a short entry; in longer ones what follows a scheme or comes before a port). On a cluster those that a node
    or a pod has, or that lie in a node's pod network; what else is private is for ACC-12. In manifests whose it is
    can't be seen: every private address (RFC 1918, RFC 6598, fc00::/7) is a finding. Networks (10.0.0.0/8) and public,
    local and link-local addresses are left out.
    """
    known = snapshot.derive(addresses.cluster) if snapshot.live else None
    for workload in workloads.all():
        expect(workload, True)
        for path, text in _texts(workload):
            for found in addresses.hosts(text):
                if wrong := _wrong(found, known):
                    expect(workload, False, wrong, path=path, value=found)
    for each in snapshot.of(ConfigMap):
        if not profile.in_scope(each.namespace) or each.name in MADE_BY_KUBERNETES:
            continue
        expect(each, True)
        for key, text in (each.data or {}).items():
            for found in dict.fromkeys(addresses.hosts_in_file(text)):
                if wrong := _wrong(found, known):
                    expect(each, False, wrong, path=f"data[{key}]", value=found)


def _texts(workload: Workload) -> Iterator[tuple[str, str]]:
    spec, root = workload.spec, f"{workload.template_path}.spec"
    for field, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        for number, container in enumerate(containers or ()):
            place = f"{root}.{field}[{number}]"
            for index, variable in enumerate(container.env or ()):
                if addresses.possible(variable.value):
                    yield f"{place}.env[{index}].value", variable.value
            for name, words in (("command", container.command), ("args", container.args)):
                for index, word in enumerate(words or ()):
                    if addresses.possible(word):
                        yield f"{place}.{name}[{index}]", word


def _wrong(text: str, known: Cluster | None) -> str:
    address = addresses.parsed(text)
    if address is None:
        return ""
    if known is not None:
        owner = known.owner(address)
        return f"{text} is the address of {owner}" if owner else ""
    if not addresses.private(address):
        return ""
    return f"{text} is a private address: of a pod, a node or something outside, none of which is for ever"
