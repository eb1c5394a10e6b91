"""An admission webhook of our own: asked about every pod of our namespace and about nothing else in the cluster."""

from __future__ import annotations

import base64
import datetime
import time
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from experiments.faults import own_pods
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.objects import EndpointSlices
from fixtures.safety.preflight import Permission
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import undoes

ROLE = "webhook"
PORT = 8443
GROUP = "admissionregistration.k8s.io"
CONFIGURATIONS = f"/apis/{GROUP}/v1/validatingwebhookconfigurations"
CORE = f"/api/v1/namespaces/{NAMESPACE}"
PERMISSIONS = (
    *own_pods.PERMISSIONS,
    *(
        Permission(verb, resource, "", NAMESPACE)
        for resource in ("secrets", "services")
        for verb in ("create", "delete")
    ),
    *(Permission(verb, "validatingwebhookconfigurations", GROUP) for verb in ("create", "delete")),
    Permission("list", "endpointslices", "discovery.k8s.io", NAMESPACE),
)
READY_WITHIN_S = 60.0
# Each API server hears of a webhook by itself; the balancer in front leads to one after the other.
IN_A_ROW = 10
# What agnhost's webhook refuses, so that it shows that it was asked.
UNWANTED = {"webhook-e2e-test": "webhook-disallow"}
TIMEOUT_S = 2
CERTIFIED = datetime.timedelta(days=1)


def pod(labels: dict[str, str] | None = None) -> dict[str, Any]:
    """A pod to ask about, which is never made."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "asked-", "labels": labels or {}},
        "spec": own_pods.spec(own_pods.AGNHOST, ["/agnhost", "pause"]),
    }


def creation(rest: Rest, labels: dict[str, str] | None = None) -> str:
    """What becomes of a pod about to be made: "allowed", or "refused: why". Nothing is made. Raises `RestError`."""
    try:
        rest.request("POST", own_pods.PATH, {"dryRun": "All"}, body=pod(labels), timeout_s=TIMEOUT_S + 3.0)
    except RestError as error:
        if not error.status:
            raise
        return f"refused: {error}"
    return "allowed"


def stand(scene: Scene, webhook: str) -> None:
    """Server, Service and certificate; then the configuration, and every API server asks. Raises `ClusterError`."""
    rest = scene.rest
    certificate, key = certify(f"{webhook}.{NAMESPACE}.svc")
    rest.post(
        f"{CORE}/secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": webhook},
            "type": "kubernetes.io/tls",
            "data": {"tls.crt": base64.b64encode(certificate).decode(), "tls.key": base64.b64encode(key).decode()},
        },
    )
    rest.post(
        f"{CORE}/services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": webhook},
            "spec": {"selector": {own_pods.LABEL: ROLE}, "ports": [{"port": 443, "targetPort": PORT}]},
        },
    )
    own_pods.make(rest, webhook, ROLE, _server(webhook))
    _wait("has no Ready endpoint", webhook, lambda: bool(endpoints(rest, webhook)))
    rest.post(CONFIGURATIONS, configuration(webhook, certificate))
    _wait(
        "is not asked by every API server",
        webhook,
        lambda: all("unwanted label" in creation(rest, UNWANTED) for _ in range(IN_A_ROW)),
    )


def configuration(webhook: str, certificate: bytes) -> dict[str, Any]:
    """About the creation of pods in our namespace alone; without an answer they are refused. Pure."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": webhook},
        "webhooks": [
            {
                "name": "admission.evenkeel.dev",
                "failurePolicy": "Fail",
                "timeoutSeconds": TIMEOUT_S,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["pods"],
                        "operations": ["CREATE"],
                        "scope": "Namespaced",
                    }
                ],
                "clientConfig": {
                    "caBundle": base64.b64encode(certificate).decode(),
                    "service": {"namespace": NAMESPACE, "name": webhook, "path": "/pods", "port": 443},
                },
            }
        ],
    }


def endpoints(rest: Rest, webhook: str) -> list[str]:
    """The Ready addresses behind it. Raises `RestError`."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
    slices = rest.get(path, EndpointSlices, {"labelSelector": f"kubernetes.io/service-name={webhook}"}).items
    ready = [e for s in slices for e in s.endpoints or () if e.conditions.ready is not False]
    return sorted(address for e in ready for address in e.addresses or ())


@undoes
def remove(cluster: Cluster | None, webhook: str) -> None:
    """All of it, the configuration first: with it nothing is refused any more. Gone already is fine."""
    assert cluster is not None
    rest = Rest.of(cluster)
    rest.delete(f"{CONFIGURATIONS}/{name(webhook)}")
    for path in (f"{CORE}/services", f"{CORE}/secrets"):
        rest.delete(f"{path}/{name(webhook)}")
    own_pods.remove(cluster, webhook)


def certify(host: str) -> tuple[bytes, bytes]:
    """A certificate for a host name that is its own authority, for a day; and its key. Both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "evenkeel")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CERTIFIED)  # clocks differ
        .not_valid_after(now + CERTIFIED)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def _server(webhook: str) -> dict[str, Any]:
    command = ["/agnhost", "webhook", "--tls-cert-file=/tls/tls.crt", "--tls-private-key-file=/tls/tls.key"]
    probe = {"httpGet": {"scheme": "HTTPS", "path": "/readyz", "port": PORT}, "periodSeconds": 1}
    made = own_pods.spec(
        own_pods.AGNHOST,
        [*command, f"--port={PORT}"],
        readinessProbe=probe,
        volumeMounts=[{"name": "tls", "mountPath": "/tls", "readOnly": True}],
    )
    return {**made, "volumes": [{"name": "tls", "secret": {"secretName": webhook}}]}


def _wait(what: str, webhook: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not done():
        if time.monotonic() > deadline:
            raise ClusterError(f"webhook {webhook} {what} after {READY_WITHIN_S:.0f} s")
        time.sleep(0.25)
