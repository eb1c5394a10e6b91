"""Cluster DNS: every name a service calls is looked up here first."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import indexes
from fixtures.snapshot.dns import ClusterDNS


@control(
    "SYS-25",
    "Cluster DNS has two Ready replicas on different nodes, and a disruption budget",
    severity="high",
    live=True,
    reason="Without DNS no service finds another one, though all of them run.",
    remedy="Scale coredns to 2 or more, spread it over nodes (topologySpreadConstraints), add a PodDisruptionBudget.",
    source="S0-28, S0-11",
)
def test_dns_is_redundant(dns: ClusterDNS, profile: Profile, expect: Expect) -> None:
    """The pods behind kube-system's Service labelled k8s-app=kube-dns (or named kube-dns): the Ready ones are at least
    the profile's `min_replicas`, on at least `min_nodes_per_service` nodes, and a PodDisruptionBudget selects them.
    Unknown when no such Service is there.
    """
    service = dns.service
    ready = [pod for pod in dns.pods if pod.ready]
    message = f"{len(ready)} Ready pod(s), wanted {profile.min_replicas}"
    names = [pod.name for pod in ready]
    expect(service, len(ready) >= profile.min_replicas, message, path="pods", value=names)
    nodes = sorted({pod.spec.node_name for pod in ready})
    if len(ready) >= 2:
        message = f"all Ready pods are on {', '.join(nodes)}"
        expect(service, len(nodes) >= profile.min_nodes_per_service, message, path="pods.spec.nodeName", value=nodes)
    if dns.pods:
        budgets = [b for b in dns.budgets if indexes.guards(b, dns.pods[0].labels)]
        labels = dns.pods[0].labels
        expect(service, budgets, "no PodDisruptionBudget selects its pods", path="pods.metadata.labels", value=labels)
