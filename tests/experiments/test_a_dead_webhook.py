"""A webhook of our own asks about our own pods only, is found beforehand, and is taken away whole. No cluster."""

from __future__ import annotations

import base64
import ssl
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from experiments.checks import seen_meanwhile
from experiments.faults import own_webhook
from experiments.faults.webhook_dead import CREATE, WebhookDead
from experiments.scene import Scene
from fixtures import catalogue
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.expect import Finding
from fixtures.safety.rest import Rest, RestError
from fixtures.verdict import Outcome

FAULT = WebhookDead()
DEAD = "refused: POST …: 500 Internal error occurred: failed calling webhook"


@pytest.mark.parametrize(
    ("endpoints", "creation", "proven"),
    [
        ("none", DEAD, True),
        ("198.18.65.4", DEAD, False),  # it does not answer, but it is there
        ("none", "allowed", False),
        ("none", "refused: POST …: 403 exceeded quota", False),  # for another reason
    ],
)
def test_a_webhook_is_dead_when_nobody_is_behind_it_and_pods_are_refused_for_that(
    endpoints: str, creation: str, proven: bool
) -> None:
    before = {"endpoints of w": "198.18.65.4", "creation of a pod": "allowed"}
    assert FAULT.proven(before, dict(zip(before, (endpoints, creation), strict=True))) is proven


def test_it_is_asked_about_the_creation_of_pods_in_our_own_namespace_and_nothing_else() -> None:
    [webhook] = own_webhook.configuration("w", b"pem")["webhooks"]
    assert webhook["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "evenkeel"}}
    [rule] = webhook["rules"]
    assert (rule["resources"], rule["operations"], rule["scope"]) == (["pods"], ["CREATE"], "Namespaced")
    assert webhook["sideEffects"] == "None"  # else dry runs would be refused, and there would be nothing to measure
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == b"pem"


def test_its_certificate_is_for_its_service_and_its_own_authority() -> None:
    pem, key = own_webhook.certify("w.evenkeel.svc")
    certificate = x509.load_pem_x509_certificate(pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["w.evenkeel.svc"]
    certificate.verify_directly_issued_by(certificate)
    assert load_pem_private_key(key, None).public_key() == certificate.public_key()
    ssl.create_default_context(cadata=pem.decode())


def test_pods_are_asked_for_and_never_made() -> None:
    rest = SimpleNamespace(host="https://api", credentials=lambda: {"Authorization": "Bearer x"})
    [target] = FAULT.probes(cast(Scene, SimpleNamespace(rest=rest)))
    assert (target.kind, target.method) == (CREATE, "POST")
    assert target.url == "https://api/api/v1/namespaces/evenkeel/pods?dryRun=All"
    assert FAULT.stops == {CREATE}


class Api:
    """Answers as told; a second removal finds nothing, as `Rest.delete` has it."""

    def __init__(self, answer: RestError | None = None) -> None:
        self.answer = answer
        self.deleted: list[str] = []

    def request(self, method: str, path: str, query: Any, body: Any, timeout_s: float) -> bytes:
        assert (method, query) == ("POST", {"dryRun": "All"})
        if self.answer:
            raise self.answer
        return b""

    def delete(self, path: str, body: Any = None) -> None:
        self.deleted.append(path.rsplit("/", 2)[-2])


def test_the_webhook_goes_before_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    monkeypatch.setattr(Rest, "of", lambda cluster: api)
    own_webhook.remove(cast(Cluster, object()), "w")
    assert api.deleted == ["validatingwebhookconfigurations", "services", "secrets", "pods"]


def test_silence_is_no_refusal() -> None:
    assert own_webhook.creation(cast(Rest, Api())) == "allowed"
    assert own_webhook.creation(cast(Rest, Api(RestError("POST …: 500 failed calling webhook", 500)))) == DEAD.replace(
        "500 Internal error occurred: ", "500 "
    )
    with pytest.raises(RestError):
        own_webhook.creation(cast(Rest, Api(RestError("no answer"))))


def test_a_server_that_never_gets_ready_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_webhook, "READY_WITHIN_S", 0.0)
    monkeypatch.setattr(own_webhook, "endpoints", lambda rest, webhook: [])
    rest = SimpleNamespace(post=lambda path, body: b"")
    with pytest.raises(ClusterError, match="webhook w has no Ready endpoint after 0 s"):
        own_webhook.stand(cast(Scene, SimpleNamespace(rest=rest)), "w")


@pytest.mark.parametrize(("about", "verdict"), [("webhook-1", "pass"), ("webhook-2", "fail")])
def test_an_audit_beforehand_must_name_this_webhook(about: str, verdict: str) -> None:
    finding = Finding("ValidatingWebhookConfiguration webhook-1", "webhooks[0]", [], "1 Ready endpoint")
    outcome = cast(
        Outcome, SimpleNamespace(control=catalogue.controls()["SYS-23"], findings=[(finding, None)], verdict="")
    )
    found = seen_meanwhile.judge(outcome, about, seen_meanwhile.BEFORE)
    assert (found.name, found.verdict) == ("foreseen-by-SYS-23", verdict)
    assert "before it began" in found.message
