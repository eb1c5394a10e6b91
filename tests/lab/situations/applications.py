"""What goes wrong with applications, and what an audit must say: these controls, of these objects, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.situations import certificate
from tests.lab.situations.deeds import Deed, Object, both, made, patched
from tests.lab.situations.eye import Changes
from tests.lab.situations.shop import BUDGET, LABELS, SERVICE, SHOP, WEB, container, named

WEB_IS, SERVICE_IS, BUDGET_IS = f"Deployment {SHOP}/web", f"Service {SHOP}/web", f"PodDisruptionBudget {SHOP}/web"
NOBODY = {"service": {"namespace": SHOP, "name": "nobody"}}


@dataclass(frozen=True)
class Situation:
    """Something that is wrong: how it comes about, exactly what changes in an audit, and why no more and no less."""

    name: str
    deed: Deed
    expected: Changes
    why: str
    within_s: float = 20
    evidence: bool = False


def on_template(**spec: Any) -> Deed:
    """The pod template changed while the rollout is paused: the pods that run are untouched."""
    return patched(WEB, {"spec": {"paused": True, "template": {"spec": spec}}})


def with_container(**changed: Any) -> Deed:
    """The same for fields of its container."""

    def deed(lab: Any, api: Any) -> Any:
        current = api.get(WEB)["spec"]["template"]["spec"]["containers"][0]
        return on_template(containers=[{**current, **changed}])(lab, api)

    return deed


def workload(image: str, name: str, spec: Mapping[str, Any] | None = None, **pod: Any) -> Object:
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
        "containers": [container(image, "pause")],
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


def drifted() -> Object:
    applied = named("ConfigMap", "drifted", data={"colour": "green"})
    last = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(applied)}
    return {**applied, "data": {"colour": "red"}, "metadata": {**applied["metadata"], "annotations": last}}


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


def situations(image: str) -> list[Situation]:
    """All of them, for a lab whose nodes have this image."""
    slice_ = named(
        "EndpointSlice",
        "outside-1",
        "discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}],
        ports=[{"name": "db", "port": 5432, "protocol": "TCP"}],
    )
    slice_["metadata"]["labels"] = {"kubernetes.io/service-name": "outside"}
    held = named("ConfigMap", "held")
    held["metadata"]["finalizers"] = ["situations.example/never"]
    token = named("Secret", "token", type="kubernetes.io/service-account-token")
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "web"}
    route = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "nobody", "port": {"number": 80}}}}
    bare = {"automountServiceAccountToken": False, "priorityClassName": "serving"}
    stress = ("stress", "--mem-alloc-size", "16Mi", "--mem-alloc-sleep", "10ms", "--mem-total", "256Mi")
    return [
        Situation(
            "a disruption budget without room",
            patched(BUDGET, {"spec": {"maxUnavailable": 0}}),
            {"APP-13": ("fail", BUDGET_IS)},
            "All pods are well and nothing is updated: only a drain would meet it.",
        ),
        Situation(
            "two disruption budgets over the same pods",
            made(budget("second", LABELS)),
            {"APP-15": ("fail", WEB_IS)},
            "Each alone is right: the eviction API refuses pods under both.",
        ),
        Situation(
            "a disruption budget that selects nothing",
            made(budget("nobodys", {"app": "nobody"})),
            {"APP-15": ("fail", f"PodDisruptionBudget {SHOP}/nobodys")},
            "It guards no workload, so that no other claim about budgets has anything to judge.",
        ),
        Situation(
            "a Service whose selector matches nothing",
            made(named("Service", "lost", spec={"selector": {"app": "nobody"}, "ports": [{"port": 80}]})),
            {"ACC-01": ("fail", f"Service {SHOP}/lost"), "ACC-02": ("fail", f"Service {SHOP}/lost")},
            "Nothing behind it, so no endpoint either. That its endpoints are its Ready pods holds: none are both.",
        ),
        Situation(
            "a Service port that leads nowhere",
            patched(SERVICE, {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": "nothing"}]}}),
            {"ACC-01": ("fail", SERVICE_IS)},
            "",
        ),
        Situation(
            "a bare pod",
            made(named("Pod", "alone", spec={**bare, "containers": [container(image, "pause")]})),
            {"APP-03": ("fail", f"Pod {SHOP}/alone")},
            "",
        ),
        Situation(
            "a pod that crashes again and again",
            made(
                named(
                    "Pod",
                    "crashing",
                    spec={**bare, "restartPolicy": "OnFailure", "containers": [container(image, "no-such-command")]},
                )
            ),
            {"APP-30": ("fail", f"Pod {SHOP}/crashing")},
            "No Service selects it, so as a one-off pod it needs no controller.",
            within_s=40,
        ),
        Situation(
            "a container killed for want of memory",
            made(
                named(
                    "Pod",
                    "hungry",
                    spec={**bare, "restartPolicy": "Never", "containers": [container(image, *stress)]},
                )
            ),
            {},
            "",
        ),
        Situation(
            "a Deployment with image :latest",
            with_container(image="registry.example/web:latest"),
            {"APP-28": ("fail", WEB_IS)},
            "",
        ),
        Situation(
            "a reference to a ConfigMap that isn't there",
            with_container(envFrom=[{"configMapRef": {"name": "missing"}}]),
            {"LCM-07": ("fail", WEB_IS)},
            "",
        ),
        Situation(
            "no readiness probe",
            with_container(readinessProbe=None),
            {"APP-04": ("fail", WEB_IS)},
            "",
        ),
        Situation(
            "an object that is not what was applied",
            made(drifted()),
            {"LCM-21": ("fail", f"ConfigMap {SHOP}/drifted")},
            "",
        ),
        Situation(
            "an autoscaler at its maximum",
            made(autoscaler("web")),
            {"APP-24": ("fail", f"HorizontalPodAutoscaler {SHOP}/web")},
            "",
            within_s=60,
        ),
        Situation(
            "a webhook with a dead backend",
            made(webhook("situations-dead", "Fail")),
            {"SYS-23": ("fail", "ValidatingWebhookConfiguration situations-dead")},
            "",
        ),
        Situation(
            "an expired certificate",
            made(webhook("situations-expired", "Ignore", certificate.expired())),
            {"SYS-17": ("fail", "ValidatingWebhookConfiguration situations-expired")},
            "",
            evidence=True,
        ),
        Situation(
            "an aggregated API that isn't available",
            made(aggregated()),
            {"SYS-24": ("fail", "APIService v1.situations.example")},
            "",
        ),
        Situation(
            "all replicas on one node",
            made(
                workload(image, "together", nodeSelector={"kubernetes.io/hostname": "worker-1"}),
                budget("together", {"app": "together"}),
            ),
            {"APP-17": ("fail",), "APP-18": ("fail",), "APP-19": ("fail",)},
            "",
        ),
        Situation(
            "pods that fit nowhere",
            made(
                workload(
                    image,
                    "giant",
                    containers=[
                        container(
                            image,
                            "pause",
                            resources={"requests": {"cpu": "500", "memory": "16Mi"}, "limits": {"memory": "32Mi"}},
                        )
                    ],
                ),
                budget("giant", {"app": "giant"}),
            ),
            {"APP-02": ("fail", f"Deployment {SHOP}/giant")},
            "",
        ),
        Situation(
            "something stuck in deletion",
            both(made(held), _deleted(held)),
            {"LCM-21": ("fail", f"ConfigMap {SHOP}/held")},
            "",
        ),
        Situation(
            "one address outside the cluster",
            made(named("Service", "outside", spec={"ports": [{"name": "db", "port": 5432}]}), slice_),
            {"ACC-12": ("fail", f"Service {SHOP}/outside")},
            "",
        ),
        Situation(
            "an Ingress to a Service that isn't there",
            made(named("Ingress", "lost", "networking.k8s.io/v1", spec={"rules": [{"http": {"paths": [route]}}]})),
            {"ACC-06": ("fail", f"Ingress {SHOP}/lost")},
            "",
        ),
        Situation(
            "a second way in",
            patched(SERVICE, {"spec": {"type": "NodePort"}}),
            {"ACC-08": ("fail", SERVICE_IS)},
            "",
        ),
        Situation("a token without end", made(token), {"LCM-05": ("fail", f"Secret {SHOP}/token")}, ""),
        Situation(
            "an application that may do everything",
            made(binding("situations-admin", "cluster-admin", "ServiceAccount", "web")),
            {"LCM-05": ("fail", "ClusterRoleBinding situations-admin")},
            "",
        ),
        Situation(
            "strangers who may read",
            made(binding("situations-strangers", "view", "User", "system:anonymous")),
            {"SYS-28": ("fail", "ClusterRoleBinding situations-strangers")},
            "",
            evidence=True,
        ),
    ]


def _deleted(each: Object) -> Deed:
    """Its deletion asked for; a finalizer that nobody removes holds it until we take it off."""
    from contextlib import contextmanager

    from tests.lab.situations.deeds import MERGE, collection, delete

    @contextmanager
    def deed(_: Any, api: Any) -> Any:
        delete(api, each, wait=False)
        try:
            yield
        finally:
            path = f"{collection(each)}/{each['metadata']['name']}"
            api.request("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE)

    return deed
