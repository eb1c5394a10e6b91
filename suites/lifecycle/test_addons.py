"""Add-ons that were removed: nothing of them stands in the way."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.extension import APIService, CustomResourceDefinition, ServiceReference
from fixtures.snapshot.monitoring import service
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.webhooks import webhooks


@control(
    "LCM-24",
    "Removed add-ons left nothing behind that blocks",
    severity="medium",
    live=True,
    reason="A webhook or an API whose server is gone refuses writes, or keeps every namespace from being deleted.",
    remedy="Delete the webhook configuration or APIService; remove the custom objects, then the finalizer of the kind.",
    source="S1-24",
)
def test_nothing_left_behind(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Every admission webhook that points to a Service finds it, unless its failurePolicy is Ignore (said, not judged:
    it only delays). Every APIService's Service is there. No kind (CustomResourceDefinition) has been in deletion for
    longer than `lifecycle.stuck_s`: its objects wait for a controller that is gone. Servers that are there and don't
    answer are SYS-23's and SYS-24's.
    """
    for configuration, number, webhook in webhooks(snapshot):
        target = webhook.client_config.service
        if target is None:
            continue
        path = f"webhooks[{number}].clientConfig.service"
        there = service(snapshot, target.namespace, target.name) is not None
        if not there and webhook.failure_policy == "Ignore":
            expect.note(
                f"{configuration.reference}: Service {target.namespace}/{target.name} of {webhook.name} is gone"
            )
            continue
        _there(configuration, target, there, f"webhook {webhook.name} refuses every request", path, expect)
    for api in snapshot.of(APIService):
        target = api.spec.service
        if target is not None:
            there = service(snapshot, target.namespace, target.name) is not None
            _there(
                api,
                target,
                there,
                "discovery of its group fails, so no namespace can be deleted",
                "spec.service",
                expect,
            )
    for kind in snapshot.of(CustomResourceDefinition):
        since = moment(kind.metadata.deletion_timestamp)
        age = 0.0 if since is None else (snapshot.taken - since).total_seconds()
        finalizers = kind.metadata.finalizers
        message = f"is in deletion since {age / 60:.0f} min: objects of it remain, and nobody finishes them"
        stuck = age > profile.lifecycle.stuck_s
        expect(kind, not stuck, message, path="metadata.deletionTimestamp", value=finalizers)


def _there(subject: Object, target: ServiceReference, there: bool, harm: str, path: str, expect: Expect) -> None:
    name = f"{target.namespace}/{target.name}"
    expect(subject, there, f"Service {name} is not there: {harm}", path=path, value=name)
