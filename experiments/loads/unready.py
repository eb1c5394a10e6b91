"""The classic mistakes, made on purpose: what a control must be able to see."""

from __future__ import annotations

from typing import Any


def carelessly(deployment: dict[str, Any], service: dict[str, Any]) -> None:
    """No readiness probe, no graceful end, and addresses published whatever becomes of them: traffic before a pod
    serves, and until the API has forgotten it.

    Without the last it is a race between a kubelet that ends the pod and proxies that hear of it: with fast timings the
    proxies won it several times over, and not one request was lost.
    """
    service["spec"]["publishNotReadyAddresses"] = True
    spec = deployment["spec"]["template"]["spec"]
    container = spec["containers"][0]
    container.pop("readinessProbe", None)
    container["args"] = [a for a in container["args"] if not a.startswith("--delay-shutdown")]
    spec["terminationGracePeriodSeconds"] = 1
    deployment["spec"]["minReadySeconds"] = 0
