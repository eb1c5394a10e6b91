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
from fixtures.snapshot.etcd import Etcd
from fixtures.snapshot.leases import Leases, moment
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


@control(
    "SYS-07",
    "Leaders stay: neither Leases nor etcd change hands often",
    severity="medium",
    live=True,
    reason="Each change is seconds without a leader; many of them mean slow disks, slow networks or starved nodes.",
    remedy="Look at the disk latency of etcd (SYS-13), at the CPU of the control planes, and at the leaders' logs.",
    source="S0-16",
)
def test_leaders_stay(
    control_plane: ControlPlane, leases: Leases, etcd: Etcd, profile: Profile, expect: Expect
) -> None:
    """Changes a day: of the Leases of controller-manager, scheduler and cloud-controller-manager, leaseTransitions over
    the Lease's age, against the profile's `max_lease_transitions_per_day`; of etcd, each member's
    etcd_server_leader_changes_seen_total over the time since it started, against `etcd.max_leader_changes_per_day`.
    Ages below one day count as one: the elections of a start are no flapping.
    """
    control_plane.nodes  # noqa: B018 - not applicable where they are a provider's
    taken = leases.snapshot.taken
    for component in ELECTED:
        lease = leases.named(NAMESPACE, component)
        if lease is None:
            continue
        made = moment(lease.metadata.creation_timestamp)
        days = max(1.0, (taken - made).total_seconds() / DAY_S) if made is not None else 1.0
        rate = (lease.spec.lease_transitions or 0) / days
        message = f"changed hands {rate:.1f} times a day, {lease.spec.lease_transitions} times in all"
        enough = rate <= profile.max_lease_transitions_per_day
        expect(lease, enough, message, path="spec.leaseTransitions", value=lease.spec.lease_transitions)
    for pod, samples in etcd.metrics.items():
        changes = samples.get("etcd_server_leader_changes_seen_total")
        started = samples.get("process_start_time_seconds")
        if changes is None or started is None:
            expect.uncertain(f"etcd {pod}", "its metrics don't say how often the leader changed")
            continue
        rate = changes / max(1.0, (taken.timestamp() - started) / DAY_S)
        message = f"has seen the leader change {rate:.1f} times a day"
        enough = rate <= profile.etcd.max_leader_changes_per_day
        expect(f"etcd {pod}", enough, message, path="etcd_server_leader_changes_seen_total", value=changes)


DAY_S = 86_400.0
