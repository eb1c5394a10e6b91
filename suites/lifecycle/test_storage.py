"""Storage: state that survives the node, and can be reached from the next one."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import claims
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.cluster import Node
from fixtures.snapshot.model.storage import PersistentVolume, PersistentVolumeClaim, StorageClass
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.stateful import on_the_node, written
from fixtures.snapshot.workloads import Workloads

LATE = "WaitForFirstConsumer"


@control(
    "LCM-11",
    "State is on storage that outlives a node",
    severity="high",
    reason="A pod whose data is on the node, or in the zone, that was lost does not come back, or comes back empty.",
    remedy="Use a replicated class, WaitForFirstConsumer, or software that keeps copies on several nodes; no hostPath.",
    source="S0-37, S4-8",
)
def test_storage(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For the namespaces in scope. On a cluster every claim is Bound; one that waits for its first consumer, or that no
    one has answered within the profile's `lifecycle.stuck_s`, is told apart. Classes in use, if their volumes belong to
    one zone or node (by provisioner), bind WaitForFirstConsumer; zonal ones only where the cluster has several zones or
    isn't seen. A claim whose data is on one node (local or hostPath volume, local provisioner) belongs to a workload of
    several replicas or of an operator. No StatefulSet writes to a hostPath, and no persistent volume is one.
    """
    inside = list(workloads.all())
    uses = list(claims.uses(snapshot, inside))
    if snapshot.live:
        used = {(use.claim.namespace, use.claim.name) for use in uses}
        for claim in snapshot.of(PersistentVolumeClaim):
            if profile.in_scope(claim.namespace):
                _bound(claim, (claim.namespace, claim.name) in used, snapshot, profile, expect)
    found = {name.name: name for use in uses if (name := claims.class_of(snapshot, use.claim)) is not None}
    several = len({node.zone for node in snapshot.of(Node) if node.zone}) > 1 or not snapshot.live
    for each in found.values():
        _binds(each, several, expect)
    for use in uses:
        workload = use.workload
        where = claims.on_one_node(snapshot, use.claim)
        copies = workload.effective_replicas if workload.replicated else 0
        alone = workload.replicated and copies == 1 and workload.object.controller is None
        message = f"its only copy is on one node ({where})"
        expect(workload, not (where and alone), message, path=use.path, value=where)
    for volume in snapshot.of(PersistentVolume):
        path = volume.spec.host_path.path if volume.spec.host_path else None
        expect(volume, path is None, "is a directory of whichever node", path="spec.hostPath.path", value=path)
    for workload in inside:
        if workload.kind == "StatefulSet" and workload.effective_replicas > 0:
            for number, host, _, _ in written(workload):
                path = on_the_node(host)
                field = f"spec.template.spec.volumes[{number}].hostPath"
                expect(workload, not path, "keeps its state on the node", path=field, value=path)


def _bound(claim: PersistentVolumeClaim, used: bool, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    phase = claim.status.phase
    if phase == "Pending":
        found = claims.class_of(snapshot, claim)
        if not used and found is not None and found.volume_binding_mode == LATE:
            expect.note(f"{claim.reference} waits for the first pod that uses it")
            return
        since = moment(claim.metadata.creation_timestamp)
        if since is not None and (snapshot.taken - since).total_seconds() < profile.lifecycle.stuck_s:
            expect.uncertain(claim, "is still being provisioned")
            return
    expect(claim, phase == "Bound", f"is {phase or 'not looked at yet'}", path="status.phase", value=phase)


def _binds(found: StorageClass, several_zones: bool, expect: Expect) -> None:
    node, zone = found.provisioner in claims.NODE, found.provisioner in claims.ZONE
    if node or (zone and several_zones):
        where = "node" if node else "zone"
        message = f"its volumes are made in some {where} before it is known where the pod can run"
        late = found.volume_binding_mode == LATE
        expect(found, late, message, path="volumeBindingMode", value=found.volume_binding_mode)
