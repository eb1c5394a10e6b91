"""A server that answers as Prometheus' query API does, with what a test put into it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Said:
    """`answers`: by query, the `result`; `asked`: what came in, with its headers. `status` and `body` override all."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self.body: bytes | None = None
        self.url = ""


@contextmanager
def serving() -> Iterator[Said]:
    """Serves on the loopback until the block ends."""
    said = Said()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            asked = query.get("query", [""])[0]
            said.asked.append((asked, query.get("time", [None])[0]))
            said.headers.append(dict(self.headers))
            result = said.answers.get(asked, [])
            body = said.body if said.body is not None else json.dumps({"data": {"result": result}}).encode()
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    said.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
