"""Environments apart: what happens in one does not reach the other."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import isolation
from fixtures.snapshot.model.cluster import Namespace
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "LCM-06",
    "Environments are kept apart: namespace, identity, network and configuration are their own",
    severity="medium",
    reason="A mistake, a flood or an intruder in one environment reaches every other that shares anything with it.",
    remedy="Give each environment a namespace, its own service accounts, ConfigMaps, and a default-deny NetworkPolicy.",
    source="S1-8, S3-14, S4-37",
)
def test_environments_are_apart(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For every namespace in scope with workloads: it is not `default`; some NetworkPolicy selects all its pods for
    ingress and lets in nothing, or only what it names (Cilium's or Calico's own kinds alone: unknown). No workload
    gets a token of the namespace's `default` service account: it names its own, or mounts none. And all that says which
    environment it is for (keys and variables such as ENV or SPRING_PROFILES_ACTIVE, labels env and environment) says
    the same one throughout the namespace.
    """
    found: dict[str, list[Workload]] = {}
    for workload in workloads.all():
        found.setdefault(workload.namespace, []).append(workload)
    named = {each.name: each for each in snapshot.of(Namespace)}
    for namespace, members in found.items():
        subject = named.get(namespace) or f"Namespace {namespace}"
        message = f"{len(members)} workload(s) run in the namespace that every environment shares"
        expect(subject, namespace != isolation.SHARED, message, path="metadata.name", value=namespace)
        if not isolation.denied(snapshot, namespace):
            other = isolation.other_policies(snapshot, namespace)
            if other:
                expect.uncertain(subject, f"no NetworkPolicy denies by default; whether {other} does is not judged")
            else:
                expect(subject, False, "no NetworkPolicy denies what nothing allows", path="NetworkPolicy")
        for workload in members:
            shares = isolation.shares_identity(snapshot, workload)
            message = "shares the service account `default`, and gets its token"
            path = f"{workload.template_path}.spec.serviceAccountName"
            expect(workload, not shares, message, path=path, value=workload.spec.service_account_name)
    every = [workload for members in found.values() for workload in members]
    for namespace, said in isolation.stages(snapshot, every).items():
        if profile.in_scope(namespace):
            _one_stage(namespace, said, expect)


def _one_stage(namespace: str, said: list[isolation.Stage], expect: Expect) -> None:
    names = sorted({each.name for each in said})
    message = f"namespace {namespace} holds {' and '.join(names)}"
    first = {each.name: each for each in reversed(said)}  # one object for each environment is evidence enough
    for each in first.values():
        expect(each.object, len(names) == 1, f"{message}; this is for {each.name}", path=each.path, value=each.value)
