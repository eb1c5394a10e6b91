"""What goes wrong with applications, and what an audit must say: these controls, of these objects, and nothing else."""

from __future__ import annotations

from tests.lab.situations import certificate
from tests.lab.situations.deeds import deleted, made, patched
from tests.lab.situations.objects import (
    aggregated,
    autoscaler,
    binding,
    budget,
    container,
    drifted,
    held,
    ingress,
    outside,
    pod,
    token,
    webhook,
    with_container,
    workload,
)
from tests.lab.situations.shop import BUDGET, LABELS, SERVICE, SHOP, named
from tests.lab.situations.situation import Situation

WEB_IS, SERVICE_IS, BUDGET_IS = f"Deployment {SHOP}/web", f"Service {SHOP}/web", f"PodDisruptionBudget {SHOP}/web"
PAUSED = {"APP-34": ("fail", WEB_IS)}  # a rollout held back, so that no pod is touched, is a finding itself
HUNGRY = ("stress", "--mem-alloc-size", "16Mi", "--mem-alloc-sleep", "10ms", "--mem-total", "256Mi")
HUGE = {"requests": {"cpu": "500", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}

DISRUPTION = [
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
        "all replicas on one node",
        made(
            workload("together", nodeSelector={"kubernetes.io/hostname": "worker-1"}),
            budget("together", {"app": "together"}),
        ),
        {
            "APP-17": ("fail", f"Deployment {SHOP}/together"),
            "APP-18": ("fail", f"Deployment {SHOP}/together"),
            "APP-19": ("fail", f"Deployment {SHOP}/together"),
            "SYS-21": ("fail", "Node worker-1"),
        },
        "One node is one zone too; the rule that binds them is wrong in itself; and no other node may take them.",
        within_s=60,
    ),
    Situation(
        "pods that fit nowhere",
        made(workload("giant", containers=[container("pause", resources=HUGE)]), budget("giant", {"app": "giant"})),
        {"APP-02": ("fail", f"Deployment {SHOP}/giant")},
        "Pods that run nowhere are spread over nothing, and no node's loss would be theirs.",
    ),
    Situation(
        "an autoscaler at its maximum",
        made(autoscaler("web")),
        {"APP-23": ("pass",), "APP-24": ("fail", f"HorizontalPodAutoscaler {SHOP}/web")},
        "The lab's first autoscaler: what it says of itself is right, and it can't do what it wants.",
        within_s=120,
    ),
]

PODS = [
    Situation(
        "a bare pod",
        made(pod("alone", "pause")),
        {"APP-03": ("fail", f"Pod {SHOP}/alone")},
        "It is no workload: what those must have is not asked of it.",
    ),
    Situation(
        "a pod that crashes again and again",
        made(pod("crashing", "no-such-command", restartPolicy="OnFailure")),
        {"APP-30": ("fail", f"Pod {SHOP}/crashing")},
        "No Service selects it, so as a one-off pod it needs no controller.",
        within_s=60,
    ),
    Situation(
        "a container killed for want of memory",
        made(pod("hungry", *HUNGRY, restartPolicy="OnFailure")),
        {"APP-30": ("fail", f"Pod {SHOP}/hungry")},
        "As above; it has the limit that a container should have.",
        within_s=60,
    ),
    Situation(
        "an image without a version",
        with_container(image="registry.example/web:latest"),
        {"APP-28": ("fail", WEB_IS)} | PAUSED,
        "The pods that run still have the old image: only the template is wrong.",
    ),
    Situation(
        "a reference to a ConfigMap that isn't there",
        with_container(envFrom=[{"configMapRef": {"name": "missing"}}]),
        {"LCM-07": ("fail", WEB_IS)} | PAUSED,
        "The pods that run were made before.",
    ),
    Situation(
        "no readiness probe",
        with_container(readinessProbe=None),
        {"APP-04": ("fail", WEB_IS)} | PAUSED,
        "How soon it notices can't be asked of a probe that isn't there; the liveness probe is compared with none.",
    ),
]

ACCESS = [
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
        "The addresses behind it stay Ready; its only pod port is that of no container, so none is known to serve.",
    ),
    Situation(
        "one address outside the cluster",
        made(*outside()),
        {"ACC-12": ("fail", f"Service {SHOP}/outside")},
        "Endpoints written by hand are not compared with pods.",
    ),
    Situation(
        "an Ingress to a Service that isn't there",
        made(ingress()),
        {"ACC-06": ("fail", f"Ingress {SHOP}/lost"), "ACC-09": ("unknown",)},
        "No controller is named: what it does for its routes can't be told.",
    ),
    Situation(
        "a second way in",
        patched(SERVICE, {"spec": {"type": "NodePort"}}),
        {"ACC-08": ("fail", "Service reference/web", SERVICE_IS)},
        "Without a gateway one Service may be the way in; of two neither is.",
    ),
]

EXTENSIONS = [
    Situation(
        "a webhook with a dead backend",
        made(webhook("situations-dead", "Fail")),
        {
            "SYS-23": ("fail", "ValidatingWebhookConfiguration situations-dead"),
            "LCM-24": ("fail", "ValidatingWebhookConfiguration situations-dead"),
        },
        "It refuses what it can't judge; and since not even its Service is there, it was left behind by something.",
    ),
    Situation(
        "an aggregated API that isn't available",
        made(aggregated()),
        {
            "SYS-24": ("fail", "APIService v1.situations.example"),
            "LCM-24": ("fail", "APIService v1.situations.example"),
        },
        "As with the webhook.",
    ),
    Situation(
        "an expired certificate",
        made(webhook("situations-expired", "Ignore", certificate.expired())),
        {"SYS-17": ("fail", "ValidatingWebhookConfiguration situations-expired")},
        "A webhook that may fail is in nobody's way, but its authority ended yesterday.",
        within_s=60,
        evidence=True,
    ),
]

DELIVERY = [
    Situation(
        "an object that is not what was applied",
        made(drifted()),
        {"LCM-21": ("fail", f"ConfigMap {SHOP}/drifted")},
        "Nothing reads it.",
    ),
    Situation(
        "something stuck in deletion",
        deleted(held()),
        {"LCM-21": ("fail", f"ConfigMap {SHOP}/held")},
        "It waits for whoever put the finalizer there.",
    ),
    Situation(
        "a token without end",
        made(token()),
        {"LCM-05": ("fail", f"Secret {SHOP}/token")},
        "It is a key of the cluster that no one rotates.",
    ),
    Situation(
        "an application that may do everything",
        made(binding("situations-admin", "cluster-admin", "ServiceAccount", "web")),
        {"LCM-05": ("fail", "ClusterRoleBinding situations-admin")},
        "Named by the binding, which is what must go.",
    ),
    Situation(
        "strangers who may read",
        made(binding("situations-strangers", "view", "User", "system:anonymous")),
        {"SYS-28": ("fail", "API server")},
        "Seen by asking without credentials: it is no workload's right.",
        within_s=60,
        evidence=True,
    ),
]

SITUATIONS = [*DISRUPTION, *PODS, *ACCESS, *EXTENSIONS, *DELIVERY]
