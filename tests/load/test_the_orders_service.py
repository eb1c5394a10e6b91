"""The orders service itself, crashed again and again under customers who retry; only its store is a small one."""

from __future__ import annotations

import base64
import itertools
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from experiments.checks import operations
from experiments.loads.plays import retries
from fixtures.load.traffic import Knocking, Traffic
from fixtures.subjects import adapter, orders


class Store(ThreadingHTTPServer):
    """Creates objects as the API does: once a name, or a new name each time."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Create)
        secret = adapter.certificate("here")["data"]
        for name, value in {"ca.crt": secret["tls.crt"], "tls.key": secret["tls.key"]}.items():
            (folder / name).write_bytes(base64.b64decode(value))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ca.crt", folder / "tls.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.kept: dict[str, str] = {}
        self.numbers = itertools.count()
        self.lock = threading.Lock()


class Create(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_POST(self) -> None:
        one = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        metadata = one["metadata"]
        with self.server.lock:
            name = metadata.get("name") or f"{metadata['generateName']}{next(self.server.numbers)}"
            status = 409 if name in self.server.kept else 201
            if status == 201:
                self.server.kept[name] = one["data"]["key"]
        data = json.dumps({"metadata": {"name": name}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "token").write_text("nobody asks for it")
    (tmp_path / "namespace").write_text("here")
    server = Store(tmp_path)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def crashed(store: Store, folder: Path, habit: str) -> operations.Account:
    """Customers at a service that gets SIGKILL three times, and is started again each time."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "ACCOUNT": str(folder),
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(store.server_address[1]),
        "HABIT": habit,
        "PORT": str(port),
    }
    # Its certificate is for a name that only a cluster resolves; here the address is the name.
    script = "import ssl, runpy; make = ssl.create_default_context\n"
    script += "def lax(**given):\n    made = make(**given); made.check_hostname = False; return made\n"
    script += (
        f"ssl.create_default_context = lax; runpy.run_path({str(orders.HERE / 'service.py')!r}, run_name='__main__')"
    )

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)

    traffic = Traffic(
        user="orders",
        shape="soak",
        host=f"http://127.0.0.1:{port}",
        peak=20,
        per_user=2,
        warm=0,
        hold=10,
        cool=0,
        parameters={"ledger": retries.LEDGER, "timeout": 2, "patience": 20},
    )
    knocking = Knocking(traffic, folder / "record")
    service = start()
    try:
        knocking.start()
        knocking.wait_begun()
        for _ in range(3):
            time.sleep(2)
            service.kill()
            service.wait()
            service = start()
        knocking.wait()
    finally:
        knocking.stop()
        service.kill()
        service.wait()
    return operations.account(operations.read(folder / "record" / retries.LEDGER), list(store.kept.values()))


def test_a_service_that_goes_by_the_key_makes_every_order_once(store: Store, tmp_path: Path) -> None:
    found = crashed(store, tmp_path, orders.IDEMPOTENT)
    assert found.acknowledged > 20
    assert found.retried > 0
    assert (found.lost, found.doubled, found.given_up) == ((), (), 0)


def test_a_naive_service_makes_an_order_twice_when_it_crashes_before_it_answers(store: Store, tmp_path: Path) -> None:
    found = crashed(store, tmp_path, orders.NAIVE)
    assert found.retried > 0
    assert found.doubled
    assert found.lost == ()
