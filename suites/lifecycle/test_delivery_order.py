"""Order: what needs something else comes after it, and someone is asked where someone must be."""

from __future__ import annotations

from fnmatch import fnmatchcase

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import monitoring, operators, order
from fixtures.snapshot.loose import mappings, text
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.model.delivery import HelmRelease, Kustomization, VelaApplication
from fixtures.snapshot.model.rbac import ServiceAccount
from fixtures.snapshot.model.storage import PersistentVolumeClaim
from fixtures.snapshot.references import references
from fixtures.snapshot.services import Services
from fixtures.snapshot.sight import in_sight
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads

Flux = Kustomization | HelmRelease


@control(
    "LCM-22",
    "The order of delivery is declared, can be kept, and is kept",
    severity="medium",
    reason="A dependency on nothing, or on each other, stops the delivery; what comes too late fails the start.",
    remedy="Correct names and waves; put configuration before what reads it; add a suspend step where one must ask.",
    source="S1-14, S1-23",
)
def test_delivery_order(
    workloads: Workloads, services: Services, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """KubeVela: what components and workflow steps depend on is there, in no circle; so are the policies that deploy
    steps name and the outputs that inputs take; on a cluster no step is ahead of one it depends on. Applications in the
    profile's `lifecycle.approvals` suspend before they deploy. Flux: dependsOn names what is there, in no circle. Argo
    CD's sync waves are whole numbers, and ConfigMaps, claims and service accounts are not in a later wave or phase than
    the workload that names them; Helm's pre-install hooks count as the phase before. Init containers that wait for a
    Service (by its full name, or with nc, nslookup, wait-for-it, pg_isready and their like) wait for one that is there,
    and not in a circle.
    """
    for application in snapshot.of(VelaApplication):
        if not profile.in_scope(application.namespace):
            continue
        expect(application, True)
        for lack in order.vela(application):
            expect(application, False, lack.message, path=lack.path, value=lack.value)
        name = f"{application.namespace}/{application.name}"
        if any(fnmatchcase(name, glob) for glob in profile.lifecycle.approvals):
            message = "its delivery must wait for consent, and no step suspends before it deploys"
            expect(application, order.asks(application), message, path="spec.workflow.steps")
    _flux(snapshot, expect)
    inside = [w for w in workloads.everywhere() if profile.in_scope(w.namespace)]
    _waves(inside, snapshot, profile, expect)
    _init(inside, services, snapshot, expect)


def _flux(snapshot: Snapshot, expect: Expect) -> None:
    kinds: list[list[Flux]] = [list(snapshot.of(Kustomization)), list(snapshot.of(HelmRelease))]
    for found in kinds:
        known = {(each.namespace, each.name): each for each in found}
        graph: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for key, each in known.items():
            wanted = [
                (text(d, "namespace") or each.namespace, text(d, "name")) for d in mappings(each.spec, "dependsOn")
            ]
            graph[key] = [other for other in wanted if other in known]
            for other in wanted:
                if other not in known and not in_sight(snapshot, other[0]):
                    expect.uncertain(each, f"depends on {'/'.join(other)}, which is not in these manifests")
                    continue
                message = f"depends on {'/'.join(other)}, which is not there"
                expect(each, other in known, message, path="spec.dependsOn", value=other[1])
        circle = order.cycle(graph)
        if circle:
            path = " → ".join("/".join(key) for key in circle)
            expect(known[circle[0]], False, f"wait for each other: {path}", path="spec.dependsOn", value=path)


def _waves(inside: list[Workload], snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    named: dict[tuple[str, str, str], Object] = {}
    for model in (ConfigMap, PersistentVolumeClaim, ServiceAccount):
        for each in snapshot.of(model):
            if profile.in_scope(each.namespace):
                named[each.kind, each.namespace, each.name] = each
    turned = [each for each in [*named.values(), *(w.object for w in inside)] if order.timed(each.annotations)]
    for subject in turned:
        if order.WAVE in subject.annotations:
            wrong = order.malformed_wave(subject)
            path = f"metadata.annotations[{order.WAVE}]"
            expect(subject, not wrong, f"{wrong!r} is no wave: a whole number is", path=path, value=wrong)
    for workload in inside if turned else ():  # where nothing has a turn, nothing can be before another
        own = order.turn(workload.annotations)
        for reference in references(workload.spec):
            other = named.get((reference.kind, workload.namespace, reference.name))
            if other is None:
                continue
            theirs = order.turn(other.annotations)
            if own == theirs == (0, 0):
                continue
            message = f"comes before {other.reference} that it needs: {_turn(own)} before {_turn(theirs)}"
            path = f"{workload.template_path}.spec.{reference.path}"
            expect(workload, theirs <= own, message, path=path, value=reference.name)


def _turn(turn: tuple[int, int]) -> str:
    return {-1: "before the sync, ", 0: "", 1: "after the sync, "}[turn[0]] + f"wave {turn[1]}"


def _init(inside: list[Workload], services: Services, snapshot: Snapshot, expect: Expect) -> None:
    waits: dict[str, list[str]] = {}
    by_name = {workload.reference: workload for workload in inside}
    for workload in inside:
        for namespace, name, path in order.awaited(workload):
            service = monitoring.service(snapshot, namespace, name)
            if service is None and (not in_sight(snapshot, namespace) or operators.maker(snapshot, namespace)):
                expect.uncertain(workload, f"waits for Service {namespace}/{name}, which is not in these manifests")
                continue
            message = f"waits for Service {namespace}/{name}, which is not there"
            if expect(workload, service, message, path=path, value=name) and service is not None:
                behind = [each.reference for each in services.workloads(service)]
                waits.setdefault(workload.reference, []).extend(behind)
    circle = order.cycle(waits)
    if circle and circle[0] in by_name:
        message = f"wait for each other: {' → '.join(circle)}"
        expect(by_name[circle[0]], False, message, path="spec.template.spec.initContainers", value=circle)
