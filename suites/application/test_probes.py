"""Probes: how Kubernetes learns that a container can serve, and that it can't any more."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import timing
from fixtures.snapshot.model.pod import Container, PodSpec
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
                path=f"{place}.readinessProbe",
            )


@control(
    "APP-05",
    "Every serving container has a liveness probe, slower than its readiness probe where both ask the same",
    severity="medium",
    reason="A process that hangs serves nobody until it is restarted. One that is restarted as soon as it is busy is "
    "taken away exactly when it is needed most.",
    remedy="Add a livenessProbe that asks only for the process itself, or gives up later than readiness does.",
    source="S0-21",
)
def test_liveness_probe(workloads: Workloads, expect: Expect) -> None:
    """For the same containers as APP-04: a livenessProbe is there. Where it asks what the readinessProbe asks (same
    handler, port names resolved), its period x failureThreshold + timeout is longer, so that an overloaded container
    is first relieved of traffic.
    """
    for workload in workloads.long_running():
        for place, container in serving_containers(workload):
            path = f"{place}.livenessProbe"
            liveness, readiness = container.liveness_probe, container.readiness_probe
            if liveness is None:
                expect(workload, False, f"container {container.name} has no liveness probe", path=path)
                continue
            same = readiness is not None and timing.check(liveness, container) == timing.check(readiness, container)
            if readiness is None or not same:
                expect(workload, True)
                continue
            kills, relieves = timing.detection_s(liveness), timing.detection_s(readiness)
            message = (
                f"container {container.name}: liveness asks what readiness asks and gives up after {kills} s, "
                f"readiness after {relieves} s"
            )
            expect(workload, kills > relieves, message, path=path, value=kills)


@control(
    "APP-06",
    "No liveness probe kills a container that is still starting",
    severity="medium",
    reason="A container killed before it is up starts again, is killed again, and never serves: most likely on a busy "
    "node after a failure, when starting takes longest.",
    remedy="Add a startupProbe with room (period x failureThreshold), which holds liveness back until it succeeds.",
    source="Kubernetes: Configure Liveness, Readiness and Startup Probes",
)
def test_slow_start(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For every container with a liveness probe: the soonest that it can kill, initialDelay + period x
    (failureThreshold - 1), of the startup probe where there is one, is at least the profile's
    `application.start_allowance_s`, and at least the readiness probe's initialDelaySeconds, by which the author says
    how long it takes.
    """
    for workload in workloads.long_running():
        for place, container in workload.containers:
            if container.liveness_probe is None:
                continue
            first = container.startup_probe or container.liveness_probe
            field = "livenessProbe" if container.startup_probe is None else "startupProbe"
            patience, readiness = timing.patience_s(first), container.readiness_probe
            wanted = max(profile.application.start_allowance_s, readiness.initial_delay_seconds if readiness else 0)
            message = (
                f"container {container.name} is killed when not up {patience} s after its start; wanted {wanted:g} s"
            )
            path = f"{place}.{field}"
            expect(workload, patience >= wanted, message, path=path, value=patience)


@control(
    "APP-07",
    "A container that can't serve is noticed within the recovery budget",
    severity="medium",
    reason="Until the readiness probe has failed often enough, requests still go to a container that can't answer.",
    remedy="Lower the readinessProbe's periodSeconds and failureThreshold: 1 s and 2 notice within 3 s.",
    source="S0-3, S3-23",
)
def test_readiness_detects_in_time(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For the readiness probes of APP-04's containers: period x failureThreshold + timeout, the longest that a failure
    can go unseen, is at most the profile's `recovery_budget_s`.
    """
    budget = profile.recovery_budget_s
    for workload in workloads.long_running():
        for place, container in serving_containers(workload):
            if container.readiness_probe is None:
                continue
            seconds = timing.detection_s(container.readiness_probe)
            message = f"container {container.name}: a failure goes unseen for up to {seconds} s, wanted {budget:g} s"
            path = f"{place}.readinessProbe"
            expect(workload, seconds <= budget, message, path=path, value=seconds)


@control(
    "APP-08",
    "Probes ask a port that is there, and commands are not run too often",
    severity="medium",
    reason="A probe of a wrong port fails for ever: the container never serves, or is restarted again and again. A "
    "command is a new process each time, which many pods on a node can't afford.",
    remedy="Name the container's port in the probe; give commands 5 s or more, or use gRPC or HTTP.",
    source="Kubernetes: Configure Liveness, Readiness and Startup Probes",
)
def test_probe_ports(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For every probe of every container that stays: a port's name is declared by the container itself; a number by
    some container of the pod, unless none declares any TCP port; calls to another host are left out. An exec probe's
    period is at least the profile's `application.min_exec_period_s`, but for startup probes, which end.
    """
    least = profile.application.min_exec_period_s
    for workload in workloads.all():
        for place, container in workload.containers:
            for field, probe in timing.named(container):
                path = f"{place}.{field}"
                if probe.exec is not None and field != "startupProbe":
                    period = timing.period_s(probe)
                    message = f"container {container.name} starts a process every {period} s; wanted {least:g} s"
                    expect(workload, period >= least, message, path=f"{path}.periodSeconds", value=period)
                port = timing.port_of(probe)
                if port is not None:
                    there = _declared(port, container, workload.spec)
                    message = f"container {container.name}: {field} asks port {port}, which is not declared"
                    expect(workload, there, message, path=path, value=port)


def _declared(port: int | str, container: Container, spec: PodSpec) -> bool:
    if isinstance(port, str):
        if any(declared.name == port for declared in container.ports or ()):
            return True
        if not port.isdecimal():
            return False
        port = int(port)
    numbers = {p.container_port for c in spec.running_containers for p in c.ports or () if p.protocol == "TCP"}
    return port in numbers if numbers else 0 < port < 65536
