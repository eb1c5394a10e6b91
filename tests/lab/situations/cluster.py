"""What goes wrong with nodes and the control plane."""

from __future__ import annotations

from tests.lab.situations.applications import Situation
from tests.lab.situations.deeds import both, patched, stopped, without

SYSTEM = "/apis/apps/v1/namespaces/kube-system"


def cordoned(node: str) -> object:
    return patched(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})


def situations() -> list[Situation]:
    return [
        Situation("a node cordoned", cordoned("worker-3"), {}, ""),
        Situation("two nodes cordoned", both(cordoned("worker-3"), cordoned("worker-2")), {}, ""),
        Situation(
            "one CoreDNS", patched(f"{SYSTEM}/deployments/coredns", {"spec": {"replicas": 1}}), {}, "", evidence=True
        ),
        Situation(
            "no metrics",
            patched(f"{SYSTEM}/deployments/metrics-server", {"spec": {"replicas": 0}}),
            {},
            "",
            within_s=40,
        ),
        Situation("a node whose kubelet is silent", stopped("kubelet", "worker-3"), {}, "", within_s=40),
        Situation(
            "a scheduler stopped on one node", without("kube-scheduler", "master-3"), {}, "", within_s=40, evidence=True
        ),
        Situation(
            "no controller-manager anywhere",
            without("kube-controller-manager", "master-1", "master-2", "master-3"),
            {},
            "",
            within_s=60,
            evidence=True,
        ),
        Situation("an API server down", without("kube-apiserver", "master-3"), {}, "", within_s=60, evidence=True),
        Situation("an etcd member stopped", without("etcd", "master-3"), {}, "", within_s=60, evidence=True),
    ]
