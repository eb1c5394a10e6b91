"""Leader election: one acts, the others stand by."""

from __future__ import annotations

from collections.abc import Sequence

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import (
    CONTROLLER_MANAGER,
    ELECTED,
    LOOPBACK,
    NAMESPACE,
    SCHEDULER,
    ControlPlane,
    flags,
)
from fixtures.snapshot.leases import Leases
from fixtures.snapshot.model.cluster import Lease
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.nodes import Nodes


@control(
    "SYS-05",
    "Elected components run with leader election, and not against another control plane's API server",
    severity="high",
    live=True,
    reason="Without election two controller-managers act at once; bound to one remote API server they die with it.",
    remedy="Remove --leader-elect=false (the default is true); let --master, or the kubeconfig, name the local API "
    "server or the balanced address.",
    source="S0-15, S0-10",
)
def test_leader_election_is_on(control_plane: ControlPlane, expect: Expect) -> None:
    """The command line of every pod of kube-controller-manager, kube-scheduler and cloud-controller-manager:
    --leader-elect is absent or true; --master, where given, names no other control plane's address. The kubeconfig of
    a static pod is a file on its node that the API does not show; the report notes it. Settings in a --config file
    can't be seen either: with one, and no flag, the election is judged by its Lease alone (SYS-06).
    """
    addresses = {node.name: set(node.addresses) | {node.name} for node in control_plane.nodes}
    for component in ELECTED:
        for pod in control_plane.pods(component):
            given = flags(pod)
            elects = given.get("leader-elect", "true")
            message = "runs without leader election: two of it act at once"
            expect(pod, elects.lower() in ("true", "1", "t"), message, path="--leader-elect", value=elects)
            if "master" in given:
                host = given["master"].partition("://")[2].partition("/")[0].rpartition(":")[0] or given["master"]
                others = set().union(*(a for name, a in addresses.items() if name != pod.spec.node_name))
                remote = host in others and host not in LOOPBACK
                expect(pod, not remote, "works through another control plane's API server", path="--master", value=host)
            elif "kubeconfig" in given:
                expect.note("which API server they use stands in files on their nodes, out of the API's sight")


@control(
    "SYS-06",
    "Every leader is alive and renews its Lease",
    severity="high",
    live=True,
    reason="A Lease that nobody renews means that nobody leads: nothing is scheduled, repaired or reconciled.",
    remedy="Look at the logs of the component's pods; a Lease left behind by something uninstalled can be deleted.",
    source="S0-16, S0-17",
)
def test_leases_are_fresh(
    control_plane: ControlPlane, leases: Leases, nodes: Nodes, profile: Profile, expect: Expect
) -> None:
    """Each Lease that someone holds (heartbeats of nodes and API servers aside) was renewed within its duration, plus
    two seconds for clocks that differ. controller-manager and scheduler must have one, and its holder, known by its
    node's name, must be a Ready pod of theirs. An add-on's Lease outside kube-system that is older than the profile's
    `abandoned_lease_s` was left behind by something uninstalled: noted, no finding.
    """
    for lease in leases.elections():
        age = leases.age_s(lease)
        duration = lease.spec.lease_duration_seconds
        if duration is None:
            continue
        stale = leases.stale(lease)
        old = age is None or age > profile.abandoned_lease_s
        if stale and old and lease.namespace != NAMESPACE:
            expect.note(f"{lease.reference} was left behind: not renewed for {_span(age)}")
            continue
        message = f"not renewed for {_span(age)}, of {duration} s; last held by {lease.spec.holder_identity}"
        expect(lease, not stale, message, path="spec.renewTime", value=lease.spec.renew_time)
    if control_plane.hidden:
        return
    for component in (CONTROLLER_MANAGER, SCHEDULER):
        if not control_plane.pods(component):
            continue
        held = leases.named(NAMESPACE, component)
        if held is None or not held.spec.holder_identity:
            expect(f"Lease {NAMESPACE}/{component}", False, f"no {component} holds it: none leads", path="spec")
        else:
            _holder(held, control_plane.pods(component), nodes, expect)


def _holder(lease: Lease, pods: Sequence[Pod], nodes: Nodes, expect: Expect) -> None:
    """The holder's identity is its host name, an underscore and a random id; a static pod's host is its node's."""
    identity = lease.spec.holder_identity or ""
    host = identity.rpartition("_")[0] or identity
    node = next((n for n in nodes.all() if host in (n.name, n.labels.get("kubernetes.io/hostname"))), None)
    held_by = [p for p in pods if host == p.name or (node is not None and p.spec.node_name == node.name)]
    if node is None and not held_by:
        expect.uncertain(lease, f"its holder {identity} is neither a node nor a pod of its component")
        return
    alive = any(pod.ready for pod in held_by)
    expect(lease, alive, f"its holder {identity} is no Ready pod", path="spec.holderIdentity", value=identity)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "ever"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"
