"""Leases looked at again and again, and asked about where their holder has changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.client import ApiClient, Configuration

from experiments.checks import single_leader
from experiments.leases import Election, Elections
from fixtures.safety.rest import Rest

Told = list[dict[str, Any]]  # events


def lease(version: int, holder: str, renewed: float, transitions: int = 1) -> dict[str, Any]:
    time = f"2026-01-01T00:00:{renewed:09.6f}Z"
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 3 if holder else 1, "leaseTransitions": transitions}
    return {
        "metadata": {"name": "kube-scheduler", "resourceVersion": str(version)},
        "spec": spec | {"acquireTime": time, "renewTime": time},
    }


def changed(*leases: dict[str, Any]) -> Told:
    return [{"type": "MODIFIED", "object": one} for one in leases]


class LeaseServer:
    """Answers a list with `held`, and a watch with `told`, cut into pieces at odd places."""

    def __init__(self) -> None:
        self.held = lease(1, "a", 1.0)
        self.told: Told = []
        self.watched: list[dict[str, list[str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                if "watch" in query:
                    outer.watched.append(query)
                    pieces = outer.pieces()
                else:
                    pieces = [json.dumps({"items": [outer.held]}).encode()]
                self.send_response(200)
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pieces(self) -> list[bytes]:
        text = "".join(json.dumps(event) + "\n" for event in self.told).encode()
        return [text[i : i + 37] for i in range(0, len(text), 37)]


@pytest.fixture
def server() -> Iterator[LeaseServer]:
    server = LeaseServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def elections(server: LeaseServer) -> Elections:
    host = f"http://127.0.0.1:{server.server.server_port}"
    return Elections(Rest(ApiClient(Configuration(host=host))))


def seen(server: LeaseServer, elections: Elections, *states: dict[str, Any]) -> list[Election]:
    """Everything that looks show of one state after the other, the first looked at often enough for a verdict."""
    found = [one for _ in range(10) for one in elections.look()]
    for state in states:
        server.held = state
        found += elections.look()
    return found


def test_a_lease_given_back_between_two_looks_is_seen(server: LeaseServer, elections: Elections) -> None:
    given_back, taken = lease(3, "", 1.5), lease(4, "b", 1.6, transitions=2)
    server.told = changed(lease(2, "a", 1.3), given_back, taken)
    looks = seen(server, elections, taken)
    assert [(e.holder, e.between) for e in looks[-4:]] == [("a", False), ("a", True), ("", True), ("b", False)]
    assert server.watched[0]["resourceVersion"] == ["1"]
    check = single_leader.judge(looks)
    assert check.verdict == "pass", check.message
    assert check.message.startswith("1 change(s) of leader")


def test_a_lease_taken_too_early_is_seen_as_well(server: LeaseServer, elections: Elections) -> None:
    taken = lease(3, "b", 1.6, transitions=2)
    server.told = changed(lease(2, "a", 1.3), taken)
    check = single_leader.judge(seen(server, elections, taken))
    assert check.verdict == "fail"
    assert "b took over 0.30 s after a renewed for 3 s" in check.message


def test_nobody_is_asked_while_the_holder_stays(server: LeaseServer, elections: Elections) -> None:
    seen(server, elections, lease(2, "a", 1.3), lease(3, "a", 1.6))
    assert server.watched == []


@pytest.mark.parametrize(
    "told",
    [
        [],
        changed(lease(2, "a", 1.3)),
        [{"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}],
    ],
    ids=["nothing", "not-all", "too-old"],
)
def test_what_a_server_does_not_remember_is_unknown(server: LeaseServer, elections: Elections, told: Told) -> None:
    server.told = told
    looks = seen(server, elections, lease(4, "b", 1.6, transitions=2))
    assert not looks[-1].whole
    check = single_leader.judge(looks)
    assert check.verdict == "unknown"
    assert "or that one had given its Lease back" in check.message
    assert single_leader.judge(looks, asked_to_end=True).verdict == "pass"


def test_an_answer_from_the_memory_of_a_server_cut_off_is_no_change(server: LeaseServer, elections: Elections) -> None:
    taken = lease(9, "b", 5.0, transitions=2)
    server.told = changed(taken)
    looks = seen(server, elections, taken, lease(1, "a", 1.0), lease(10, "b", 5.3, transitions=2))
    assert len(server.watched) == 1
    assert single_leader.judge(looks).verdict == "pass"
