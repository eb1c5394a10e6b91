"""The classic mistakes, made on purpose: what a control must be able to see."""

from __future__ import annotations

from typing import Any


def carelessly(deployment: dict[str, Any]) -> None:
    """No readiness probe, no graceful end: traffic before it serves, and until it is dead."""
    spec = deployment["spec"]["template"]["spec"]
    container = spec["containers"][0]
    container.pop("readinessProbe", None)
    container["args"] = [a for a in container["args"] if not a.startswith("--delay-shutdown")]
    spec["terminationGracePeriodSeconds"] = 1
    deployment["spec"]["minReadySeconds"] = 0
