"""The platform's own services: delivery and configuration must not hang on one pod."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import platform
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-19",
    "Configuration center, registries and CI are redundant themselves",
    severity="medium",
    reason="Without its image registry no node starts a pod anew, without its configuration center no pod can serve.",
    remedy="Run two or more of each, with shared storage; waive what can't (a Jenkins controller) with an owner.",
    source="S0-35, S0-36, S4-18",
)
def test_platform_services(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """Workloads in scope whose image is a configuration center (Nacos, Apollo), a service registry (Eureka), an image
    or artifact registry (Harbor, distribution, Nexus), a CI or Git server (Jenkins, GitLab, Drone, Gitea), a secret
    store or an identity provider: the profile's `min_replicas` at least; where members vote, `lifecycle.min_quorum` and
    an odd number. Runners, what is scaled to zero, and what an operator made are left out. Whether registries of
    services keep their heartbeats is ACC-11's.
    """
    for service in platform.services(workloads.all()):
        workload = service.software.workload
        count = workload.effective_replicas
        path, value = workload.replicas_evidence
        votes = service.software.name in platform.QUORUM
        wanted = profile.lifecycle.min_quorum if votes else profile.min_replicas
        message = f"{service.what} of {count} replica(s), wanted {wanted}"
        if expect(workload, count >= wanted, message, path=path, value=value) and votes:
            message = f"{count} members vote: of an even number half may be cut off, and then nobody decides"
            expect(workload, count % 2 == 1, message, path=path, value=value)
