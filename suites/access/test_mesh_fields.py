"""Words that Istio doesn't know: taken without complaint, and without effect."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.mesh_fields import OLD_KINDS, OTHER_KINDS, READ, old, strangers
from fixtures.snapshot.snapshot import Snapshot


@control(
    "ACC-32",
    "Objects of the mesh use no field or kind that is gone or unknown",
    severity="low",
    reason="The API server drops a field that it doesn't know: the policy that it was to be is not there.",
    remedy="Write what the message says instead; look unknown ones up in the reference of the Istio version that runs.",
    source="S3-12, S3-26",
)
def test_known_fields(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """VirtualServices, DestinationRules, ServiceEntries, PeerAuthentications and AuthorizationPolicies in scope: no
    field or value with a successor (consecutiveErrors, mirrorPercent, LEAST_CONN …) occurs in them. In manifests no
    field that Istio's API has not either (a cluster has dropped those already), and no kind in a group of Istio's that
    it doesn't have, MeshConfig among them.
    """
    for kind, shape in READ.items():
        for each in snapshot.of(kind):
            if not profile.in_scope(each.namespace):
                continue
            clean = True
            for path, value, instead in old(each.spec):
                clean = expect(each, False, f"deprecated or gone; use {instead}", path=path, value=value)
            for path in strangers(each.spec, shape) if not snapshot.live else ():
                clean = expect(each, False, "Istio has no such field", path=path)
            if clean:
                expect(each, True)
    for other in snapshot.others:
        group = other.api_version.rpartition("/")[0]
        if group.endswith(".istio.io") and other.kind not in OTHER_KINDS:
            instead = f"; use {OLD_KINDS[other.kind]}" if other.kind in OLD_KINDS else ""
            expect(other, False, f"Istio has no kind {other.kind}{instead}", path="kind", value=other.kind)
