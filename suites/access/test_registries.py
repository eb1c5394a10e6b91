"""Registries: where programs look each other up when they don't use DNS."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.registries import DEFAULTS_S, QUORUM, Registries


@control(
    "ACC-11",
    "Service registries keep a quorum, and forget the dead within the recovery budget",
    severity="high",
    reason="Without its registry no service finds another; and what it still lists after dying is called in vain.",
    remedy="Run three or five members as one cluster, and shorten the heartbeat's expiry at server or client.",
    source="S0-28, S0-29",
)
def test_registries(registries: Registries, profile: Profile, expect: Expect) -> None:
    """Workloads of Consul, ZooKeeper, etcd and Nacos (by image, in scope; several of one pod each in a namespace count
    together): at least the profile's `access.min_registry_members` members, odd in number, and no setting that keeps
    them apart (standalone, -dev). Eureka's peers: at least `min_replicas`. What environment variables and ConfigMaps
    say about the expiry of heartbeats and sessions is at most `recovery_budget_s`; for Consul, Nacos and Eureka it is
    uncertain where nothing says so, since each instance may choose its own.
    """
    stated = set()
    for beat in registries.heartbeats():
        stated.add(beat.product)
        if beat.seconds is None:
            expect.uncertain(beat.subject, f"{beat.path}: {beat.value!r} is no duration that can be read")
            continue
        budget = profile.recovery_budget_s
        message = f"{beat.product} keeps an instance for {beat.seconds:g} s after it went silent; {budget:g} s allowed"
        expect(beat.subject, beat.seconds <= budget, message, path=beat.path, value=beat.value)

    for registry in registries.all():
        members, workload = registry.members, registry.workload
        path, value = workload.replicas_evidence
        wanted = profile.access.min_registry_members if registry.product in QUORUM else profile.min_replicas
        message = f"{registry.product} has {members} member(s), wanted {wanted}"
        if expect(workload, members >= wanted, message, path=path, value=value) and registry.product in QUORUM:
            message = f"{members} members of {registry.product} survive no more losses than {members - 1}"
            expect(workload, members % 2, message, path=path, value=value)
        message = f"{registry.alone} keeps its members from forming a cluster"
        expect(workload, not registry.alone, message, path=registry.parts[0].path, value=registry.alone)
        default = DEFAULTS_S.get(registry.product)
        if default is not None and registry.product not in stated:
            expect.uncertain(
                workload, f"nothing says when heartbeats expire; {registry.product}'s default: {default} s"
            )
