"""Corpora of any size: services as people write them, and as a cluster shows them.

Everything follows from the service's number, so that two runs judge the same. Every second service has two replicas
and the others three: 5,000 services are 12,500 pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
SERVICES_PER_NAMESPACE = 50
PODS_PER_NODE = 100
ZONES = ("zone-a", "zone-b", "zone-c")


def replicas(number: int) -> int:
    return 2 + number % 2


def name(number: int) -> str:
    return f"service-{number:05}"


def namespace(number: int, prefix: str = "team") -> str:
    return f"{prefix}-{number // SERVICES_PER_NAMESPACE:03}"


def labels(number: int) -> dict[str, str]:
    return {"app.kubernetes.io/name": name(number), "app.kubernetes.io/part-of": "benchmark"}


def _probe(path: str, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": 1,
        "failureThreshold": failures,
    }


def pod_template(number: int) -> Manifest:
    chosen = labels(number)
    lost = [f"node.kubernetes.io/{condition}" for condition in ("not-ready", "unreachable")]
    return {
        "metadata": {"labels": chosen},
        "spec": {
            "serviceAccountName": name(number),
            "terminationGracePeriodSeconds": 45,
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": key,
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": chosen},
                }
                for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
            ],
            "tolerations": [
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2} for key in lost
            ],
            "containers": [
                {
                    "name": "app",
                    "image": f"registry.example.com/{name(number)}:1.{number}.0",
                    "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
                    "env": [{"name": f"SETTING_{n}", "value": f"value-{number}-{n}"} for n in range(6)],
                    "envFrom": [{"configMapRef": {"name": name(number)}}],
                    "startupProbe": _probe("/started", 2, 30),
                    "readinessProbe": _probe("/ready", 1, 3),
                    "livenessProbe": _probe("/alive", 10, 6),
                    "lifecycle": {"preStop": {"sleep": {"seconds": 10}}},
                    "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": True}],
                }
            ],
            "volumes": [{"name": "config", "configMap": {"name": name(number)}}],
        },
    }


def manifests(number: int, prefix: str = "team") -> list[Manifest]:
    """One service: Deployment, Service, PodDisruptionBudget, HorizontalPodAutoscaler, ConfigMap, ServiceAccount."""
    metadata = {"name": name(number), "namespace": namespace(number, prefix), "labels": labels(number)}
    selector = {"matchLabels": labels(number)}

    def one(api_version: str, kind: str, **more: Any) -> Manifest:
        return {"apiVersion": api_version, "kind": kind, "metadata": dict(metadata), **more}

    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name(number)}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    deployment = {  # how many is the autoscaler's business
        "minReadySeconds": 5,
        "revisionHistoryLimit": 5,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "selector": selector,
        "template": pod_template(number),
    }
    ports = [
        {"name": "http", "port": 80, "targetPort": "http"},
        {"name": "metrics", "port": 9090, "targetPort": "metrics"},
    ]
    autoscaler = {
        "scaleTargetRef": scaled,
        "minReplicas": replicas(number),
        "maxReplicas": 10,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    budget = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": selector}
    return [
        one("apps/v1", "Deployment", spec=deployment),
        one("v1", "Service", spec={"selector": labels(number), "ports": ports}),
        one("policy/v1", "PodDisruptionBudget", spec=budget),
        one("autoscaling/v2", "HorizontalPodAutoscaler", spec=autoscaler),
        one("v1", "ConfigMap", data={"app.yaml": f"log: info\ntimeout: 2s\nnumber: {number}\n"}),
        one("v1", "ServiceAccount"),
    ]


def tenancy(number: int, prefix: str = "team") -> list[Manifest]:
    """The namespace of a service, with its quota, limits and default network policy."""
    name = namespace(number, prefix)
    metadata = {"name": name, "namespace": name}
    hard = {"requests.cpu": "500", "requests.memory": "500Gi", "pods": "1000"}
    limit = {"type": "Container", "defaultRequest": {"cpu": "50m", "memory": "64Mi"}, "default": {"memory": "256Mi"}}
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": hard}},
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limit]}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": closed},
    ]


def write(directory: Path, services: int) -> tuple[int, int]:
    """A directory a namespace and a file a service, as in a repository. Returns documents and bytes written."""
    documents = size = 0
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    for number in range(services):
        each = manifests(number)
        if number % SERVICES_PER_NAMESPACE == 0:
            each = tenancy(number) + each
        text = yaml.dump_all(each, Dumper=_without_aliases(dumper), sort_keys=False)
        folder = directory / namespace(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name(number)}.yaml").write_text(text)
        documents, size = documents + len(each), size + len(text)
    return documents, size


def _without_aliases(dumper: Any) -> Any:
    return type("Dumper", (dumper,), {"ignore_aliases": lambda self, data: True})


def nodes(services: int) -> Iterator[Manifest]:
    pods = sum(replicas(number) for number in range(services))
    for number in range(max(3, -(-pods // PODS_PER_NODE))):
        zone = ZONES[number % len(ZONES)]
        room = {"cpu": "64", "memory": "256Gi", "pods": "250"}
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"node-{number:03}", "labels": {"topology.kubernetes.io/zone": zone}},
            "spec": {},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "allocatable": room,
                "capacity": room,
                "nodeInfo": {"kubeletVersion": "v1.36.3"},
            },
        }
