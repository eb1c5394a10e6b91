"""The same services as a cluster shows them: with pods, ReplicaSets, EndpointSlices, nodes, and what the API adds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks import corpus
from benchmarks.corpus import Manifest

WHEN = "2026-01-01T12:00:00Z"
Lists = dict[str, list[Manifest]]  # by path of the API: /apis/apps/v1/deployments

PATHS = {
    "Deployment": "/apis/apps/v1/deployments",
    "ReplicaSet": "/apis/apps/v1/replicasets",
    "Service": "/api/v1/services",
    "Pod": "/api/v1/pods",
    "Node": "/api/v1/nodes",
    "Namespace": "/api/v1/namespaces",
    "ConfigMap": "/api/v1/configmaps",
    "ServiceAccount": "/api/v1/serviceaccounts",
    "ResourceQuota": "/api/v1/resourcequotas",
    "LimitRange": "/api/v1/limitranges",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/networkpolicies",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/endpointslices",
    "PodDisruptionBudget": "/apis/policy/v1/poddisruptionbudgets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/horizontalpodautoscalers",
}


def cluster(services: int) -> Lists:
    """Everything that a cluster of this many services shows, by the path that it is listed at."""
    found: Lists = defaultdict(list)
    hosts = list(corpus.nodes(services))
    for each in hosts:
        found[PATHS["Node"]].append(_stored(each))
    pods = 0
    for number in range(services):
        declared = corpus.manifests(number)
        if number % corpus.SERVICES_PER_NAMESPACE == 0:
            declared = corpus.tenancy(number) + declared
        for each in declared:
            if each["kind"] == "Deployment":
                each["spec"]["replicas"] = corpus.replicas(number)
            if each["kind"] == "HorizontalPodAutoscaler":
                each["status"] = _scaled(number)
            found[PATHS[each["kind"]]].append(_stored(_with_status(each, number)))
        for each in _made(number, pods, hosts):
            found[PATHS[each["kind"]]].append(_stored(each))
        pods += corpus.replicas(number)
    return dict(found)


def _scaled(number: int) -> Manifest:
    conditions = ({"type": kind, "status": "True"} for kind in ("AbleToScale", "ScalingActive"))
    count = corpus.replicas(number)
    limited = {"type": "ScalingLimited", "status": "False"}
    return {"currentReplicas": count, "desiredReplicas": count, "conditions": [*conditions, limited]}


def _with_status(declared: Manifest, number: int) -> Manifest:
    count = corpus.replicas(number)
    if declared["kind"] == "Deployment":
        counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), count)
        return {**declared, "status": {"observedGeneration": 1, **counts}}
    if declared["kind"] == "PodDisruptionBudget":
        counts = {"currentHealthy": count, "desiredHealthy": count - 1, "expectedPods": count, "disruptionsAllowed": 1}
        return {**declared, "status": {"observedGeneration": 1, **counts}}
    return declared


def _made(number: int, first: int, hosts: list[Manifest]) -> Iterator[Manifest]:
    """A service's ReplicaSet, EndpointSlice and pods; `first` is the number of its first pod in the cluster."""
    space, name = corpus.namespace(number), corpus.name(number)
    labels = {**corpus.labels(number), "pod-template-hash": f"{number:08x}"}
    template = corpus.pod_template(number)
    count = corpus.replicas(number)
    owned = f"{name}-{number:08x}"
    yield {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": owned,
            "namespace": space,
            "labels": labels,
            "ownerReferences": [_owner("Deployment", name)],
        },
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": labels},
            "template": {**template, "metadata": {"labels": labels}},
        },
        "status": {"replicas": count, "readyReplicas": count, "observedGeneration": 1},
    }
    endpoints = []
    for replica in range(count):
        host = hosts[(first + replica) % len(hosts)]["metadata"]
        zone = host["labels"]["topology.kubernetes.io/zone"]
        pod, address = f"{owned}-{replica:05}", f"10.{number >> 8}.{number & 255}.{replica + 1}"
        conditions = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        state = {"running": {"startedAt": WHEN}}
        container = {"name": "app", "ready": True, "started": True, "restartCount": 0, "state": state}
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": pod,
                "namespace": space,
                "labels": labels,
                "ownerReferences": [_owner("ReplicaSet", owned)],
            },
            "spec": _admitted(template["spec"], host["name"]),
            "status": {
                "phase": "Running",
                "qosClass": "Burstable",
                "hostIP": f"198.18.0.{first % 250}",
                "podIP": address,
                "podIPs": [{"ip": address}],
                "startTime": WHEN,
                "conditions": [{"type": t, "status": "True", "lastTransitionTime": WHEN} for t in conditions],
                "containerStatuses": [{**container, **_identity(name, number)}],
            },
        }
        target = {"kind": "Pod", "name": pod, "namespace": space}
        conditions_met = {"ready": True, "serving": True, "terminating": False}
        endpoints.append(
            {
                "addresses": [address],
                "conditions": conditions_met,
                "nodeName": host["name"],
                "zone": zone,
                "targetRef": target,
            }
        )
    yield {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{name}-x", "namespace": space, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


def _admitted(spec: Manifest, node: str) -> Manifest:
    """A pod's spec after admission: defaults, and the service account's token in every container."""
    token = {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    (container,) = spec["containers"]
    admitted = {
        **container,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [*container["volumeMounts"], {**token, "readOnly": True}],
    }
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources: list[Manifest] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    return {
        **spec,
        "containers": [admitted],
        "volumes": [*spec["volumes"], {"name": token["name"], "projected": {"defaultMode": 420, "sources": sources}}],
        "nodeName": node,
        "restartPolicy": "Always",
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
    }


def _identity(name: str, number: int) -> Manifest:
    digest = f"{number:064x}"
    image = f"registry.example.com/{name}"
    return {"image": image, "imageID": f"{image}@sha256:{digest}", "containerID": f"containerd://{digest}"}


def _owner(kind: str, name: str) -> Manifest:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": True}


def _stored(manifest: Manifest) -> Manifest:
    """What the API server adds: identity, versions, and who wrote which fields, often half of an object."""
    metadata = manifest["metadata"]
    uid = f"{manifest['kind']}-{metadata.get('namespace', '')}-{metadata['name']}"
    stored: dict[str, Any] = {
        "uid": uid,
        "resourceVersion": "1000",
        "generation": 1,
        "creationTimestamp": WHEN,
        "managedFields": [
            {
                "manager": "kube-controller-manager",
                "operation": "Update",
                "apiVersion": manifest["apiVersion"],
                "time": WHEN,
                "fieldsType": "FieldsV1",
                "fieldsV1": _fields({k: v for k, v in manifest.items() if k in ("spec", "status", "data")}),
            }
        ],
    }
    return {**manifest, "metadata": {**metadata, **stored}}


def _fields(value: Any) -> Any:
    """As the API server writes down who owns which field: list items by their name, port or type."""
    if isinstance(value, dict):
        return {f"f:{key}": _fields(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {_item(each): {".": {}, **_fields(each)} for each in value}
    return {}


def _item(value: Manifest) -> str:
    key = next((key for key in ("name", "type", "ip", "topologyKey", "mountPath") if key in value), "")
    return f'k:{{"{key}":"{value[key]}"}}' if key else f"v:{len(value)}"
