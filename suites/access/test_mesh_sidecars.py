"""Sidecars: in every pod of the mesh, there first, and gone last."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import indexes
from fixtures.snapshot.mesh import Mesh
from fixtures.snapshot.model.pod import Container, Pod
from fixtures.snapshot.snapshot import Snapshot

PROXY = "istio-proxy"


@control(
    "ACC-31",
    "Every meshed pod has its sidecar, which starts before the application and stops after it",
    severity="medium",
    live=True,
    reason="A pod without its sidecar is outside of the mesh; a late or early one fails calls at each start and stop.",
    remedy="Restart pods from before injection; use native sidecars (ENABLE_NATIVE_SIDECARS), or "
    "holdApplicationUntilProxyStarts with EXIT_ON_ZERO_ACTIVE_CONNECTIONS.",
    source="S3-3",
)
def test_sidecars(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Running pods in scope that Istio injects (by the labels of namespace and pod; the host's network and gateways
    aside) have an istio-proxy. It is a sidecar of Kubernetes (an init container that always restarts), which starts
    first and stops last; or it is the first container and has a postStart hook, which holds the others back, and a
    preStop hook or EXIT_ON_ZERO_ACTIVE_CONNECTIONS, which outlasts them. One finding a workload, for its first pod.
    Namespaces in ambient mode have no sidecars: noted.
    """
    seen: set[tuple[object, str]] = set()
    for pod in snapshot.of(Pod):
        if pod.finished or pod.metadata.deletion_timestamp or not profile.in_scope(pod.namespace):
            continue
        if mesh.ambient(pod.namespace):
            expect.note(f"namespace {pod.namespace} is in the mesh without sidecars (ambient)")
            continue
        names = [container.name for container in pod.spec.containers or ()]
        if names == [PROXY] or not mesh.injected(pod.namespace, pod.metadata, pod.spec.host_network):
            continue
        wrong, path = _wrong(pod)
        workload = indexes.owner_of(snapshot, pod) or pod.name
        if wrong and (workload, wrong) in seen:
            continue
        seen.add((workload, wrong))
        expect(pod, not wrong, wrong, path=path, value=names)


def _wrong(pod: Pod) -> tuple[str, str]:
    if any(container.name == PROXY for container in pod.spec.sidecars):
        return "", ""
    containers = pod.spec.containers or []
    at = next((number for number, c in enumerate(containers) if c.name == PROXY), None)
    if at is None:
        return "no sidecar: its namespace or its labels ask for one", "spec.containers"
    path = f"spec.containers[{at}].lifecycle"
    hooks = containers[at].lifecycle
    if at != 0 or hooks is None or hooks.post_start is None:
        return "the application may start before its sidecar", f"{path}.postStart"
    if hooks.pre_stop is None and not _outlasts(containers[at]):
        return "the sidecar stops while the application still answers", f"{path}.preStop"
    return "", ""


def _outlasts(proxy: Container) -> bool:
    return any(each.name == "EXIT_ON_ZERO_ACTIVE_CONNECTIONS" and each.value == "true" for each in proxy.env or ())
