"""Priority: who stays when there is not enough room for all."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.model.policy import PriorityClass
from fixtures.snapshot.routes import Routes
from fixtures.snapshot.services import Services
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads

BUILT_IN = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


@control(
    "APP-29",
    "Critical workloads have a priority above the others",
    severity="low",
    reason="When a node is lost and the rest is full, the scheduler makes room for those with a higher priority; with "
    "equal ones a nightly job may keep the shop waiting.",
    remedy="Make a PriorityClass with a value above 0 and name it as priorityClassName of the critical workloads.",
    source="Kubernetes: Pod Priority and Preemption",
)
def test_priority(
    workloads: Workloads, services: Services, routes: Routes, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """Critical is what the profile's `application.critical` names; where it is empty, whatever a Service of type
    LoadBalancer or NodePort, an Ingress or a Gateway's route leads to. Each names a PriorityClass whose value is above
    what pods without one get (the globalDefault class's value, else 0). A class that isn't in the manifests is unknown.
    """
    classes = {each.name: each.value for each in snapshot.of(PriorityClass)} | BUILT_IN
    usual = max((each.value for each in snapshot.of(PriorityClass) if each.global_default), default=0)
    for workload in _critical(workloads, services, routes, profile):
        name = workload.spec.priority_class_name
        path = f"{workload.template_path}.spec.priorityClassName"
        if not expect(
            workload, name, f"critical, with the same priority as all others ({usual})", path=path, value=name
        ):
            continue
        value = classes.get(name)
        if value is None and not snapshot.live:
            expect.uncertain(workload, f"PriorityClass {name} is not in these manifests")
            continue
        if not expect(workload, value is not None, f"there is no PriorityClass {name}", path=path, value=name):
            continue
        message = f"PriorityClass {name} is {value}, no more than what has none ({usual})"
        expect(workload, value is not None and value > usual, message, path=path, value=name)


def _critical(workloads: Workloads, services: Services, routes: Routes, profile: Profile) -> Iterator[Workload]:
    globs = profile.application.critical
    if globs:
        for workload in workloads.long_running():
            if any(fnmatchcase(f"{workload.namespace}/{workload.name}", glob) for glob in globs):
                yield workload
        return
    named = {(target.namespace, target.name) for target in routes.targets()}
    seen: set[str] = set()
    for service in services.selecting():
        outside = service.spec.type in ("LoadBalancer", "NodePort") or (service.namespace, service.name) in named
        for workload in services.workloads(service) if outside else ():
            running = workload.kind == "DaemonSet" or (workload.replicated and workload.effective_replicas > 0)
            if running and workload.reference not in seen:
                seen.add(workload.reference)
                yield workload
