"""Drift: the cluster is what its manifests say, and what was to go is gone."""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import drift, indexes
from fixtures.snapshot.decode import LAST_APPLIED
from fixtures.snapshot.kinds import ALL
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.cluster import Namespace, Secret
from fixtures.snapshot.snapshot import Snapshot, Unreadable

REPLICAS = "spec.replicas"


@control(
    "LCM-21",
    "Nothing is stuck in deletion, and nothing differs from the manifest it was applied from",
    severity="medium",
    live=True,
    reason="What was changed by hand is undone by the next delivery, or by the rebuild after a disaster.",
    remedy="Put the change into the manifest, or apply it again; find out who should have removed the finalizer.",
    source="S1-2, S1-6, S1-5",
)
def test_no_drift(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Objects in scope, of every kind that is read. None has been in deletion for longer than `lifecycle.stuck_s`; of a
    namespace its conditions say why. Those with a last-applied manifest (kubectl apply, Argo CD) still have every field
    that it names, as far as controls know the field: lists are compared by name, quantities by value, spec.replicas not
    where an autoscaler decides it, and certificates and addresses not, which others fill in. Fields that the manifest
    leaves out are nobody's. Of Secrets only the deletion is judged, where they may be listed.
    """
    scaled = _scaled(snapshot)
    for subject in _objects(snapshot, profile, expect):
        expect(subject, True)
        metadata = subject.metadata
        if not metadata.deletion_timestamp and not (metadata.annotations and LAST_APPLIED in metadata.annotations):
            continue
        since = moment(metadata.deletion_timestamp)
        if since is not None:
            age = (snapshot.taken - since).total_seconds()
            message = f"is in deletion since {age / 60:.0f} min: {_why(subject)}"
            stuck = age > profile.lifecycle.stuck_s
            value = subject.metadata.finalizers
            expect(subject, not stuck, message, path="metadata.deletionTimestamp", value=value)
            continue
        for difference in drift.differences(subject):
            if difference.path == REPLICAS and (subject.namespace, subject.kind, subject.name) in scaled:
                continue
            message = f"{difference.path} is not what was applied: {_short(difference.applied)}"
            expect(subject, False, message, path=difference.path, value=_short(difference.found))


def _objects(snapshot: Snapshot, profile: Profile, expect: Expect) -> Iterator[Object]:
    for kind in ALL:
        try:
            found = snapshot.of(kind.model)
        except Unreadable as error:
            if kind.model is Secret:
                expect.note(str(error))
            else:
                expect.uncertain(kind.plural, str(error))
            continue
        yield from (each for each in found if profile.in_scope(each.namespace))


def _scaled(snapshot: Snapshot) -> set[indexes.Key]:
    """What an autoscaler gives its replicas."""
    try:
        return set(snapshot.derive(indexes.autoscalers))
    except Unreadable:
        return set()


def _why(subject: Object) -> str:
    if isinstance(subject, Namespace):
        said = [c.message for c in subject.status.conditions or () if c.status == "True" and c.message]
        if said:
            return "; ".join(said)
    finalizers = subject.metadata.finalizers or []
    return f"finalizer {', '.join(finalizers)}" if finalizers else "nobody finishes it"


def _short(value: object) -> object:
    text = str(value)
    return value if len(text) <= 200 else f"{text[:200]}…"
