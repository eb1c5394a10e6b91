"""The entry: one door, and a door that survives."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.entries import Entries
from fixtures.snapshot.model.workload import DaemonSet


@control(
    "ACC-07",
    "Every gateway has two Ready replicas on different nodes, and a disruption budget",
    severity="high",
    live=True,
    reason="Everything comes in through the gateway: when it is gone, everything is.",
    remedy="Run two or more replicas, spread over nodes (topologySpreadConstraints), with a PodDisruptionBudget.",
    source="S4-6, S0-32",
)
def test_gateways_are_redundant(entries: Entries, profile: Profile, expect: Expect) -> None:
    """Ingress controllers and gateways in every namespace, known by the images and labels of ingress-nginx, Traefik,
    Kong, HAProxy, APISIX, Tyk, Envoy, Istio and others, by an Istio Gateway that selects them, or by the profile's
    `access.gateways`: their Ready pods are at least `min_replicas`, on at least `min_nodes_per_service` nodes, and a
    PodDisruptionBudget selects them. A DaemonSet needs none: drains leave its pods alone.
    """
    for workload in entries.gateways():
        ready = workload.ready_pods
        message = f"{len(ready)} Ready pod(s), wanted {profile.min_replicas}"
        names = [pod.name for pod in ready]
        expect(workload, len(ready) >= profile.min_replicas, message, path="pods", value=names)
        nodes = sorted({pod.spec.node_name for pod in ready})
        if len(ready) >= 2:
            message = f"all Ready pods are on {', '.join(nodes)}"
            enough = len(nodes) >= profile.min_nodes_per_service
            expect(workload, enough, message, path="pods.spec.nodeName", value=nodes)
        if not isinstance(workload.object, DaemonSet):
            message = "no PodDisruptionBudget selects its pods"
            expect(workload, workload.budgets, message, path="spec.template.metadata.labels", value=workload.pod_labels)


@control(
    "ACC-08",
    "The gateway is the one entry: nothing else is exposed",
    severity="medium",
    reason="What is reached around the gateway has none of its authentication, limits, health checks or statistics.",
    remedy="Make the Service a ClusterIP and route to it from the gateway; or name it in the profile's access.entries.",
    source="S0-32, S4-4",
)
def test_one_entry(entries: Entries, expect: Expect) -> None:
    """Services of type NodePort or LoadBalancer or with external IPs, and hostPorts, that don't lead to a gateway
    (ACC-07 says what one is) and are not among the profile's `access.entries`: none. Where no gateway is to be seen,
    one of them is the entry and all others are findings; which one it should be is not for the audit to say, so all
    are named. Metrics ports and DaemonSets on the nodes' own network (node agents) are left out.
    """
    exposed = list(entries.exposed())
    gateways = entries.gateways()
    subjects = {each.subject.reference for each in exposed}
    for gateway in gateways:
        expect(gateway, True)
    alone = not gateways and len(subjects) == 1
    if alone:
        expect.note(f"no gateway is to be seen: {next(iter(subjects))} is taken for the one entry")
    beside = f"beside {gateways[0].reference}" if gateways else f"as one of {len(subjects)} entries"
    for each in exposed:
        expect(each.subject, alone, f"it is exposed {beside}", path=each.path, value=each.value)
