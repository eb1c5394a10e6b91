"""What is really watched: targets that answer, and nothing that everyone believes to be watched and is not."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import scraping
from fixtures.snapshot.components import ControlPlane
from fixtures.snapshot.model.observability import PodMonitor, ServiceMonitor
from fixtures.snapshot.monitoring import Monitor, selected_by
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads

ASKS = "prometheus.io/scrape"


@control(
    "LCM-20",
    "Everything that is to be watched is scraped, and every target answers",
    severity="medium",
    live=True,
    reason="What silently stopped being scraped raises no alert when it fails: no data looks like no trouble.",
    remedy="Look at Prometheus' target page: the error of each target, and the monitors without any.",
    source="S4-25, S3-16",
)
def test_targets(
    workloads: Workloads,
    snapshot: Snapshot,
    profile: Profile,
    nodes: Nodes,
    control_plane: ControlPlane,
    expect: Expect,
) -> None:
    """Prometheus is asked for its targets: at the profile's `lifecycle.prometheus`, or through the API at a Service
    labelled as its operator and charts do. Every target is up (one not scraped yet is unknown). Each component in
    `lifecycle.monitored` has as many instances up as it has pods (kubelets: nodes), told by the usual names of jobs.
    Each ServiceMonitor and PodMonitor in scope that Prometheus takes has at least one target, and so has each Ready pod
    annotated prometheus.io/scrape: "true", by its address. Left out where there is no Prometheus, unless the profile
    requires monitoring.
    """
    if not scraping.exists(snapshot, profile, workloads.everywhere()):
        if "monitoring" not in profile.lifecycle.required:
            expect.not_applicable("no Prometheus in the cluster, and none in the profile (lifecycle.prometheus)")
        expect("cluster", False, "no Prometheus, and the profile requires monitoring")
        return
    said = scraping.ask(snapshot, profile)
    for target in said.targets:
        name = f"target {target.job} {target.instance}"
        if target.health == "unknown":
            expect.uncertain(name, "has not been scraped yet")
        else:
            expect(name, target.health == "up", f"is down: {target.error}", path="health", value=target.health)
    for component in profile.lifecycle.monitored:
        _covered(component, said, nodes, control_plane, expect)
    pools = {target.pool for target in said.targets}
    monitors: list[Monitor] = [*snapshot.of(ServiceMonitor), *snapshot.of(PodMonitor)]
    for monitor in monitors:
        if profile.in_scope(monitor.namespace) and any(True for _ in selected_by(snapshot, monitor)):
            kind = "serviceMonitor" if isinstance(monitor, ServiceMonitor) else "podMonitor"
            start = f"{kind}/{monitor.namespace}/{monitor.name}/"
            has = any(pool.startswith(start) for pool in pools)
            expect(monitor, has, "no target comes of it", path="spec.selector", value=monitor.spec.get("selector"))
    hosts = {target.instance.rpartition(":")[0].strip("[]") for target in said.targets}
    for workload in workloads.all():
        for pod in workload.ready_pods:
            if pod.annotations.get(ASKS) == "true":
                message = f"asks to be scraped, and no target has its address {pod.status.pod_ip}"
                scraped = pod.status.pod_ip in hosts
                expect(pod, scraped, message, path=f"metadata.annotations[{ASKS}]", value="true")


def _covered(component: str, said: scraping.Said, nodes: Nodes, control_plane: ControlPlane, expect: Expect) -> None:
    if component == "kubelet":
        wanted = len(nodes.all())
    elif control_plane.hidden:
        return
    else:
        try:
            wanted = len(control_plane.pods(scraping.PODS[component]))
        except Unreadable as error:
            expect.uncertain(component, str(error))
            return
    count = len(scraping.up(said, component))
    message = f"{count} of {wanted} are scraped and up; jobs looked for: {', '.join(scraping.JOBS[component])}"
    expect(component, count >= wanted, message, path="targets", value=count)
