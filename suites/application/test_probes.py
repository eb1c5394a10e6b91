"""Probes: how Kubernetes learns that a container can serve, and that it can't any more."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.ports import serving_containers
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-04",
    "Every serving container has a readiness probe",
    severity="high",
    reason="Without one a container gets traffic the moment its process starts, and keeps it while it can't answer.",
    remedy="Add a readinessProbe that answers only when the container can serve: its own port, its own dependencies.",
    source="S0-4, S0-20",
)
def test_readiness_probe(workloads: Workloads, expect: Expect) -> None:
    """Judged for each container that a Service's port leads to, sidecars included; where no container declares that
    port, at least one of the pod's must have the probe. Where no Service selects the pods, the containers that declare
    a port other than a metrics port. Jobs don't serve; DaemonSets do when a Service selects their pods.
    """
    for workload in workloads.all():
        if workload.kind in ("Job", "CronJob") or (workload.replicated and workload.effective_replicas == 0):
            continue
        for place, container in serving_containers(workload):
            expect(
                workload,
                container.readiness_probe is not None,
                f"container {container.name} serves without a readiness probe",
                path=f"{workload.template_path}.spec.{place}.readinessProbe",
            )
