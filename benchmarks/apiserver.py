"""A real API server with nothing behind it: kube-apiserver and etcd as the lab has them, for as long as it is needed.

No controllers, no kubelets: what is made through the API stays as it was made, so that any number of pods costs only
their objects. It listens on the loopback and keeps everything in a directory that goes with it.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

UP_S = 300  # on a machine that does nothing else it takes five
# They would want controllers: for tokens, quotas in use, and defaults that the corpus writes out itself.
UNWANTED = ("ServiceAccount", "ResourceQuota", "LimitRanger", "DefaultTolerationSeconds", "TaintNodesByCondition")


@dataclass(frozen=True)
class Server:
    """Where it listens, who may ask, and what its certificate is checked by."""

    address: str
    token: str
    authority: Path
    kubeconfig: Path


@contextmanager
def running() -> Iterator[Server]:
    """The binaries are the lab's: `make setup` gets them."""
    from fixtures.clusters.lab.supply import prepare

    binaries = prepare(lambda text: None).binaries
    with tempfile.TemporaryDirectory(prefix="evenkeel-apiserver-") as folder:
        home, etcd, peers, port = Path(folder), _free(), _free(), _free()
        (home / "service-accounts.key").write_bytes(_key())
        token = secrets.token_hex(16)
        (home / "tokens.csv").write_text(f"{token},benchmark,1,system:masters\n")
        processes: list[subprocess.Popen[bytes]] = []
        try:
            processes.append(_started(home, [f"{binaries}/etcd", *_etcd(home, etcd, peers)]))
            processes.append(_started(home, [f"{binaries}/kube-apiserver", *_api(home, etcd, port)]))
            server = _described(home, port, token)
            _wait(server, processes)
            yield server
        finally:
            for process in processes:
                process.kill()  # nothing of it is kept
                process.wait()


def _etcd(home: Path, port: int, peers: int) -> list[str]:
    return [
        f"--data-dir={home / 'etcd'}",
        "--unsafe-no-fsync",
        f"--quota-backend-bytes={8 << 30}",
        *(f"--{kind}-client-urls=http://127.0.0.1:{port}" for kind in ("listen", "advertise")),
        *(f"--{kind}-urls=http://127.0.0.1:{peers}" for kind in ("listen-peer", "initial-advertise-peer")),
        f"--initial-cluster=default=http://127.0.0.1:{peers}",
    ]


def _api(home: Path, etcd: int, port: int) -> list[str]:
    key = home / "service-accounts.key"
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={home}",
        f"--token-auth-file={home / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://benchmark.example",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/12",
        f"--disable-admission-plugins={','.join(UNWANTED)}",
        "--enable-priority-and-fairness=false",
    ]


def _started(home: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with (home / f"{Path(command[0]).name}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def _described(home: Path, port: int, token: str) -> Server:
    address, authority, file = f"https://127.0.0.1:{port}", home / "apiserver.crt", home / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "benchmark",
        "clusters": [{"name": "benchmark", "cluster": {"server": address, "certificate-authority": str(authority)}}],
        "users": [{"name": "benchmark", "user": {"token": token}}],
        "contexts": [{"name": "benchmark", "context": {"cluster": "benchmark", "user": "benchmark"}}],
    }
    file.write_text(yaml.safe_dump(content))
    return Server(address, token, authority, file)


def _wait(server: Server, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + UP_S
    while True:
        if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
            logs = "\n".join(log.read_text()[-500:] for log in server.kubeconfig.parent.glob("*.log"))
            raise RuntimeError(f"the API server did not come up within {UP_S} s:\n{logs}")
        try:
            with urllib3.PoolManager(ca_certs=str(server.authority), retries=False, timeout=2) as pool:
                headers = {"Authorization": f"Bearer {server.token}"}
                if pool.request("GET", f"{server.address}/readyz", headers=headers).status == 200:
                    return
        except (urllib3.exceptions.HTTPError, OSError):
            pass
        time.sleep(0.2)


def _key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
