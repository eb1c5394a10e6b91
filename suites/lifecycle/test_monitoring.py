"""Monitoring: the watchers watch everything, and are not fewer than what they watch."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import monitoring
from fixtures.snapshot.loose import mappings, text
from fixtures.snapshot.model.observability import Alertmanager, PodMonitor, Prometheus, ServiceMonitor
from fixtures.snapshot.services import Services
from fixtures.snapshot.sight import in_sight
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.software import Software
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-12",
    "Prometheus and Alertmanager are redundant, and every alert reaches every Alertmanager",
    severity="high",
    reason="The fault that takes the only Prometheus or Alertmanager along is the one that nobody is told of.",
    remedy="Run two Prometheus and three Alertmanagers as one cluster; send alerts to all, not to a balancer.",
    source="S3-27, S4-25, S0-35",
)
def test_monitoring_is_redundant(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Prometheus and Alertmanager objects of the operator, and workloads of their images in any namespace (those in
    agent mode only scrape): replicas are at least the profile's `lifecycle.min_prometheus` and `min_alertmanagers`;
    several plain Alertmanagers know each other (--cluster.peer). Alerts go to Alertmanagers found by discovery, or to a
    list of all of them: one address in front of several reaches one. The operator's Prometheus names a Service in
    alerting.alertmanagers, whose endpoints it takes one by one; it exists. Configuration that isn't seen is unknown.
    """
    bounds = profile.lifecycle
    everything = list(workloads.everywhere())
    if "monitoring" in bounds.required and not monitoring.customs(snapshot):
        some = monitoring.plain(everything, "prometheus")
        expect("cluster", some, "no Prometheus, and the profile requires monitoring")
    for prometheus in snapshot.of(Prometheus):
        count = monitoring.replicas(prometheus)
        message = f"{count} replica(s), wanted {bounds.min_prometheus}"
        expect(prometheus, count >= bounds.min_prometheus, message, path="spec.replicas", value=count)
        _tells(prometheus, snapshot, expect)
    for alertmanager in snapshot.of(Alertmanager):
        count = monitoring.replicas(alertmanager)
        message = f"{count} replica(s), wanted {bounds.min_alertmanagers}"
        expect(alertmanager, count >= bounds.min_alertmanagers, message, path="spec.replicas", value=count)
    managers = monitoring.plain(everything, "alertmanager")
    for software in managers:
        _enough(software, bounds.min_alertmanagers, expect)
        alone = software.option("--cluster.peer") is None and software.workload.effective_replicas > 1
        message = "the Alertmanagers don't know each other: each sends everything, and silences count for one"
        expect(software.workload, not alone, message, path=f"{software.path}.args", value="--cluster.peer")
    for software in monitoring.plain(everything, "prometheus"):
        if monitoring.alerting(software):
            _enough(software, bounds.min_prometheus, expect)
            _plainly_tells(software, managers, snapshot, expect)


def _enough(software: Software, wanted: int, expect: Expect) -> None:
    count = software.workload.effective_replicas
    path, value = software.workload.replicas_evidence
    expect(software.workload, count >= wanted, f"{count} replica(s), wanted {wanted}", path=path, value=value)


def _tells(prometheus: Prometheus, snapshot: Snapshot, expect: Expect) -> None:
    path = "spec.alerting.alertmanagers"
    entries = mappings(prometheus.spec, "alerting.alertmanagers")
    if not entries:
        if "additionalAlertManagerConfigs" in prometheus.spec:
            expect.uncertain(prometheus, "whom it tells stands in a Secret")
        else:
            expect(prometheus, False, "its alerts are sent to nobody", path=path, value=None)
    for number, entry in enumerate(entries):
        name = text(entry, "name")
        namespace = text(entry, "namespace") or prometheus.namespace
        there = monitoring.service(snapshot, namespace, name) is not None or (
            name == monitoring.OPERATED and any(a.namespace == namespace for a in snapshot.of(Alertmanager))
        )
        if not there and not in_sight(snapshot, namespace):
            expect.uncertain(prometheus, f"Service {namespace}/{name} is not in these manifests")
            continue
        message = f"there is no Service {namespace}/{name}"
        expect(prometheus, there, message, path=f"{path}[{number}].name", value=name)


def _plainly_tells(software: Software, managers: list[Software], snapshot: Snapshot, expect: Expect) -> None:
    configurations = monitoring.configurations(snapshot, software)
    if not configurations:
        expect.uncertain(software.workload, "its prometheus.yml can't be seen")
    several = max((m.workload.effective_replicas for m in managers), default=0)
    several = max([several, *(monitoring.replicas(a) for a in snapshot.of(Alertmanager))])
    for configuration in configurations:
        to = monitoring.receivers(configuration)
        path = "prometheus.yml: alerting.alertmanagers"
        if not to.discovered and not to.addresses:
            expect(software.workload, False, "its alerts are sent to nobody", path=path)
            continue
        message = f"{several} Alertmanagers, but alerts are sent to {len(to.addresses)} address(es)"
        enough = to.discovered or len(to.addresses) >= several
        expect(software.workload, enough, message, path=f"{path}.static_configs", value=list(to.addresses))


@control(
    "LCM-13",
    "Every ServiceMonitor and PodMonitor finds what it is to watch, and some Prometheus takes it",
    severity="medium",
    reason="A monitor that selects nothing, or that nobody selects, fails without a word: there is just no data.",
    remedy="Label the Service as the monitor selects, name its port, and label the monitor as Prometheus selects.",
    source="S3-16",
)
def test_monitors_select(services: Services, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For each ServiceMonitor in scope: a Service in the namespaces it looks into has the labels it selects, and each
    endpoint's port is the name of one of those Services' ports (targetPort: a container's port, by name or number). For
    each PodMonitor the same of pod templates and container ports. And some Prometheus object selects the monitor, by
    its labels and its namespace's (absent selectors take nothing, an absent namespace selector its own namespace).
    Without any Prometheus object that is unknown: others read monitors too.
    """
    prometheuses = snapshot.of(Prometheus)
    monitors: list[monitoring.Monitor] = [*snapshot.of(ServiceMonitor), *snapshot.of(PodMonitor)]
    for monitor in monitors:
        if not profile.in_scope(monitor.namespace):
            continue
        if isinstance(monitor, ServiceMonitor):
            _service_monitor(monitor, services, snapshot, expect)
        else:
            _pod_monitor(monitor, snapshot, expect)
        if not prometheuses:
            expect.uncertain(monitor, "there is no Prometheus object that might select it")
            continue
        taken = any(True for _ in monitoring.selected_by(snapshot, monitor))
        message = f"no Prometheus selects it, of {', '.join(p.reference for p in prometheuses)}"
        expect(monitor, taken, message, path="metadata.labels", value=monitor.labels)


def _elsewhere(monitor: monitoring.Monitor, snapshot: Snapshot) -> bool:
    where = monitoring.namespaces_of(snapshot, monitor)
    return where is not None and not any(in_sight(snapshot, namespace) for namespace in where)


def _service_monitor(monitor: ServiceMonitor, services: Services, snapshot: Snapshot, expect: Expect) -> None:
    found = monitoring.watched_services(snapshot, monitor)
    if not found and _elsewhere(monitor, snapshot):
        expect.uncertain(monitor, "the namespaces it looks into are not in these manifests")
        return
    message = "no Service has these labels"
    if not expect(monitor, found, message, path="spec.selector", value=monitor.spec.get("selector")):
        return
    for number, endpoint in enumerate(mappings(monitor.spec, "endpoints")):
        field, name = monitoring.port_names(endpoint)
        path = f"spec.endpoints[{number}].{field}"
        if field == "port":
            names = {port.name for each in found for port in each.spec.ports or ()} - {""}
        else:
            declared = [
                p
                for each in found
                for s in services.backends(each)
                for c in s.running_containers
                for p in c.ports or ()
            ]
            names = {port.name for port in declared} | {str(port.container_port) for port in declared}
        message = f"no port of {', '.join(s.reference for s in found)} is called {name!r}; there are {sorted(names)}"
        expect(monitor, name in names, message, path=path, value=name)


def _pod_monitor(monitor: PodMonitor, snapshot: Snapshot, expect: Expect) -> None:
    found = monitoring.watched_pods(snapshot, monitor)
    if not found and _elsewhere(monitor, snapshot):
        expect.uncertain(monitor, "the namespaces it looks into are not in these manifests")
        return
    message = "no pod has these labels"
    if not expect(monitor, found, message, path="spec.selector", value=monitor.spec.get("selector")):
        return
    declared = [port for spec in found for c in spec.running_containers for port in c.ports or ()]
    names = {port.name for port in declared} | {str(port.container_port) for port in declared}
    for number, endpoint in enumerate(mappings(monitor.spec, "podMetricsEndpoints")):
        field, name = monitoring.port_names(endpoint)
        message = f"no container of them declares port {name!r}; there are {sorted(names - {''})}"
        path = f"spec.podMetricsEndpoints[{number}].{field}"
        expect(monitor, name in names - {""}, message, path=path, value=name)
