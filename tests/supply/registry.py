"""A container registry on the loopback that knows one image, for tests that pull."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fixtures.clusters.lab.supply.dockersave import Recipe, write_layer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _blobs(recipe: Recipe, arch: str) -> tuple[dict[str, tuple[str, bytes]], str, str]:
    """Everything the registry serves (digest → type, bytes), the index's digest and the configuration's."""
    layer = io.BytesIO()
    diff = f"sha256:{write_layer(recipe, layer)}"
    config = json.dumps(
        {"architecture": arch, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff]}}
    ).encode()

    def described(kind: str, raw: bytes) -> dict[str, object]:
        return {"mediaType": kind, "digest": _digest(raw), "size": len(raw)}

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described("application/vnd.oci.image.config.v1+json", config),
            "layers": [described("application/vnd.oci.image.layer.v1.tar", layer.getvalue())],
        }
    ).encode()
    other = {"mediaType": MANIFEST, "digest": f"sha256:{'0' * 64}", "size": 1}
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {**other, "platform": {"os": "linux", "architecture": "s390x"}},
                {**described(MANIFEST, manifest), "platform": {"os": "linux", "architecture": arch}},
            ],
        }
    ).encode()
    kinds = [("application/octet-stream", config), ("application/octet-stream", layer.getvalue())]
    served = [*kinds, (MANIFEST, manifest), (INDEX, index)]
    return {_digest(raw): (kind, raw) for kind, raw in served}, _digest(index), _digest(config)


@contextmanager
def serving(recipe: Recipe, arch: str) -> Iterator[tuple[str, str]]:
    """Yields `host:port` and the id (the configuration's digest) of the image, served under every name."""
    blobs, index, config = _blobs(recipe, arch)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.path.rsplit("/", 1)[-1]
            found = blobs.get(asked if asked.startswith("sha256:") else index)
            if "missing" in self.path or found is None:
                self.send_error(404)
                return
            kind, raw = found
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Docker-Content-Digest", _digest(raw))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(raw)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", config
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
