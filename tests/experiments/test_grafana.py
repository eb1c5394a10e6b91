"""A fault's window as Grafana gets it: POST /api/annotations of a server that answers as it does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from experiments import grafana, runner
from experiments.result import Result
from experiments.settings import Settings

RESULT = Result(
    name="pod-kill",
    fault="F-01",
    title="A pod is killed",
    target="Pod reference/web-0",
    verdict="pass",
    injected="2026-01-31T09:30:00.250Z",
    healed="2026-01-31T09:30:01.000Z",
    healthy="2026-01-31T09:30:04.500Z",
)


class Grafana:
    """What was posted to it. `token`: the only one that may."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.token = "t0ken"
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, said = 404, {"message": "Not found"}
                if self.headers.get("Authorization") != f"Bearer {outer.token}":
                    status, said = 401, {"message": "Unauthorized"}
                elif self.path == "/api/annotations" and body["text"] and body["time"] <= body["timeEnd"]:
                    outer.written.append(body)
                    status, said = 200, {"message": "Annotation added", "id": len(outer.written)}
                data = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    found = Grafana()
    monkeypatch.setenv("GRAFANA_TOKEN", found.token)
    threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_the_window_reaches_from_the_injection_to_health(server: Grafana) -> None:
    check = grafana.annotate(server.url, RESULT)
    assert check is not None
    assert (check.verdict, check.judged) == ("pass", False)
    [written] = server.written
    assert written["timeEnd"] - written["time"] == 4250
    assert written["time"] == 1769851800250
    assert written["tags"] == ["evenkeel", "F-01", "pod-kill", "pass"]
    assert "Pod reference/web-0" in written["text"]


def test_a_refused_token_is_a_warning_that_names_the_variable_and_never_the_token(
    server: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", "wr0ng")
    check = grafana.annotate(server.url, RESULT)
    assert check is not None
    assert (check.verdict, check.judged) == ("not-applicable", False)
    assert "$GRAFANA_TOKEN" in check.message
    assert "wr0ng" not in check.message


def test_a_grafana_that_does_not_answer_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grafana, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        check = grafana.annotate(f"http://127.0.0.1:{silent.getsockname()[1]}", RESULT)
        assert time.monotonic() - began < 3
    assert check is not None
    assert "no answer" in check.message
    assert not check.judged


def test_nothing_injected_is_nothing_to_annotate() -> None:
    assert grafana.annotate("http://127.0.0.1:1", msgspec.structs.replace(RESULT, injected=None)) is None


def test_an_experiment_tells_grafana_its_window(server: Grafana, settings: Settings) -> None:
    result = runner.run("pod-kill", msgspec.structs.replace(settings, grafana_url=server.url))
    assert result.injected is not None, result.reason
    [written] = server.written
    assert written["timeEnd"] >= written["time"]


def test_a_silent_grafana_does_not_change_the_verdict(settings: Settings) -> None:
    result = runner.run("pod-kill", msgspec.structs.replace(settings, grafana_url="http://127.0.0.1:1"))
    assert "rafana" not in result.reason
    assert next(c.message for c in result.checks if c.name == "grafana-annotation").startswith("not written")
