"""Names: the first thing that every call needs is an address."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.dns import ClusterDNS
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.snapshot import Snapshot

CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


@control(
    "ACC-10",
    "Every pod of the cluster's DNS answers rightly and in time",
    severity="high",
    live=True,
    reason="Services are found by name: slow or failing DNS is an outage of everything that calls anything.",
    remedy="Look at the pod's log and CPU (is it throttled?), at the forward plugin's upstreams, and at its Corefile.",
    source="S0-28",
)
def test_dns_answers(dns: ClusterDNS, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each Ready pod behind kube-system's kube-dns Service is asked five times, over TCP through a port-forward, for
    kubernetes.default.svc in the cluster's domain. It answers, with the address of that Service, and the median time,
    in which the way through API server and kubelet is included, is within the profile's `access.max_dns_s`. Unknown
    where pods/portforward is not allowed.
    """
    asked = dns.asked
    api = [s for s in snapshot.of(Service) if (s.namespace, s.name) == ("default", "kubernetes")]
    right = {address for service in api for address in service.addresses}
    for answer in asked.answers:
        pod = f"Pod kube-system/{answer.pod}"
        if answer.refused:
            expect.uncertain(pod, answer.refused)
            continue
        path = f"dns[{asked.name}]"
        if not expect(pod, not answer.error, answer.error, path=path):
            continue
        code = CODES.get(answer.code, str(answer.code)) if answer.code else "no address"
        said = ", ".join(answer.addresses) or code
        message = f"it answers {said}, not {', '.join(sorted(right))}"
        if expect(pod, right.intersection(answer.addresses), message, path=path, value=said):
            took = answer.typical_s
            message = f"an answer takes {took * 1000:.0f} ms, allowed are {profile.access.max_dns_s * 1000:.0f} ms"
            expect(pod, took <= profile.access.max_dns_s, message, path=path, value=took)
