"""F-06: a worker's kubelet stops, or its container runtime: nobody looks after its containers any more."""

from __future__ import annotations

import time
from collections.abc import Sequence

from experiments.faults import workers
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.preflight import Permission, Refusal, Scenery, survivors
from fixtures.safety.rest import RestError, name
from fixtures.safety.undo import Undo, undoes, way_back

SERVICES = {"kubelet": "kubelet", "runtime": "containerd"}
LEASES = "kube-node-lease"
ANSWER_S = 10.0


class KubeletStop(Fault):
    """Containers go on running, so no client may notice: neither when it stops, nor when the pods are replaced because
    the node seems dead, nor when it comes back and ends the ones that were replaced."""

    id = "F-06"
    title = "stop a node's agent"
    targets = {
        "kubelet": "the kubelet of the worker that runs most pods of the application",
        "runtime": "that worker's container runtime",
    }
    soaks = True
    needs = frozenset({Capability.NODE_SERVICES})
    permissions = (
        Permission("list", "nodes"),
        Permission("list", "pods"),
        Permission("get", "nodes/proxy"),
        Permission("get", "leases", "coordination.k8s.io", LEASES),
    )
    proof_within_s = 120.0

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        return Victim(
            kind="Service",
            name=SERVICES[target],
            node=node,
            why=f"of {node}, which runs {count} of {total} Ready pods of {scene.app}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return survivors(scenery, [victim.node]) + workers.alone(scene, {victim.node})

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"start {victim.name} of {victim.node} again"
        return way_back(start_service, text, scene.cluster, {"node": victim.node, "service": victim.name})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """A kubelet that runs renews its node's Lease; one whose runtime is gone can't say which pods run."""
        if victim.name == SERVICES["kubelet"]:
            return {f"Lease {LEASES}/{victim.node}": _renewing(scene, victim.node)}
        return {f"running pods of {victim.node}": _lists_pods(scene, victim.node)}

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.stop_service(victim.node, victim.name)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, {victim.node}, injected)
        return [
            *workers.noticed(changes, {victim.node}, injected),
            *workers.left_service(changes, losses.names, injected),
            *losses.steps(),
        ]

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """When the pods of the node that seems dead are replaced."""
        return workers.Losses(scene, changes, {victim.node}, injected).restored is not None

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """None is promised: what was not lost need not be replaced."""
        return []


def _renewing(scene: Scene, node: str) -> str:
    """Whether the node's Lease is renewed: looked at twice, half its duration apart, while a kubelet renews it after a
    quarter. Raises `RestError`."""
    before = scene.lease(node, LEASES)
    time.sleep((before.spec.lease_duration_seconds or 40) / 2)
    after = scene.lease(node, LEASES)
    return "stands still" if after.spec.renew_time == before.spec.renew_time else "is renewed"


def _lists_pods(scene: Scene, node: str) -> str:
    """Whether the kubelet gets an answer from its runtime. Raises `RestError` when the kubelet can't be asked."""
    try:
        scene.rest.request("GET", f"/api/v1/nodes/{name(node)}/proxy/runningpods/", timeout_s=ANSWER_S)
    except RestError as error:
        if error.status == 500:  # the kubelet itself answered
            return "unknown to its kubelet"
        raise
    return "known"


@undoes
def start_service(cluster: Cluster | None, node: str, service: str) -> None:
    """Start a service of a node; running already is fine. A node that is off is left to whoever switched it off."""
    assert cluster is not None
    if any(n.name == node and n.power == "off" for n in cluster.nodes()):
        return
    cluster.start_service(node, service)
