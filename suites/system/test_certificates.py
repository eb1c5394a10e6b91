"""Certificates: the outage that is known a year ahead."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.leases import moment
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.extension import APIService
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.webhooks import webhooks

DAY_S = 86_400.0
NOT_ROTATING = 1e15  # a kubelet without rotation reports an infinite time


@control(
    "SYS-17",
    "Certificates are valid for another thirty days",
    severity="high",
    live=True,
    reason="When one expires, components stop trusting each other at the same second, on every node.",
    remedy="kubeadm certs renew all, then restart the static pods; turn on the kubelets' rotation; have what "
    "issued a webhook's certificate renew it.",
    source="F-23, S1-21",
)
def test_certificates_are_valid(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """The end of validity, against the profile's `min_certificate_days`: of the serving certificates of the API
    endpoint and of every API server, controller-manager, scheduler and etcd, as seen in a handshake; of the kubelets'
    client and serving certificates, by their metrics; of the CA bundles of webhooks and aggregated APIs, of which one
    that is still valid is enough. Client certificates in files on nodes are out of sight, as are the serving ones of
    components that could not be reached: noted.
    """
    seen = snapshot.ask("certificates")
    for entry in seen.get("certificates", ()):
        until = moment(entry["not_after"])
        if until is not None:
            _judge(f"certificate of {entry['owner']}", until, entry["what"], snapshot, profile, expect)
    for node, gauges in (seen.get("kubelets") or {}).items():
        for gauge, left_s in gauges.items():
            if left_s < NOT_ROTATING:
                days = left_s / DAY_S
                message = f"expires in {days:.0f} days"
                expect(f"kubelet {node}", days >= profile.min_certificate_days, message, path=gauge, value=round(days))
    for found in bundles(snapshot):
        latest = max(found[2], default=None)
        if latest is not None:
            _judge(found[0], latest, found[1], snapshot, profile, expect)
    for reason in seen.get("unseen", ()):
        expect.note(f"not seen: {reason}")


def _judge(
    subject: Object | str, until: datetime, what: str, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    days = (until - snapshot.taken).total_seconds() / DAY_S
    message = f"expires on {until:%Y-%m-%d}, in {days:.0f} days" if days > 0 else f"expired on {until:%Y-%m-%d}"
    expect(subject, days >= profile.min_certificate_days, message, path=what, value=until.isoformat())


def bundles(snapshot: Snapshot) -> list[tuple[Object, str, list[datetime]]]:
    """Owner, path and ends of validity of each CA bundle that the API server trusts a webhook or an API by."""
    found: list[tuple[Object, str, list[datetime]]] = []
    for configuration, number, webhook in snapshot.derive(webhooks):
        path = f"webhooks[{number}].clientConfig.caBundle"
        found.append((configuration, path, ends(webhook.client_config.ca_bundle)))
    found += [(api, "spec.caBundle", ends(api.spec.ca_bundle)) for api in snapshot.of(APIService)]
    return found


def ends(bundle: str | None) -> list[datetime]:
    """When the certificates of a base64 PEM bundle end; none for a bundle that holds none."""
    if not bundle:
        return []
    from cryptography import x509  # takes a while to load, and most clusters' webhooks are few

    try:
        pem = base64.b64decode(bundle, validate=True)
        return [c.not_valid_after_utc for c in x509.load_pem_x509_certificates(pem)]
    except (binascii.Error, ValueError):
        return []
