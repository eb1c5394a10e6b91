"""Validity: what is written down can be applied, and controls its own pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import validity, versions
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.model.policy import HorizontalPodAutoscaler, PodDisruptionBudget
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@dataclass(frozen=True)
class Refused:
    """Something in a file that is no object: named as well as it can be."""

    reference: str
    file: str
    line: int


@control(
    "APP-33",
    "Manifests are what the API server accepts, and selectors match their own pods",
    severity="high",
    reason="A manifest that is refused never reaches the cluster, and the delivery that carried it stops half-way.",
    remedy="Correct the field that is named; kubectl apply --dry-run=server --validate=strict shows the same.",
    source="S3-21",
)
def test_manifests_are_valid(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Every workload with a selector: it is there, not empty, and matches the template's labels. Of manifests besides:
    broken YAML and fields of a wrong type; names and labels; containers, images, ports, probes, hooks, mounts and
    quantities that are missing, malformed, doubled or contradict each other; restart policies; API versions that are
    no longer served. What a live cluster holds it has accepted already. Unknown fields are not looked at.
    """
    for workload in workloads.all():
        expect(workload, True)
        for path, value, wrong in validity.selector(workload):
            expect(workload, False, f"{path} {wrong}", path=path, value=value)
    if snapshot.live:
        return
    for problem in snapshot.problems:
        subject = Refused(problem.object or problem.kind or "manifest", problem.file, problem.line)
        expect(subject, False, problem.message)
    for found, path, value, wrong in _mistakes(workloads, snapshot, profile):
        expect(found, False, f"{path} {wrong}", path=path, value=value)


def _mistakes(workloads: Workloads, snapshot: Snapshot, profile: Profile) -> Iterator[tuple[Object, str, object, str]]:
    for workload in workloads.all():
        for mistake in (*validity.name(workload.object), *validity.workload(workload)):
            yield workload.object, *mistake
    for model in (Pod, Service, PodDisruptionBudget, HorizontalPodAutoscaler, ConfigMap):
        for each in snapshot.of(model):
            if profile.in_scope(each.namespace):
                of_pod = validity.pod(each.spec, "spec") if isinstance(each, Pod) else ()
                for mistake in (*validity.name(each), *validity.of(each), *of_pod):
                    yield each, *mistake
    every = [each for found in snapshot.objects.values() for each in found]
    for each in (*every, *snapshot.others):
        since = versions.gone(each)
        if since:
            yield each, "apiVersion", each.api_version, f"is not served since Kubernetes {since}"
        elif versions.misplaced(each):
            yield each, "apiVersion", each.api_version, f"has no {each.kind}: its group is missing"
