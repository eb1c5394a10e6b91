"""Pods and other objects that a fault makes in the namespace that is Evenkeel's own, and takes away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.observer import Watched
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.objects import Pod, Pods
from fixtures.safety.preflight import Permission
from fixtures.safety.rest import ANSWER_S, FROM_CACHE, Rest, name
from fixtures.safety.undo import undoes

# What Kubernetes' own end-to-end tests use: servers of many kinds, and programs that eat a machine.
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
RESOURCE_CONSUMER = "registry.k8s.io/e2e-test-images/resource-consumer:1.14"
STRESS = "/usr/bin/stress"  # in the second

LABEL = "evenkeel.dev/role"
PATH = f"/api/v1/namespaces/{NAMESPACE}/pods"
PERMISSIONS = tuple(Permission(verb, "pods", "", NAMESPACE) for verb in ("create", "delete", "get", "list"))


def spec(
    image: str, command: Sequence[str], limits: Mapping[str, str] | None = None, **container: Any
) -> dict[str, Any]:
    """A pod with one container that may do nothing but run: what namespaces with the strictest rules let in."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "main",
                "image": image,
                "command": list(command),
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                **({"resources": {"requests": dict(limits), "limits": dict(limits)}} if limits else {}),
                **container,
            }
        ],
    }


def make(rest: Rest, pod: str, role: str, what: Mapping[str, Any], node: str = "") -> None:
    """One pod that nobody restarts, on a certain node where one is given. Raises `RestError`."""
    rest.post(
        PATH,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod, "labels": {LABEL: role}},
            "spec": {**what, "restartPolicy": "Never", **({"nodeName": node} if node else {})},
        },
    )


def state(pod: Pod | None) -> str:
    """How far it is, in words: "Pending", "Running", "OOMKilled", "Evicted: why"."""
    if pod is None:
        return "not there"
    if pod.status.reason:
        return f"{pod.status.reason}: {pod.status.message}" if pod.status.message else pod.status.reason
    for container in pod.status.container_statuses or ():
        if container.state is not None and container.state.terminated is not None:
            return container.state.terminated.reason or "ended"
    return pod.status.phase


def watched(scene: Scene, role: str) -> Watched:
    """The state of each pod of a role; the subjects are `own/NAME`."""

    def look() -> Mapping[str, Any]:
        query = {"labelSelector": f"{LABEL}={role}", **FROM_CACHE}
        pods = scene.rest.get(PATH, Pods, query, timeout_s=ANSWER_S).items
        # Something is always there: from a look that showed nothing, no change could be seen.
        return {"own": "", **{f"own/{p.name}": state(p) for p in pods}}

    return Watched(name=f"own-{role}", look=look)


@undoes
def remove(cluster: Cluster | None, pod: str) -> None:
    """End a pod of ours without grace; gone already is fine."""
    assert cluster is not None
    Rest.of(cluster).delete(f"{PATH}/{name(pod)}", body={"gracePeriodSeconds": 0})


def find(scene: Scene, pod: str) -> Pod | None:
    """None when it isn't there. Raises `RestError`."""
    return scene.pod(NAMESPACE, pod)
