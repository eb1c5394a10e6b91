"""KubeVela: one description of an application, delivered everywhere by something that survives and stays small."""

from __future__ import annotations

import msgspec

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import kubevela
from fixtures.snapshot.arithmetic import Malformed, quantity
from fixtures.snapshot.loose import mappings, text
from fixtures.snapshot.model.delivery import VelaApplication
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads

WAITING = ("workflowSuspending",)
MOVING = ("", "starting", "rendering", "generatingPolicy", "runningWorkflow")


@control(
    "LCM-03",
    "KubeVela's controller is redundant, its Applications run, and the critical ones in at least two clusters",
    severity="high",
    reason="Without its controller nothing is delivered or mended; an application in one cluster is lost with it.",
    remedy="Set replicaCount 2 (leader election stays on), and name two clusters in the topology policy.",
    source="S1-1, S1-15, S1-16, S1-22",
)
def test_kubevela(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Workloads that run vela-core: `min_replicas` at least, with --enable-leader-election (off unless given).
    Applications that are critical (the profile's `application.critical`; where that is empty, those with a topology
    policy and a trait that exposes them) are delivered to two clusters or more: by name in topology policies, or as the
    controller reports. Where clusters are chosen by label, manifests can't tell. On a cluster every Application is
    `running` with all its services healthy; one whose workflow is on its way is unknown, one that waits for an approval
    the profile asks for is right.
    """
    for software in kubevela.controllers(workloads.everywhere()):
        workload = software.workload
        count = workload.effective_replicas
        path, value = workload.replicas_evidence
        message = f"{count} replica(s), wanted {profile.min_replicas}"
        expect(workload, count >= profile.min_replicas, message, path=path, value=value)
        message = "leader election is off: several controllers would work against each other"
        elected = count < 2 or kubevela.elects(software)
        expect(workload, elected, message, path=f"{software.path}.args", value=software.option(kubevela.ELECTION))
    for application in snapshot.of(VelaApplication):
        if kubevela.critical(application, profile):
            _several_clusters(application, expect)
        if snapshot.live:
            _runs(application, profile, expect)


def _several_clusters(application: VelaApplication, expect: Expect) -> None:
    clusters = sorted(kubevela.clusters(application))
    if len(clusters) < 2 and kubevela.selects_by_label(application):
        expect.uncertain(application, "its clusters are chosen by label: which they are, manifests don't say")
        return
    message = f"delivered to {', '.join(clusters) or 'its own cluster'} only"
    path = "spec.policies[topology].properties.clusters"
    expect(application, len(clusters) >= 2, message, path=path, value=clusters)


def _runs(application: VelaApplication, profile: Profile, expect: Expect) -> None:
    phase = text(application.status, "status")
    name = f"{application.namespace}/{application.name}"
    if phase in MOVING:
        expect.uncertain(application, f"its delivery is on its way ({phase or 'not begun'})")
        return
    if phase in WAITING and profile.lifecycle.approved(name):
        expect(application, True)
        return
    message = f"is {phase}: {text(application.status, 'workflow.message')}".rstrip(": ")
    if expect(application, phase == "running", message, path="status.status", value=phase):
        for number, service in enumerate(mappings(application.status, "services")):
            message = f"service {text(service, 'name')} is unhealthy: {text(service, 'message')}".rstrip(": ")
            healthy = service.get("healthy") is True
            expect(application, healthy, message, path=f"status.services[{number}].healthy", value=healthy)


@control(
    "LCM-23",
    "KubeVela's controller stays within what it promises to need",
    severity="medium",
    live=True,
    reason="A controller that grows past its promise is throttled or killed, most likely while much is delivered.",
    remedy="Look at the number of Applications and revisions kept, at failing workflows; shard the controller.",
    source="S1-15",
)
def test_controller_usage(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """What the metrics API says each vela-core pod uses now: at most the profile's `lifecycle.controller_cores` and
    `controller_memory` for up to `controller_applications` Applications (half a core and 200 MB for 100), in proportion
    for more. Unknown without the metrics API.
    """
    if not kubevela.controllers(workloads.everywhere()):
        expect.not_applicable("no KubeVela controller runs here")
    bounds = profile.lifecycle
    count = len(snapshot.of(VelaApplication))
    scale = max(1.0, count / bounds.controller_applications)
    try:
        said = msgspec.convert(snapshot.ask("kubevela-usage"), kubevela.Usages)
        for pod in said.pods:
            name = f"Pod {pod.metadata.get('namespace')}/{pod.metadata.get('name')}"
            cores = float(sum(quantity(c.usage.cpu) for c in pod.containers))
            memory = float(sum(quantity(c.usage.memory) for c in pod.containers))
            most = bounds.controller_cores * scale
            message = f"uses {cores:.3g} cores with {count} Application(s), at most {most:.3g} were promised"
            expect(name, cores <= most, message, path="metrics cpu", value=round(cores, 3))
            most = bounds.controller_memory * scale
            message = f"uses {memory / 1e6:.0f} MB with {count} Application(s), at most {most / 1e6:.0f} were promised"
            expect(name, memory <= most, message, path="metrics memory", value=round(memory))
    except (msgspec.ValidationError, Malformed) as error:
        raise Unreadable(f"the metrics API's answer was not understood: {error}") from error
