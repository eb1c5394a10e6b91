"""Emptying a node through the Eviction API, as disruption budgets allow it.

Of our own, because what chaostoolkit-kubernetes offers gives up at the first 429 and leaves the node cordoned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.objects import Pod, Pods
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import undoes

MIRROR = "kubernetes.io/config.mirror"
TOO_MANY_REQUESTS = 429  # a disruption budget has no room at the moment
PAUSE_S = 0.5
# An API server takes the room out of the budget first and deletes the pod then. Who hangs up between the two leaves the
# room taken for two minutes, until the disruption controller gives the pod up: so nobody is in a hurry here.
ANSWER_S = 30.0


def evictable(rest: Rest, node: str) -> list[Pod]:
    """The pods that a drain must move: neither a DaemonSet's, which would come back at once, nor static ones, nor
    finished ones. Raises `RestError`."""
    pods = rest.get("/api/v1/pods", Pods, {"fieldSelector": f"spec.nodeName={node}"}).items
    return [
        p
        for p in pods
        if not p.finished
        and MIRROR not in p.annotations
        and not (p.controller is not None and p.controller.kind in ("DaemonSet", "Node"))
    ]


def evict_all(
    rest: Rest,
    node: str,
    within_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Evict every evictable pod and wait until the last one is gone. Returns how often a budget said "not now".

    A budget's 429 is tried again, as are API servers that don't answer. Raises `ClusterError` naming what is left and
    why after `within_s` seconds; the node stays cordoned then, which is the caller's to undo.
    """
    deadline = clock() + within_s
    refused = 0
    why: dict[str, str] = {}
    while True:
        try:
            left: Sequence[Pod] = evictable(rest, node)
        except RestError as error:
            why["the API"] = str(error)
            left = ()
        else:
            if not left:
                return refused
        for pod in left:
            if pod.metadata.deletion_timestamp:
                why[pod.metadata.uid] = "is still ending"
                continue
            try:
                _evict(rest, pod)
                why[pod.metadata.uid] = "was evicted"
            except RestError as error:
                refused += error.status == TOO_MANY_REQUESTS
                why[pod.metadata.uid] = str(error)
        if clock() > deadline:
            waiting = [f"{p.namespace}/{p.name} ({why.get(p.metadata.uid, '')})" for p in left]
            raise ClusterError(
                f"node {node} is not empty after {within_s:.0f} s: {', '.join(waiting) or why.get('the API')}; see "
                "`kubectl get pdb -A` for budgets that never have room"
            )
        sleep(PAUSE_S)


def _evict(rest: Rest, pod: Pod) -> None:
    """Ask for one eviction; gone already is fine. Raises `RestError`, with 429 when a budget has no room."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": {"preconditions": {"uid": pod.metadata.uid}},
    }
    try:
        path = f"/api/v1/namespaces/{name(pod.namespace)}/pods/{name(pod.name)}/eviction"
        rest.post(path, body, timeout_s=ANSWER_S)
    except RestError as error:
        if error.status not in (404, 409):  # gone, or another one of this name by now
            raise


def cordon(rest: Rest, node: str, unschedulable: bool) -> None:
    """Close a node for new pods, or open it. Raises `RestError`."""
    rest.merge(f"/api/v1/nodes/{name(node)}", {"spec": {"unschedulable": unschedulable or None}})


@undoes
def uncordon(cluster: Cluster | None, node: str) -> None:
    """Let pods onto the node again; open already, or no longer there, is fine."""
    assert cluster is not None
    try:
        cordon(Rest.of(cluster), node, unschedulable=False)
    except RestError as error:
        if error.status != 404:
            raise
