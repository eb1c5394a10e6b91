"""What goes wrong with nodes, add-ons and the control plane."""

from __future__ import annotations

from tests.lab.situations.deeds import Deed, both, patched, without
from tests.lab.situations.situation import Situation

SYSTEM = "/apis/apps/v1/namespaces/kube-system"


def cordoned(node: str) -> Deed:
    return patched(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})


def scaled(deployment: str, replicas: int) -> Deed:
    return patched(f"{SYSTEM}/deployments/{deployment}", {"spec": {"replicas": replicas}})


SITUATIONS = [
    Situation(
        "two of three workers cordoned",
        both(cordoned("worker-3"), cordoned("worker-2")),
        {
            "SYS-19": ("fail", "cluster"),
            "SYS-20": ("fail", "cluster"),
            "SYS-21": ("fail", "Node worker-1"),
            "SYS-33": ("fail", "Node worker-1"),
            "APP-18": ("not-applicable",),
        },
        "One worker takes pods, in one zone: no room for those of another, and no zones to spread over.",
    ),
    Situation(
        "one CoreDNS",
        scaled("coredns", 1),
        {"SYS-25": ("fail", "Service kube-system/kube-dns")},
        "Names are resolved still, by one pod.",
    ),
    Situation(
        "nobody measures",
        scaled("metrics-server", 0),
        {"SYS-34": ("fail", "APIService v1beta1.metrics.k8s.io")},
        "An aggregated API without a server behind it; nothing here scales by it.",
        within_s=40,
    ),
    Situation(
        "one scheduler of three down",
        without("kube-scheduler", "master-3"),
        {"SYS-02": ("fail", "Node master-3")},
        "Another one leads or takes over: the master that misses a component is all that is wrong.",
        within_s=40,
    ),
]
