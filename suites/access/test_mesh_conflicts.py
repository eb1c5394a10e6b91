"""Two rules for one host: what Istio can't join it drops."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.mesh import Mesh
from fixtures.snapshot.mesh_hosts import full
from fixtures.snapshot.model.istio import VirtualService


@control(
    "ACC-25",
    "Each host has one VirtualService and one DestinationRule, or several that surely merge",
    severity="medium",
    reason="Of two rules for one host Istio takes parts of one and drops the rest without a word.",
    remedy="Join them into one object for the host; move what belongs to a subset into that subset's trafficPolicy.",
    source="S3-9",
)
def test_one_rule_for_a_host(mesh: Mesh, expect: Expect) -> None:
    """By full host name, in scope. DestinationRules of one namespace with the same exportTo and workload selector:
    Istio joins their subsets and takes the oldest's trafficPolicy, so at most one may have a trafficPolicy and no
    subset may occur twice. VirtualServices for sidecars: one a host, since the oldest wins. For a gateway they are
    joined in no certain order, so at most one may have a route for everything (without match).
    """
    _one_destination_rule(mesh, expect)
    _one_virtual_service(mesh, expect)


def _one_destination_rule(mesh: Mesh, expect: Expect) -> None:
    groups: dict[tuple[str, ...], list[int]] = {}
    rules = sorted(mesh.rules(), key=lambda r: r.metadata.creation_timestamp or "")
    for number, rule in enumerate(rules):
        declared = rule.declared
        chosen = declared.workload_selector.match_labels if declared.workload_selector else None
        labels = ",".join(f"{key}={value}" for key, value in sorted((chosen or {}).items()))
        shown = ",".join(sorted(declared.export_to or ["*"]))
        groups.setdefault((full(declared.host, rule.namespace), rule.namespace, labels, shown), []).append(number)
    for (host, *_), numbers in groups.items():
        names: set[str] = set()
        first = rules[numbers[0]]
        ruling = None
        for number in numbers:
            rule = rules[number]
            clash = ruling is not None and rule.declared.traffic_policy is not None
            message = f"{host} has a trafficPolicy in {ruling.reference if ruling else ''} already: this one is dropped"
            expect(rule, not clash, message, path="spec.trafficPolicy", value=rule.declared.host)
            ruling = ruling or (rule if rule.declared.traffic_policy is not None else None)
            twice = sorted(names & {s.name for s in rule.declared.subsets or ()})
            message = f"{host} has subset {', '.join(twice)} in {first.reference} already: this one is dropped"
            expect(rule, not twice, message, path="spec.subsets", value=twice)
            names |= {s.name for s in rule.declared.subsets or ()}


def _one_virtual_service(mesh: Mesh, expect: Expect) -> None:
    taken: dict[tuple[str, str, str], VirtualService] = {}
    for virtual in sorted(mesh.virtual_services(), key=lambda v: v.metadata.creation_timestamp or ""):
        declared = virtual.declared
        own = virtual.namespace if declared.export_to == ["."] else ""
        for host in declared.hosts or ():
            name = full(host, virtual.namespace)
            for gateway in declared.gateways or ["mesh"]:
                if gateway != "mesh" and not _takes_all(virtual):
                    expect(virtual, True)
                    continue
                place = gateway if "/" in gateway or gateway == "mesh" else f"{virtual.namespace}/{gateway}"
                other = taken.setdefault((name, place, own), virtual)
                both = "each has a route for everything" if gateway != "mesh" else "the oldest alone holds"
                message = f"{host} is in {other.reference} too, for {gateway}: {both}"
                expect(virtual, other is virtual, message, path="spec.hosts", value=host)


def _takes_all(virtual: VirtualService) -> bool:
    return any(not http.match for http in virtual.declared.http or ())
