"""Configuration: what pods refer to is there, and what must change under them can."""

from __future__ import annotations

from fnmatch import fnmatchcase

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import hot_reload
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.references import missing, references
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-07",
    "Everything that pods refer to by name is there",
    severity="medium",
    reason="The pods that run go on; the next one, after a fault or an update, can't start.",
    remedy="Create what is missing, correct the name, or say `optional: true` where the pod can do without.",
    source="S4-18",
)
def test_references_exist(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """For every workload in scope: ConfigMaps, Secrets, PersistentVolumeClaims and the service account that its pod
    template names exist in its namespace, and a ConfigMap has the key that a variable asks for. Left out: what is
    optional, the service account `default`, ConfigMaps that controllers publish everywhere. In manifests a Secret that
    no SealedSecret, ExternalSecret or Certificate makes is unknown: they are seldom kept there.
    """
    for workload in workloads.all():
        for reference in references(workload.spec):
            path = f"{workload.template_path}.spec.{reference.path}"
            try:
                wrong = missing(snapshot, workload.namespace, reference)
            except Unreadable as error:
                expect.uncertain(workload, f"{reference.kind} {reference.name}: {error}")
                continue
            if wrong and reference.kind == "Secret" and not snapshot.live:
                expect.uncertain(workload, f"{wrong} in these manifests; a cluster may have it")
                continue
            expect(workload, not wrong, wrong, path=path, value=reference.name)


@control(
    "LCM-08",
    "Configuration that must change without a restart is mounted as a volume",
    severity="low",
    reason="Variables and subPath mounts keep what they had when the container started, whatever the ConfigMap says.",
    remedy="Mount the whole ConfigMap as a volume, without subPath, and leave `immutable` out.",
    source="S4-19",
)
def test_hot_reload(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For ConfigMaps that must hot-reload: those the profile names (`lifecycle.hot_reload`), those annotated
    `evenkeel.dev/hot-reload: "true"`, and those mounted into a container that watches files to reload (config-reloader,
    configmap-reload, k8s-sidecar). No container takes them as variables or mounts them by subPath, and they are not
    immutable. Workloads that Reloader restarts (its annotations) get changes that way, and are left out.
    """
    watched = hot_reload.watched(workloads.all())
    wanted: dict[tuple[str, str], ConfigMap] = {}
    for each in snapshot.of(ConfigMap):
        name = f"{each.namespace}/{each.name}"
        named = any(fnmatchcase(name, glob) for glob in profile.lifecycle.hot_reload)
        if named or hot_reload.asked(each) or (each.namespace, each.name) in watched:
            wanted[each.namespace, each.name] = each
            message = "it must change without a restart, but can't change at all"
            expect(each, not each.immutable, message, path="immutable", value=each.immutable)
    for workload in workloads.all():
        if not hot_reload.restarted(workload):
            for name, path, how in hot_reload.uses(workload):
                if (workload.namespace, name) in wanted:
                    expect(workload, how == "volume", f"takes ConfigMap {name} as a {how}", path=path, value=name)
