"""Controllers that users run: of several replicas one acts, the others wait."""

from __future__ import annotations

import re

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.leases import Leases
from fixtures.snapshot.model.workload import Deployment, StatefulSet
from fixtures.snapshot.permissions import Permissions, by_account
from fixtures.snapshot.shutdown import settings
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads

_NAMED = re.compile(
    r"(^|[-.])(controller|controller-manager|operator|manager|provisioner|autoscaler|scheduler|reconciler|attacher"
    r"|resizer|snapshotter|descheduler)s?($|[-.])"
)
_ELECTION = re.compile(r"leader[-_]?elect", re.IGNORECASE)


@control(
    "APP-31",
    "Of a controller's replicas one is elected to act",
    severity="medium",
    reason="Controllers that act at the same time undo each other's work, or do it twice.",
    remedy="Switch leader election on (--leader-elect), and allow get, create, update on leases.coordination.k8s.io.",
    source="S0-15, S0-16",
)
def test_controllers_elect(workloads: Workloads, leases: Leases, snapshot: Snapshot, expect: Expect) -> None:
    """A controller is a Deployment or StatefulSet whose service account may watch objects and change some (beside
    leases and events), and that is named as one or has no Service. With two or more replicas, no flag or variable about
    leader election says false, and its account may update Leases, or one of its pods holds one. Named as a controller,
    with an account whose bindings are not in the manifests: unknown. What shards its work by replica is for a waiver.
    """
    accounts = snapshot.derive(by_account)
    held = [lease.spec.holder_identity or "" for lease in leases.elections()]
    for workload in workloads.serving():
        if not isinstance(workload.object, Deployment | StatefulSet) or workload.effective_replicas < 2:
            continue
        account = workload.spec.service_account_name or "default"
        may = accounts.get((workload.namespace, account), Permissions())
        named = bool(_NAMED.search(workload.name))
        if not may.controls:
            bound_elsewhere = not may.rules or bool(may.unseen)
            if named and not snapshot.live and account != "default" and bound_elsewhere:
                missing = ", ".join(may.unseen) or "its bindings"
                expect.uncertain(workload, f"what account {account} may do isn't in these manifests: {missing}")
            continue
        if workload.services and not named:
            continue
        off = _switched_off(workload)
        path = f"{workload.template_path}.spec"
        if not expect(
            workload, not off, f"leader election is switched off: {off}", path=f"{path}.containers", value=off
        ):
            continue
        elected = may.allows(("update", "patch"), "coordination.k8s.io", "leases") or _holds(workload, held)
        message = (
            f"{workload.effective_replicas} replicas, and account {account} may not write the Lease of an election"
        )
        expect(workload, elected, message, path=f"{path}.serviceAccountName", value=account)


def _switched_off(workload: Workload) -> str:
    for container in workload.spec.running_containers:
        for name, value in settings(container):
            if _ELECTION.search(name) and value.lower() == "false":
                return f"{name}={value}"
    return ""


def _holds(workload: Workload, held: list[str]) -> bool:
    names = [pod.name for pod in workload.pods]
    return any(identity.startswith(name) for identity in held for name in names)
