"""Resources: what a container is guaranteed, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot import configuration, resources
from fixtures.snapshot.arithmetic import Malformed, quantity
from fixtures.snapshot.model.pod import Container
from fixtures.snapshot.promises import Promise, promised
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.software import config_map
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "APP-22",
    "Containers have CPU and memory requests and a memory limit, which their configuration keeps to",
    severity="medium",
    reason="Without requests a node is filled beyond what it has, and autoscaling has nothing to measure by. Without a "
    "memory limit one leak takes its neighbours along; a heap above the limit is killed under load.",
    remedy="Set resources.requests.cpu, requests.memory and limits.memory; keep heap sizes and documented sizes below.",
    source="S3-6, S3-11, S3-21",
)
def test_resources(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """Every container and sidecar of what runs on and on has the three, by itself, by its pod as a whole, by the
    namespace's LimitRange, or on a cluster in all of its pods (as a vertical autoscaler does). A limit without request
    counts as both. What its variables, arguments and the ConfigMaps it reads say about memory or CPU (memory-limit,
    -Xmx, --max-old-space-size, GOMEMLIMIT) is not above its limit; a heap is below it. ConfigMaps that nothing reads
    count for the workload that they are named after.
    """
    every = snapshot.derive(resources.defaults)
    for workload in workloads.long_running():
        defaults = every.get(workload.namespace, resources.NONE)
        for place, container in workload.containers:
            missing = resources.missing(container, workload.spec, defaults)
            if missing and workload.pods:
                missing = _missing_in_pods(workload, container.name)
            message = f"container {container.name} has no {', '.join(missing)}"
            expect(workload, not missing, message, path=f"{place}.resources", value=_shown(container))
            limits = resources.effective(container, defaults)[1]
            for source, promise in _promises(snapshot, workload, container):
                limit = limits.get(promise.resource)
                kept = limit is None or _kept(promise, limit)
                message = f"{source} says {promise.text}, container {container.name} may take {limit}"
                expect(workload, kept, message, path=f"{place}.resources.limits.{promise.resource}", value=limit)


def _missing_in_pods(workload: Workload, name: str) -> list[str]:
    found: dict[str, None] = {}
    for pod in workload.pods:
        for container in pod.spec.running_containers:
            if container.name == name:
                found.update(dict.fromkeys(resources.missing(container, pod.spec)))
    return list(found)


def _shown(container: Container) -> dict[str, object]:
    given = container.resources
    return {"requests": given.requests or {}, "limits": given.limits or {}}


def _promises(snapshot: Snapshot, workload: Workload, container: Container) -> Iterator[tuple[str, Promise]]:
    for variable in container.env or ():
        for promise in promised(variable.name, variable.value):
            yield f"variable {variable.name}", promise
    for word in (*(container.command or ()), *(container.args or ())):
        for promise in promised("", word):
            yield "its command line", promise
    names = sorted(configuration.names_in(container, workload.spec))
    read = [config_map(snapshot, workload.namespace, name) for name in names]
    for each in [*(found for found in read if found is not None), *configuration.meant_for(snapshot, workload)]:
        for key, value in (each.data or {}).items():
            for promise in promised(key, value):
                yield f"ConfigMap {each.name}", promise


def _kept(promise: Promise, limit: str | int | float) -> bool:
    try:
        return promise.kept(quantity(limit))
    except Malformed:
        return True  # APP-33 names the quantity
