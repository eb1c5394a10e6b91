"""The control plane: enough of it, complete, and kept running."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import (
    API_SERVER,
    COMPONENTS,
    CONTROLLER_MANAGER,
    ETCD,
    SCHEDULER,
    ControlPlane,
)
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.base import Metadata
from fixtures.snapshot.services import Services

SYSTEM_CRITICAL = 2_000_000_000  # the least priority of system-cluster-critical; system-node-critical has 1000 more


@control(
    "SYS-01",
    "At least three control-plane nodes are Ready",
    severity="high",
    live=True,
    reason="etcd needs a majority: of three members one may be lost, of two or one none.",
    remedy="Join control planes until there are three, on machines that don't fail together; repair the NotReady ones.",
    source="S0-8",
)
def test_three_control_planes(control_plane: ControlPlane, profile: Profile, expect: Expect) -> None:
    """Nodes labelled node-role.kubernetes.io/control-plane (or master) whose Ready condition is True, counted against
    the profile's `min_control_planes`. Not applicable where a provider runs the control plane; unknown where no node
    carries the label.
    """
    nodes = control_plane.nodes
    ready = [node.name for node in nodes if node.ready]
    missing = [node.name for node in nodes if not node.ready]
    message = f"{len(ready)} of {profile.min_control_planes} wanted control planes are Ready"
    if missing:
        message += f"; not Ready: {', '.join(missing)}"
    enough = len(ready) >= profile.min_control_planes
    expect("cluster", enough, message, path="nodes[control-plane].status.conditions[Ready]", value=ready)


@control(
    "SYS-02",
    "Every control-plane node runs API server, controller-manager and scheduler, and etcd where it is stacked",
    severity="high",
    live=True,
    reason="A control plane that lacks a component is no standby: when the others fail, it can't take over.",
    remedy="Join the node again with kubeadm, or look at why the component's static pod on it is not Ready.",
    source="S0-8, S0-9",
)
def test_every_component_on_every_control_plane(control_plane: ControlPlane, expect: Expect) -> None:
    """For each control-plane node and each component there is a Ready pod in kube-system on that node. etcd counts
    when an etcd pod runs on any of them, or an API server asks an etcd at its own node's address. Unknown where no
    component runs as a pod (k3s).
    """
    wanted = [API_SERVER, CONTROLLER_MANAGER, SCHEDULER, *([ETCD] if control_plane.stacked else [])]
    for node in control_plane.nodes:
        for component in wanted:
            pods = [pod for pod in control_plane.pods(component) if pod.spec.node_name == node.name]
            state = "is not Ready" if pods else "does not run"
            expect(node, any(pod.ready for pod in pods), f"{component} {state} on it", path="pods", value=component)


@control(
    "SYS-03",
    "At least two API servers stand behind the kubernetes Service",
    severity="high",
    live=True,
    reason="Whatever runs in the cluster reaches the API through this Service; with one server behind it, it is one.",
    remedy="Run more API servers; look at each one's --advertise-address, which must differ, and at its readiness.",
    source="S0-13",
)
def test_two_api_servers(control_plane: ControlPlane, services: Services, profile: Profile, expect: Expect) -> None:
    """Distinct ready addresses in the EndpointSlices of default/kubernetes, against the profile's `min_api_servers`.
    A provider's single address is probably its balancer: what stands behind it can't be seen, so that is unknown.
    """
    service = Service(kind="Service", metadata=Metadata(name="kubernetes", namespace="default"))
    addresses = sorted(e.addresses[0] for e in services.ready_endpoints(service) if e.addresses)
    if control_plane.hidden and len(addresses) == 1:
        expect.unknown(f"one address, {addresses[0]}: the provider's balancer, or its only API server")
    message = f"{len(addresses)} API server(s), wanted {profile.min_api_servers}"
    expect(service, len(addresses) >= profile.min_api_servers, message, path="endpoints", value=addresses)


@control(
    "SYS-08",
    "Control-plane components are restarted when they fail, and never evicted",
    severity="medium",
    live=True,
    reason="A component that hangs, or is evicted under pressure, must come back without anyone's help.",
    remedy="Run it as a static pod with livenessProbe, startupProbe and priorityClassName system-node-critical.",
    source="S0-18",
)
def test_components_are_kept_running(control_plane: ControlPlane, expect: Expect) -> None:
    """Each pod of a control-plane component is a static pod (mirror annotation, or owned by its Node) or has a
    controller, restarts always, has a liveness and a startup probe, and a priority of the system-critical classes.
    """
    control_plane.nodes  # noqa: B018 - not applicable where they are a provider's
    for component in COMPONENTS:
        for pod in control_plane.pods(component):
            kept = pod.static or pod.controller is not None
            expect(pod, kept, "neither a static pod nor managed by a controller", path="metadata.ownerReferences")
            restarts = pod.spec.restart_policy
            expect(pod, restarts == "Always", f"restarts {restarts}", path="spec.restartPolicy", value=restarts)
            for container in (pod.spec.containers or ())[:1]:
                has = {"livenessProbe": container.liveness_probe, "startupProbe": container.startup_probe}
                for probe, found in has.items():
                    path = f"spec.containers[0].{probe}"
                    expect(pod, found is not None, f"container {container.name} has no {probe}", path=path)
            critical = (pod.spec.priority or 0) >= SYSTEM_CRITICAL
            named = pod.spec.priority_class_name in ("system-node-critical", "system-cluster-critical")
            message = "its priority is not system-critical: under pressure it may be evicted"
            value = pod.spec.priority_class_name or pod.spec.priority
            expect(pod, critical or named, message, path="spec.priorityClassName", value=value)
