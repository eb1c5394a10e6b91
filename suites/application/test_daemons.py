"""DaemonSets: one pod on every node that should have it."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.model.workload import DaemonSet
from fixtures.snapshot.placement import placement
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads


@control(
    "APP-27",
    "Every DaemonSet is Ready on every node that it fits",
    severity="high",
    live=True,
    reason="A node without its agent runs applications that nobody connects, stores for, logs or watches.",
    remedy="Look at the pods that are not Ready, at the DaemonSet's events, and at taints that it does not tolerate.",
    source="S4-34",
)
def test_daemons_ready(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """For each DaemonSet outside the system namespaces (SYS-26 has those): its controller has seen the latest spec, and
    a Ready pod of it is on every node that its node selector, affinity and tolerations admit, with those that the
    controller adds. Nodes that are not Ready count: their agent is missing too. Where nodes can't be listed, the
    controller's own count decides: numberReady is at least desiredNumberScheduled.
    """
    for workload in workloads.all():
        maker = workload.object
        if not isinstance(maker, DaemonSet):
            continue
        status, generation = maker.status, maker.metadata.generation
        message = f"its controller has seen generation {status.observed_generation} of {generation}"
        seen = status.observed_generation >= generation
        expect(maker, seen, message, path="status.observedGeneration", value=status.observed_generation)
        wanted, ready = status.desired_number_scheduled, status.number_ready
        message = f"{ready} of {wanted} pods are Ready"
        if not expect(maker, ready >= wanted, message, path="status.numberReady", value=ready):
            continue
        has = {pod.spec.node_name for pod in workload.ready_pods}
        try:
            nodes = snapshot.derive(placement).for_daemon(workload.spec)
        except Unreadable as error:
            expect.note(f"judged by the controller's own count: {error}")
            continue
        missing = [node.name for node in nodes if node.name not in has]
        message = f"no Ready pod of it on {', '.join(missing)}"
        expect(maker, not missing, message, path="pods.spec.nodeName", value=missing)
