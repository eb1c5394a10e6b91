"""Identity in the mesh: who is on the other end, and who may call."""

from __future__ import annotations

import re

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.mesh import Mesh
from fixtures.snapshot.mesh_installation import accounts
from fixtures.snapshot.model.istio import AuthorizationPolicy, PeerAuthentication
from fixtures.snapshot.model.rbac import ServiceAccount
from fixtures.snapshot.sight import in_sight
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads

_PRINCIPAL = re.compile(r"^([^/]+)/ns/([^/]+)/sa/([^/]+)$")


@control(
    "ACC-29",
    "Mutual TLS is demanded in the whole mesh",
    severity="medium",
    reason="Where it is not STRICT, anything in the network may call a service in plain text, without a name.",
    remedy="Make a PeerAuthentication named default with mode STRICT and no selector in the mesh's root namespace; or "
    "set the profile's mesh.mtls to namespace, and make one in each.",
    source="S3-18",
)
def test_strict_mutual_tls(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """A PeerAuthentication without selector in the profile's `mesh.root_namespace` has mode STRICT. Where there is
    none, each one that is STRICT for a namespace is a finding, since it holds for that namespace alone, unless the
    profile's `mesh.mtls` is namespace: then each namespace with meshed workloads has one. What is PERMISSIVE or DISABLE
    for a namespace, a workload or a port is a finding always. Unknown on manifests without the root namespace and
    without any that is STRICT.
    """
    if not mesh.present:
        expect.not_applicable("nothing here speaks of a mesh")
    everything = snapshot.of(PeerAuthentication)
    root = profile.mesh.root_namespace
    for each in everything:
        if profile.in_scope(each.namespace) or each.namespace == root:
            loose = each.mode in ("PERMISSIVE", "DISABLE")
            expect(each, not loose, f"it allows plain text: {each.mode}", path="spec.mtls.mode", value=each.mode)
            for port, tls in (each.declared.port_level_mtls or {}).items():
                loose = tls.mode in ("PERMISSIVE", "DISABLE")
                path = f"spec.portLevelMtls[{port}].mode"
                expect(each, not loose, f"port {port} allows plain text: {tls.mode}", path=path, value=tls.mode)
    if any(each.namespace == root and each.of_namespace and each.mode == "STRICT" for each in everything):
        return
    strict = {each.namespace: each for each in everything if each.of_namespace and each.mode == "STRICT"}
    if profile.mesh.mtls == "namespace":
        for namespace in sorted({workload.namespace for workload in mesh.meshed()}):
            message = "no PeerAuthentication with mode STRICT is for it"
            expect(f"Namespace {namespace}", namespace in strict, message, path="spec.mtls.mode")
        return
    for namespace, each in strict.items():
        message = f"it holds for {namespace} alone, and none with mode STRICT is in {root}"
        expect(each, False, message, path="metadata.namespace", value=namespace)
    if not strict and not in_sight(snapshot, root):
        expect.uncertain("mesh", f"nothing of {root} is to be seen, where what holds for all of it would stand")
    elif not strict:
        expect("mesh", False, f"no PeerAuthentication with mode STRICT is in {root}", path="spec.mtls.mode")


@control(
    "ACC-30",
    "The principals that AuthorizationPolicies name exist",
    severity="medium",
    reason="A policy that allows a caller who doesn't exist allows nobody: its workload refuses everyone.",
    remedy="Name the caller's namespace and service account: cluster.local/ns/NAMESPACE/sa/ACCOUNT.",
    source="S3-19",
)
def test_principals_exist(mesh: Mesh, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each exact principal in the sources of an AuthorizationPolicy in scope has the form DOMAIN/ns/NAMESPACE/sa/NAME
    and names a ServiceAccount that exists (default always does; on manifests also one that a workload runs as, or that
    an IstioOperator makes for a gateway). Each exact namespace exists too. Patterns with * and other trust domains are
    left out; in manifests, a namespace that they have nothing of is out of sight.
    """
    known = {(a.namespace, a.name) for a in snapshot.of(ServiceAccount)}
    if not snapshot.live:
        everywhere = Workloads(snapshot, profile).everywhere()
        known |= {(w.namespace, w.spec.service_account_name) for w in everywhere} | accounts(snapshot)
    for policy in snapshot.of(AuthorizationPolicy):
        if not profile.in_scope(policy.namespace):
            continue
        for number, rule in enumerate(policy.declared.rules or ()):
            for at, origin in enumerate(rule.from_ or ()):
                path = f"spec.rules[{number}].from[{at}].source"
                for principal in origin.source.principals or ():
                    _principal(policy, f"{path}.principals", principal, known, mesh, snapshot, expect)
                for namespace in origin.source.namespaces or ():
                    if "*" not in namespace and snapshot.live:
                        message = f"there is no namespace {namespace}"
                        exists = namespace in mesh.namespaces
                        expect(policy, exists, message, path=f"{path}.namespaces", value=namespace)


def _principal(
    policy: AuthorizationPolicy,
    path: str,
    principal: str,
    known: set[tuple[str, str]],
    mesh: Mesh,
    snapshot: Snapshot,
    expect: Expect,
) -> None:
    if "*" in principal:
        return
    match = _PRINCIPAL.match(principal)
    if match is None:
        expect(policy, False, f"{principal} has not the form DOMAIN/ns/NAMESPACE/sa/NAME", path=path, value=principal)
        return
    domain, namespace, account = match.groups()
    if domain not in ("cluster.local", mesh.trust_domain):
        expect.note(f"{policy.reference}: {principal} is of another mesh")
    elif not in_sight(snapshot, namespace):
        expect.note(f"{policy.reference}: {principal} is out of sight")
    else:
        there = (namespace, account) in known or (account == "default" and not snapshot.live)
        message = f"there is no ServiceAccount {namespace}/{account}"
        expect(policy, there, message, path=path, value=principal)
