"""State: none in the stateless tier, and kept with care where it belongs."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot import indexes, mounts, stateful
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.storage import PersistentVolumeClaim
from fixtures.snapshot.model.workload import StatefulSet
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.software import image_name
from fixtures.snapshot.workloads import Workload, Workloads

SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})


@control(
    "APP-25",
    "The stateless tier keeps no state",
    severity="high",
    reason="State in a replaceable pod is lost with it, or holds it to one node: replicas that wait for a volume that "
    "another node has, files that the replacement does not find.",
    remedy="Keep state in a database or object store, share files by a ReadWriteMany claim, and run what keeps state "
    "itself as a StatefulSet with volumeClaimTemplates, or with its operator.",
    source="S4-7, S4-31, S0-37",
)
def test_no_state(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """For Deployments and bare ReplicaSets that run: with two or more replicas, each claim that a volume names may be
    mounted by several nodes (ReadWriteMany or ReadOnlyMany); a claim that isn't there is unknown. No container may
    write into a directory of the node (devices, sockets, /dev, /sys, /proc and /run are no state). No directory of a
    database is an emptyDir, and no database, queue or registry (known by its image) leaves its files to the pod.
    """
    for workload in workloads.serving():
        if isinstance(workload.object, StatefulSet):
            continue
        expect(workload, True)
        _claims(workload, snapshot, expect)
        root = f"{workload.template_path}.spec"
        for number, volume, container, mount in stateful.written(workload):
            directory = stateful.on_the_node(volume)
            message = f"container {container.name} writes to the node's {directory}"
            expect(workload, not directory, message, path=f"{root}.volumes[{number}].hostPath.path", value=directory)
            lost = stateful.scratch(volume, mount)
            message = f"container {container.name} keeps {mount.mount_path} in an emptyDir, which ends with the pod"
            expect(workload, not lost, message, path=f"{root}.volumes[{number}].emptyDir", value=mount.mount_path)
        for place, container, system in stateful.systems(workload):
            message = f"{image_name(container.image)} leaves its files in {system.data} to the pod"
            keeping = mounts.keeps(workload, container, system.data)
            said = keeping == "empty" and system.data in stateful.DATA_PATHS  # found above, as a volume
            kept = said or keeping not in ("none", "empty") or mounts.persistent(workload, container)
            expect(workload, kept, message, path=f"{place}.volumeMounts", value=container.image)


def _claims(workload: Workload, snapshot: Snapshot, expect: Expect) -> None:
    if workload.effective_replicas < 2:
        return
    for number, volume in enumerate(workload.spec.volumes or ()):
        if volume.persistent_volume_claim is None:
            continue
        name = volume.persistent_volume_claim.claim_name
        claim = snapshot.derive(_by_name).get((workload.namespace, name))
        if claim is None:
            expect.uncertain(workload, f"claim {name} isn't here, so how it may be mounted can't be seen")
            continue
        modes = claim.spec.access_modes or []
        message = f"its {workload.effective_replicas} replicas share claim {name}, which one node at a time may mount"
        path = f"{workload.template_path}.spec.volumes[{number}].persistentVolumeClaim"
        expect(workload, SHARED.intersection(modes), message, path=path, value=modes)


def _by_name(snapshot: Snapshot) -> dict[tuple[str, str], PersistentVolumeClaim]:
    return {(claim.namespace, claim.name): claim for claim in snapshot.of(PersistentVolumeClaim)}


@control(
    "APP-26",
    "Stateful workloads have names, volumes of their own and, where they vote, an odd number of members",
    severity="medium",
    reason="Members that can't be addressed one by one form no cluster; without a claim each restart begins empty; "
    "an even number of voters survives no more failures than one fewer.",
    remedy="Set spec.serviceName to a headless Service that selects the pods, add volumeClaimTemplates, run 3 or 5.",
    source="S4-32, S0-19",
)
def test_stateful_sets(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """For StatefulSets that run: serviceName names a Service of the namespace that is headless (clusterIP None) and
    selects the pods; there are volumeClaimTemplates, or a claim as a volume, but for memcached, Sentinels and shards,
    which keep nothing. What keeps a quorum (known by its image: etcd, ZooKeeper, Consul, RabbitMQ, Nacos, CockroachDB)
    has an odd number of at least three members. Those that an operator made are its own business, but for the quorum.
    """
    for workload in workloads.serving():
        maker = workload.object
        if not isinstance(maker, StatefulSet):
            continue
        if maker.controller is None:
            _names(workload, maker, snapshot, expect)
            held = any(volume.persistent_volume_claim is not None for volume in workload.spec.volumes or ())
            forgetful = all(image_name(c.image) in stateful.FORGETFUL for c in workload.spec.containers or ())
            own = bool(maker.spec.volume_claim_templates) or held or forgetful
            expect(workload, own, "its members have no volume that outlives a pod", path="spec.volumeClaimTemplates")
        count = workload.effective_replicas
        path, value = workload.replicas_evidence
        for _, container, system in stateful.systems(workload):
            if system.quorum:
                message = f"{image_name(container.image)} votes with {count} members; wanted an odd number from 3"
                expect(workload, count >= 3 and count % 2 == 1, message, path=path, value=value)


def _names(workload: Workload, maker: StatefulSet, snapshot: Snapshot, expect: Expect) -> None:
    name = maker.spec.service_name
    if not expect(workload, name, "has no serviceName: its members have no names", path="spec.serviceName", value=name):
        return
    services = snapshot.derive(indexes.services_by_namespace).get(workload.namespace, ())
    service: Service | None = next((each for each in services if each.name == name), None)
    if service is None:
        wrong = f"its Service {name} does not exist"
    elif not service.headless:
        wrong = f"its Service {name} is not headless: it has an address of its own instead of its members'"
    elif not indexes.selects(service, workload.pod_labels):
        wrong = f"its Service {name} does not select its pods"
    else:
        wrong = ""
    expect(workload, not wrong, wrong, path="spec.serviceName", value=name)
