"""A stand-in for an API server: answers LISTs of a made-up cluster, page by page, from bytes prepared beforehand.

It stands in for size only: what is measured is the client, whose work depends on the bytes alone. It knows no watches,
no writes and no rights.
"""

from __future__ import annotations

import http.server
import json
import multiprocessing
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks import shown

PAGE = 500
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}
GROUPS = ("apps/v1", "networking.k8s.io/v1", "discovery.k8s.io/v1", "policy/v1", "autoscaling/v2", "batch/v1")
GROUPS += ("coordination.k8s.io/v1", "rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1")
GROUPS += ("admissionregistration.k8s.io/v1", "apiregistration.k8s.io/v1", "apiextensions.k8s.io/v1")


def pages(services: int) -> dict[tuple[str, str], bytes]:
    """Answers by path and continue token."""
    found = {}
    for path, items in shown.cluster(services).items():
        for start in range(0, len(items), PAGE):
            rest = str(start + PAGE) if start + PAGE < len(items) else ""
            metadata = {"resourceVersion": "1000", "continue": rest}
            page = {"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items[start : start + PAGE]}
            found[path, str(start) if start else ""] = msgspec.json.encode(page)
    return found


def _serve(services: int, port: multiprocessing.Queue[tuple[int, int]]) -> None:
    answers = pages(services)
    groups = [{"name": g.partition("/")[0], "versions": [{"version": g.partition("/")[2]}]} for g in GROUPS]
    answers["/apis", ""] = json.dumps({"kind": "APIGroupList", "groups": groups}).encode()
    answers["/version", ""] = json.dumps(VERSION).encode()
    empty = json.dumps({"kind": "List", "metadata": {}, "items": []}).encode()
    served = {f"/apis/{group}" for group in GROUPS} | {"/api/v1"}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one segment
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            token = parse_qs(url.query).get("continue", [""])[0]
            known = url.path.rpartition("/")[0] in served and url.path.count("/") <= 4
            body = answers.get((url.path, token), empty if known else None)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body or b"{}")))
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    size = sum(len(body) for body in answers.values())
    port.put((server.server_address[1], size))
    server.serve_forever()


@contextmanager
def serving(services: int) -> Iterator[tuple[str, int]]:
    """The address of such a server in a process of its own, and the bytes that it has to tell."""
    port: multiprocessing.Queue[tuple[int, int]] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(services, port), daemon=True)
    process.start()
    try:
        number, size = port.get(timeout=300)
        yield f"http://127.0.0.1:{number}", size
    finally:
        process.terminate()
        process.join()
