"""Three real members of etcd on this machine, each on a "node" that is a directory, a port and a small kubelet.

Faults of etcd act through a node's files, its processes and etcdctl. Here they do so on real members within seconds,
without a cluster around them: what a node's command names below /etc/kubernetes and /var/lib/etcd is in the directory
of that node, and its local endpoint is its own port.
"""

from __future__ import annotations

import contextlib
import os
import signal as signals
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from experiments.faults import members
from experiments.faults.etcd import EtcdSilentError
from fixtures.clusters.cluster import Capability, Cluster, Completed, Entrances, Node

NAMES = ("master-1", "master-2", "master-3")
LOCAL = "https://127.0.0.1:2379"
PATHS = ("/etc/kubernetes", "/var/lib/etcd")
LOOK_S = 0.05


class Kubelet(threading.Thread):
    """Runs the command of one manifest for as long as the file is there, and another one when it changes."""

    def __init__(self, manifest: Path, programs: Path, log: Path) -> None:
        super().__init__(daemon=True)
        self._manifest, self._programs, self._log = manifest, programs, log
        self._ended = threading.Event()
        self._text = ""
        self.stopped = threading.Event()  # what runs goes on without it
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def run(self) -> None:
        while not self._ended.wait(LOOK_S):
            if self.stopped.is_set():
                continue
            try:
                text = self._manifest.read_text()
            except FileNotFoundError:
                text = ""
            if text != self._text:
                self._stop()
                self._text = text
            if text and self.pid is None:
                self._start(text)
        self._stop()

    def end(self) -> None:
        self._ended.set()
        if (pid := self.pid) is not None:
            os.kill(pid, signals.SIGKILL)
        self.join()

    def _start(self, text: str) -> None:
        command = yaml.safe_load(text)["spec"]["containers"][0]["command"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / command[0], *command[1:]], stdout=log, stderr=log, start_new_session=True
            )

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


class Stand(Cluster):
    """The members, behind the interface that faults use."""

    provider = "stand"
    name = "stand"
    disposable = True

    def __init__(self, root: Path, programs: Path, first_port: int) -> None:
        self.root, self.programs, self.kubeconfig = root, programs, root / "no-kubeconfig"
        self.ports = {name: first_port + 2 * i for i, name in enumerate(NAMES)}
        self.interrupt_before = ""  # a part of a command: the next one that contains it is not run any more
        _make_certificates(root)
        self.kubelets: dict[str, Kubelet] = {}
        for name in NAMES:
            manifest = self.path(name, "/etc/kubernetes/manifests/etcd.yaml")
            manifest.parent.mkdir(parents=True)
            self.path(name, "/var/lib/etcd").mkdir(parents=True)
            manifest.write_text(self._manifest(name))
            self.kubelets[name] = Kubelet(manifest, programs, root / f"{name}.log")

    def path(self, node: str, path: str) -> Path:
        """Where a path of a node is on this machine."""
        return self.root / node / path.lstrip("/")

    def __enter__(self) -> Stand:
        for kubelet in self.kubelets.values():
            kubelet.start()
        self.wait_for_leader()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for kubelet in self.kubelets.values():
            kubelet.end()

    def wait_for_leader(self, within_s: float = 60.0) -> str:
        """The leader, once every member follows it."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with contextlib.suppress(EtcdSilentError):
                views = [members.view(self, name) for name in NAMES]
                if len({v.leader for v in views}) == 1 and views[0].leader and not any(v.learner for v in views):
                    return members.leader(self)[0]
            time.sleep(0.1)
        raise AssertionError(f"no leader of three after {within_s:.0f} s; see {self.root}/*.log")

    def put(self, key: str, node: str = NAMES[0]) -> bool:
        """Whether a write was acknowledged."""
        try:
            members.tell(self, node, "put", key, "value")
        except EtcdSilentError:
            return False
        return True

    def keys(self, prefix: str, node: str = NAMES[0]) -> set[str]:
        return set(members.tell(self, node, "get", prefix, "--prefix", "--keys-only", "--write-out=simple").split())

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.NODE_EXEC, Capability.NODE_SERVICES})

    def why_not(self, capability: Capability) -> str:
        return "" if capability in self.capabilities else "these nodes are directories"

    def nodes(self) -> list[Node]:
        return [Node(name=name, role=members.CONTROL_PLANE, address="127.0.0.1") for name in NAMES]

    def entrances(self) -> Entrances:
        return Entrances(api=LOCAL)

    def exec(self, node: str, argv: Sequence[str], timeout_s: float = 30.0, *, stdin: str | None = None) -> Completed:
        if "/proc/[0-9]*/comm" in " ".join(argv):
            pid = self.kubelets[node].pid
            return Completed(returncode=0 if pid else 1, stdout=f"/proc/{pid}/comm\n" if pid else "", stderr="")
        here = [self._here(node, argument) for argument in argv]
        self._interrupt(" ".join(here))
        done = subprocess.run(
            here,
            env={"PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin"},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        said = done.stdout
        for path in PATHS:  # as the node would have put it
            said = said.replace(str(self.path(node, path)), path)
        return Completed(returncode=done.returncode, stdout=said, stderr=done.stderr)

    def stop_service(self, node: str, service: str) -> None:
        self._interrupt(f"stop {service}")
        self.kubelets[node].stopped.set()

    def start_service(self, node: str, service: str) -> None:
        self._interrupt(f"start {service}")
        self.kubelets[node].stopped.clear()

    def _interrupt(self, command: str) -> None:
        if self.interrupt_before and self.interrupt_before in command:
            raise InterruptedError(command)

    def kill(self, node: str, process: str, signal: str = "KILL") -> list[int]:
        pid = self.kubelets[node].pid if process == "etcd" else None
        if pid is None:
            return []
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signals.Signals[f"SIG{signal}"])
        return [pid]

    def _here(self, node: str, argument: str) -> str:
        for path in PATHS:
            argument = argument.replace(path, str(self.path(node, path)))
        return argument.replace(LOCAL, f"https://127.0.0.1:{self.ports[node]}")

    def _manifest(self, node: str) -> str:
        port, pki = self.ports[node], self.path(node, "/etc/kubernetes/pki/etcd")
        pair = [f"cert-file={pki}/server.crt", f"key-file={pki}/server.key", f"trusted-ca-file={pki}/ca.crt"]
        flags = [
            f"name={node}",
            f"data-dir={self.path(node, '/var/lib/etcd/data')}",
            f"listen-client-urls=https://127.0.0.1:{port}",
            f"advertise-client-urls=https://127.0.0.1:{port}",
            f"listen-peer-urls=https://127.0.0.1:{port + 1}",
            f"initial-advertise-peer-urls=https://127.0.0.1:{port + 1}",
            "initial-cluster=" + ",".join(f"{n}=https://127.0.0.1:{p + 1}" for n, p in self.ports.items()),
            "initial-cluster-state=new",
            "heartbeat-interval=50",
            "election-timeout=500",
            "unsafe-no-fsync=true",
            *(flag for flag in pair),
            *(f"peer-{flag}" for flag in pair),
            "client-cert-auth=true",
            "peer-client-cert-auth=true",
        ]
        command = ["etcd", *(f"--{flag}" for flag in flags)]
        lines = "\n".join(f"    - {part}" for part in command)
        return f"apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command:\n{lines}\n    name: etcd\n"


def _make_certificates(root: Path) -> None:
    """One authority and one pair for everything, in each node's directory."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files: Mapping[str, bytes] = {"ca.crt": certificate, "server.crt": certificate, "server.key": private}
    for node in NAMES:
        pki = root / node / "etc/kubernetes/pki/etcd"
        pki.mkdir(parents=True)
        for file, data in files.items():
            (pki / file).write_bytes(data)
            (pki / file).chmod(0o600)
