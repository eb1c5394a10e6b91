"""What goes wrong with nodes, add-ons and the control plane."""

from __future__ import annotations

from tests.lab.situations.deeds import Deed, both, patched, stopped, without
from tests.lab.situations.situation import Situation

SYSTEM = "/apis/apps/v1/namespaces/kube-system"


def cordoned(node: str) -> Deed:
    return patched(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})


def scaled(deployment: str, replicas: int) -> Deed:
    return patched(f"{SYSTEM}/deployments/{deployment}", {"spec": {"replicas": replicas}})


MASTERS = ("master-1", "master-2", "master-3")
SITUATIONS = [
    Situation("a node cordoned", cordoned("worker-3"), {}, ""),
    Situation("two nodes cordoned", both(cordoned("worker-3"), cordoned("worker-2")), {}, ""),
    Situation("one CoreDNS", scaled("coredns", 1), {}, ""),
    Situation("no metrics", scaled("metrics-server", 0), {}, "", within_s=40),
    Situation("a node whose kubelet is silent", stopped("kubelet", "worker-3"), {}, "", within_s=40),
    Situation("an etcd member stopped", without("etcd", "master-3"), {}, "", within_s=60, evidence=True),
    Situation("an API server down", without("kube-apiserver", "master-3"), {}, "", within_s=60, evidence=True),
    Situation("a scheduler down", without("kube-scheduler", "master-3"), {}, "", within_s=40),
    Situation("no controller-manager", without("kube-controller-manager", *MASTERS), {}, "", within_s=60),
]
