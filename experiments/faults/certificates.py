"""Certificates in files on control-plane nodes: read, issued for seconds, renewed as kubeadm renews them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from experiments.faults.static_pods import ASIDE, shell
from fixtures.clusters.cluster import Cluster, ClusterError

PKI = "/etc/kubernetes/pki"
SKEW = timedelta(minutes=5)  # a certificate begins in the past, so that no clock finds it in the future


def read(cluster: Cluster, node: str, path: str) -> x509.Certificate:
    """The (first) certificate of a PEM file. Raises `ClusterError`."""
    text = shell(cluster, node, f"cat {shlex.quote(path)}")
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise ClusterError(f"node {node}: {path} holds no certificate: {error}") from error


def left_s(certificate: x509.Certificate) -> float:
    """Seconds until it expires; negative when it has."""
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()


def shortened(old: x509.Certificate, authority: x509.Certificate, key_pem: bytes, seconds: float) -> bytes:
    """The same certificate, same key and names, valid for `seconds` more. Raises `ClusterError`."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ClusterError(f"the authority's key is a {type(key).__name__}; RSA and ECDSA are known")
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(authority.subject)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + timedelta(seconds=seconds))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def install(cluster: Cluster, node: str, name: str, pem: bytes) -> None:
    """Put another certificate in place of `PKI/name.crt` in one step; what was there first is kept aside."""
    there, aside, new = f"{PKI}/{name}", _aside(name), f"{ASIDE}/.{_flat(name)}.new"
    both = f"cp -p {there}.key {aside}.key && cp -p {there}.crt {aside}.crt"
    keep = f"mkdir -p -m 700 {ASIDE} && if [ ! -e {aside}.crt ]; then {both}; fi"
    shell(cluster, node, f"{keep} && printf %s {shlex.quote(pem.decode())} > {new} && mv {new} {there}.crt")


def is_aside(cluster: Cluster, node: str, name: str) -> bool:
    return cluster.exec(node, ["test", "-e", f"{_aside(name)}.crt"]).returncode == 0


def put_back(cluster: Cluster, node: str, name: str) -> None:
    """The certificate that was there first, and its key, if they were replaced."""
    there, aside = f"{PKI}/{name}", _aside(name)
    both = f"cp -p {aside}.key {there}.key && cp -p {aside}.crt {there}.crt"
    shell(cluster, node, f"if [ -e {aside}.crt ]; then {both}; fi")


def forget(cluster: Cluster, node: str, name: str) -> None:
    """Drop what was kept aside."""
    shell(cluster, node, f"rm -f {_aside(name)}.crt {_aside(name)}.key; rmdir {ASIDE} 2>&- || :")


def renew(cluster: Cluster, node: str, names: Sequence[str] = ("all",)) -> None:
    """By kubeadm, as its documentation says. Raises `ClusterError`."""
    for name in names:
        shell(cluster, node, f"kubeadm certs renew {shlex.quote(name)}", timeout_s=60.0)


def _flat(name: str) -> str:
    return name.replace("/", "-")


def _aside(name: str) -> str:
    return f"{ASIDE}/{_flat(name)}"
