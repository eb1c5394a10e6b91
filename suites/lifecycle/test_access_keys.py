"""Keys and rights: what is stolen opens little, and not for long."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import argocd, keys, kubevela, rights
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workload, Workloads

DELIVERERS = ("flux", "argocd")
"""`app.kubernetes.io/part-of` of what must be able to make anything, because that is its work."""
AGENTS = "open-cluster-management"


@control(
    "LCM-05",
    "No key is kept that never expires or opens a whole cluster, and no workload may do everything",
    severity="high",
    reason="A pipeline or a pod that is broken into gives away whatever its keys open, for as long as they are valid.",
    remedy="Use short-lived tokens (TokenRequest, OIDC), let clusters pull, and name the verbs and resources of roles.",
    source="S1-3, S1-9, S1-11, S3-20",
)
def test_keys_and_rights(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """In the namespaces in scope: no Secret holds a service account's token (annotation kubernetes.io/service-account.
    name, or its type); none holds the credentials of a cluster (labels of Argo CD and KubeVela, names in
    `lifecycle.cluster_keys`), except those that are rotated, and of clusters that this one provisions itself. No
    service account that a workload uses is bound to cluster-admin, or to a rule that may write every resource (`*`) of
    Kubernetes' own API groups; directly or as one of a group of accounts. What delivers applications (Argo CD, Flux,
    KubeVela, the agents of Open Cluster Management) is accepted, and said. A role that manifests don't show is unknown.
    """
    _keys(snapshot, profile, expect)
    seen: set[tuple[str, str]] = set()
    for workload in workloads.all():
        account = workload.spec.service_account_name or "default"
        found = rights.of(snapshot, workload.namespace, account)
        expect(workload, True)
        if found and _delivers(workload):
            expect.note(f"{workload.reference} delivers applications, so it may make anything")
            continue
        if (workload.namespace, account) not in seen:
            seen.add((workload.namespace, account))
            for grant in found:
                _everything(workload, account, grant, expect)


def _keys(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    try:
        for secret in keys.tokens(snapshot):
            if profile.in_scope(secret.namespace):
                account = secret.annotations.get(keys.TOKEN_OF, "")
                message = f"a token of service account {account or '?'} that never expires"
                expect(secret, False, message, path=f"metadata.annotations[{keys.TOKEN_OF}]", value=account)
        for secret, path in keys.of_clusters(snapshot, profile.lifecycle.cluster_keys):
            if not profile.in_scope(secret.namespace):
                continue
            if keys.PROVISIONED in secret.labels:
                expect.note(f"{secret.reference} opens a cluster that this one provisions")
            else:
                expect(secret, False, "holds the credentials of a whole cluster", path=path, value=secret.name)
    except Unreadable as error:
        expect.uncertain("Secrets", str(error))


def _everything(workload: Workload, account: str, grant: rights.Grant, expect: Expect) -> None:
    who = f"service account {workload.namespace}/{account} (of {workload.reference})"
    if grant.unknown:
        expect.uncertain(grant.binding, f"gives {who} {grant.value}, which these manifests don't show")
        return
    message = f"{who} may do everything: {grant.value}"
    expect(grant.binding, False, message, path=grant.path, value=grant.value)


def _delivers(workload: Workload) -> bool:
    labels = {**workload.pod_labels, **workload.labels}
    if labels.get("app.kubernetes.io/part-of") in DELIVERERS or workload.namespace.startswith(AGENTS):
        return True
    return bool(argocd.part_of(workload) or kubevela.controllers([workload]))
