"""What situations are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from fixtures.clusters.lab.api import Api
from fixtures.clusters.lab.lab import Lab
from tests.lab.situations.deeds import IMAGE, Deed, Object, patched
from tests.lab.situations.shop import SHOP, WEB, named

NOBODY = {"service": {"namespace": SHOP, "name": "nobody"}}


def container(*args: str, **rest: Any) -> Object:
    """One of the lab's image that runs this command of it."""
    resources = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
    given = {"name": "app", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "args": [*args], "resources": resources}
    return given | rest


def pod(name: str, *args: str, **spec: Any) -> Object:
    """A pod that nobody manages."""
    bare = {"automountServiceAccountToken": False, "priorityClassName": "serving", "containers": [container(*args)]}
    return named("Pod", name, spec={**bare, **spec})


def on_template(**spec: Any) -> Deed:
    """The pod template changed while the rollout is paused: the pods that run are untouched."""
    return patched(WEB, {"spec": {"paused": True, "template": {"spec": spec}}})


def with_container(**changed: Any) -> Deed:
    """The same for fields of its container."""

    def deed(lab: Lab, api: Api) -> AbstractContextManager[None]:
        current = api.get(WEB)["spec"]["template"]["spec"]["containers"][0]
        return on_template(containers=[{**current, **changed}])(lab, api)

    return deed


def workload(name: str, spec: Mapping[str, Any] | None = None, **pod: Any) -> Object:
    """A Deployment of two pods as the shop's, with labels of its own."""
    labels = {"app": name}
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]
    template = {
        "serviceAccountName": "web",
        "automountServiceAccountToken": False,
        "priorityClassName": "serving",
        "topologySpreadConstraints": spread,
        "containers": [container("pause")],
    }
    return named(
        "Deployment",
        name,
        "apps/v1",
        spec={
            "replicas": 2,
            "minReadySeconds": 1,
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {**template, **pod}},
            **(spec or {}),
        },
    )


def budget(name: str, labels: Mapping[str, str]) -> Object:
    spec = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": {"matchLabels": labels}}
    return named("PodDisruptionBudget", name, "policy/v1", spec=spec)


def annotated(each: Object, **annotations: str) -> Object:
    return {**each, "metadata": {**each["metadata"], "annotations": annotations}}


def drifted() -> Object:
    applied = named("ConfigMap", "drifted", data={"colour": "green"})
    last = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    return annotated({**applied, "data": {"colour": "red"}}, **last)


def autoscaler(name: str) -> Object:
    """One that wants ever more: it measures memory, of which every process has more than a mebibyte."""
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Mi"}}
    return named(
        "HorizontalPodAutoscaler",
        name,
        "autoscaling/v2",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": memory}],
        },
    )


def webhook(name: str, policy: str, bundle: str = "") -> Object:
    """Called for objects of a group that doesn't exist, so that it is in nobody's way."""
    client = {**NOBODY, **({"caBundle": bundle} if bundle else {})}
    rule = {"apiGroups": ["situations.example"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["*"]}
    selector = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": [SHOP]}]}
    hook = {
        "name": "situations.example.com",
        "clientConfig": client,
        "rules": [rule],
        "failurePolicy": policy,
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": selector,
    }
    return named(
        "ValidatingWebhookConfiguration", name, "admissionregistration.k8s.io/v1", namespace="", webhooks=[hook]
    )


def aggregated() -> Object:
    spec = {
        "group": "situations.example",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 15,
        "insecureSkipTLSVerify": True,
        "service": NOBODY["service"],
    }
    return named("APIService", "v1.situations.example", "apiregistration.k8s.io/v1", namespace="", spec=spec)


def binding(name: str, role: str, kind: str, subject: str) -> Object:
    who = {"kind": kind, "name": subject}
    who |= {"namespace": SHOP} if kind == "ServiceAccount" else {"apiGroup": "rbac.authorization.k8s.io"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    api = "rbac.authorization.k8s.io/v1"
    return named("ClusterRoleBinding", name, api, namespace="", roleRef=reference, subjects=[who])


def held() -> Object:
    """What can't be deleted, because nobody removes its finalizer."""
    each = named("ConfigMap", "held")
    each["metadata"]["finalizers"] = ["situations.example/never"]
    return each


def token() -> Object:
    of = {"kubernetes.io/service-account.name": "web"}
    return annotated(named("Secret", "token", type="kubernetes.io/service-account-token"), **of)


def ingress() -> Object:
    backend = {"service": {"name": "nobody", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return named("Ingress", "lost", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": paths}}]})


def outside() -> tuple[Object, Object]:
    """A Service without selector, and the only address behind it."""
    service = named("Service", "outside", spec={"ports": [{"name": "db", "port": 5432}]})
    addresses = named(
        "EndpointSlice",
        "outside-1",
        "discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}],
        ports=[{"name": "db", "port": 5432, "protocol": "TCP"}],
    )
    addresses["metadata"]["labels"] = {"kubernetes.io/service-name": "outside"}
    return service, addresses
