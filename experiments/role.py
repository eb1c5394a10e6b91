"""The rights that faults need on any cluster: what they declare, and no more. Shipped as deploy/rbac/disruptor.yaml."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from experiments.controls.safety import OWN
from experiments.faults import catalogue
from experiments.faults.fault import Fault
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.preflight import Permission

NAME = "evenkeel-disruptor"
RBAC = "rbac.authorization.k8s.io"
_HEAD = """\
# What `evenkeel chaos run` may do in a cluster, to an application in namespace {app}, beside what every user may.
# Generated: evenkeel chaos role{asked} > deploy/rbac/disruptor.yaml
#
# Exactly what these faults declare, and what the runner itself does (it keeps its Lease and its probes' ConfigMaps in
# the namespace evenkeel): {faults}.
# For fewer faults, or another application: evenkeel chaos role F-01 --app NAMESPACE/DEPLOYMENT
# The audits before and after each fault read more: bind evenkeel-auditor (auditor.yaml) to the same account.
"""


def everywhere() -> list[Fault]:
    """The faults that need nothing but the API: those that the shipped role is for."""
    return [fault for fault in catalogue.every().values() if not fault.needs]


def documents(faults: Sequence[Fault], app_namespace: str) -> list[dict[str, Any]]:
    """Namespace and service account, then one role and its binding for each namespace, and one for the cluster."""
    by_namespace: dict[str, list[Permission]] = defaultdict(list)
    for permission in dict.fromkeys([*OWN, *(p for fault in faults for p in fault.permissions)]):
        settled = permission.within(app_namespace)
        by_namespace[settled.namespace].append(settled)
    made: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": _ground()},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
    ]
    whole = by_namespace.pop("", [])
    for namespace, permissions in [("", whole), *sorted(by_namespace.items())]:
        beyond = [p for p in permissions if p not in whole and _anywhere(p) not in whole]
        if beyond or not namespace:
            made += _role(namespace, beyond or permissions)
    return made


def text(faults: Sequence[Fault], app_namespace: str, asked: str = "") -> str:
    """The file, with a head that says what it is for."""
    head = _HEAD.format(app=app_namespace, asked=asked, faults=", ".join(fault.id for fault in faults))
    return head + yaml.safe_dump_all(documents(faults, app_namespace), sort_keys=False, explicit_start=True)


def rules(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """One rule for resources of one group with the same verbs, so that none grants more than was asked for."""
    verbs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in permissions:
        verbs[one.group, one.resource, one.name].add(one.verb)
    resources: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, name), allowed in verbs.items():
        resources[group, name, tuple(sorted(allowed))].append(resource)
    return [
        {
            "apiGroups": [group],
            "resources": sorted(together),
            **({"resourceNames": [name]} if name else {}),
            "verbs": list(allowed),
        }
        for (group, name, allowed), together in sorted(resources.items())
    ]


def _anywhere(permission: Permission) -> Permission:
    return Permission(permission.verb, permission.resource, permission.group)


def _ground() -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "evenkeel", "pod-security.kubernetes.io/enforce": "restricted"}
    return {"name": NAMESPACE, "labels": labels}


def _role(namespace: str, permissions: Sequence[Permission]) -> list[dict[str, Any]]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": NAME, **({"namespace": namespace} if namespace else {})}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules(permissions)},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": dict(metadata),
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
    ]
