"""The mesh's own parts: what configures the proxies, and the proxies at its edges."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.mesh import Mesh
from fixtures.snapshot.mesh_installation import Part, parts
from fixtures.snapshot.model.workload import DaemonSet
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload


@control(
    "ACC-20",
    "The mesh's control plane runs at least two replicas, with a disruption budget",
    severity="high",
    reason="Without istiod proxies keep what they know: new pods get no configuration and no certificates.",
    remedy="Set the pilot's hpaSpec.minReplicas (values.pilot.autoscaleMin) to 2, and keep its PodDisruptionBudget.",
    source="S3-4",
)
def test_istiod_is_redundant(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """istiod's Deployments in every namespace (by label app=istiod or image pilot): the fewest pods, an autoscaler's
    minimum included, are at least the profile's `min_replicas`, and a PodDisruptionBudget selects them. Where none is
    to be seen, an IstioOperator or a Sail Istio object: the pilot's minimum, which is 1 unless they say otherwise, and
    the budget, which they make unless told not to. Mesh objects on a cluster without an istiod: unknown.
    """
    istiods = mesh.istiods()
    for workload in istiods:
        _workload(workload, profile, expect)
    if istiods:
        return
    installed = [part for part in parts(snapshot) if part.name == "istiod"]
    for part in installed:
        _part(part, profile, expect)
    if not installed and snapshot.live and mesh.present:
        expect.unknown("there are objects of a mesh, but no istiod: its control plane runs somewhere else")


@control(
    "ACC-21",
    "Every gateway of the mesh runs at least two replicas, with a disruption budget",
    severity="high",
    reason="All traffic into (or out of) the mesh goes through its gateway: with one pod, a drain is an outage.",
    remedy="Set the gateway's hpaSpec.minReplicas (or replicas) to 2 or more, and keep its PodDisruptionBudget.",
    source="S3-4",
)
def test_mesh_gateways_are_redundant(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Workloads of Istio's proxy standing alone, in every namespace: as ACC-20. A DaemonSet is on every node and needs
    no budget. Gateways of an IstioOperator that are not among them are judged by what it says, its profile's own
    istio-ingressgateway included: its minimum is 1 unless said otherwise.
    """
    seen = mesh.gateways()
    for workload in seen:
        if not isinstance(workload.object, DaemonSet):
            _workload(workload, profile, expect)
        else:
            expect(workload, True)
    names = {workload.name for workload in seen}
    for part in parts(snapshot):
        if part.name != "istiod" and part.name not in names:
            _part(part, profile, expect)


def _workload(workload: Workload, profile: Profile, expect: Expect) -> None:
    count = workload.effective_replicas
    path, value = workload.replicas_evidence
    message = f"{count} replica(s), wanted {profile.min_replicas}"
    expect(workload, count >= profile.min_replicas, message, path=path, value=value)
    message = "no PodDisruptionBudget selects its pods"
    expect(workload, workload.budgets, message, path="spec.template.metadata.labels", value=workload.pod_labels)


def _part(part: Part, profile: Profile, expect: Expect) -> None:
    if part.replicas is None:
        expect.uncertain(part.subject, f"{part.path} is no number")
        return
    message = f"{part.name} runs with {part.replicas} replica(s), wanted {profile.min_replicas}"
    expect(part.subject, part.replicas >= profile.min_replicas, message, path=part.path, value=part.stated)
    path = "spec.values.global.defaultPodDisruptionBudget.enabled"
    expect(part.subject, part.budget, f"{part.name} gets no PodDisruptionBudget", path=path, value=False)
