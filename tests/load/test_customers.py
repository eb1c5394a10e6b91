"""A customer tries one order with one key until it is acknowledged, and the ledger says how each order ended."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from experiments.checks import operations
from experiments.loads.plays import retries
from fixtures.load.traffic import Knocking, Traffic


class Shop(ThreadingHTTPServer):
    """Keeps every try; hangs up on the first of every third order after it was kept, as a pod does that dies then."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Till)
        self.tries: list[str] = []
        self.closed = False


class Till(BaseHTTPRequestHandler):
    server: Shop

    def do_POST(self) -> None:
        key = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["key"]
        assert key == self.headers["Idempotency-Key"]
        first = key not in self.server.tries
        self.server.tries.append(key)
        if self.server.closed:
            self.send_error(503)
        elif first and len(set(self.server.tries)) % 3 == 0:
            self.connection.close()
        else:
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    server = Shop()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def orders_of(shop: Shop, record: Path, patience_s: float = 20) -> list[operations.Operation]:
    traffic = Traffic(
        user="orders",
        shape="soak",
        host=f"http://127.0.0.1:{shop.server_address[1]}",
        peak=10,
        per_user=2,
        warm=0,
        hold=3,
        cool=0,
        parameters={"ledger": retries.LEDGER, "timeout": 2, "patience": patience_s},
    )
    knocking = Knocking(traffic, record)
    knocking.start()
    knocking.wait()
    return operations.read(record / retries.LEDGER)


def test_every_order_is_acknowledged_in_the_end_and_the_doubled_ones_are_found(shop: Shop, tmp_path: Path) -> None:
    """The shop is naive: it keeps each try. What the ledger and the store come to is what judges a service."""
    found = operations.account(orders_of(shop, tmp_path), shop.tries)
    assert found.acknowledged > 10
    assert found.given_up == 0
    assert found.lost == ()
    assert set(found.doubled) == {key for key, count in Counter(shop.tries).items() if count > 1}
    assert found.retried == len(found.doubled) > 2


def test_an_order_that_nobody_takes_is_given_up_and_says_so(shop: Shop, tmp_path: Path) -> None:
    shop.closed = True
    ended = orders_of(shop, tmp_path, patience_s=1.5)
    assert ended
    assert not any(order.acknowledged for order in ended)
    assert sum(order.tries for order in ended) > len(ended)
