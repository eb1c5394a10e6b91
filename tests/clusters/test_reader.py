"""Reading an API with the credentials of a kubeconfig, of which most need no official client."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.kubeconfig import KubeconfigCluster
from fixtures.clusters.reader import Official, Plain, Reader, reader


@pytest.fixture
def api() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a server that answers everything, and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def opened(directory: Path, server: dict[str, Any], user: dict[str, Any]) -> Reader:
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": user}],
    }
    file = directory / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return reader(KubeconfigCluster.open(file, None))


def test_a_token_is_sent(api: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    address, asked = api
    found = opened(tmp_path, {"server": address}, {"token": "t0ken"})
    assert isinstance(found, Plain)
    assert found.get("/version", {"Accept": "application/json"}, (1, 1)).data == b"{}"
    assert (asked[0]["authorization"], asked[0]["accept"]) == ("Bearer t0ken", "application/json")


def test_a_token_file_is_found_beside_the_kubeconfig(api: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    address, asked = api
    (tmp_path / "token").write_text("from-file\n")
    opened(tmp_path, {"server": address}, {"tokenFile": "token"}).get("/", {}, (1, 1))
    assert asked[0]["authorization"] == "Bearer from-file"


def test_no_credentials_are_none(api: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    address, asked = api
    opened(tmp_path, {"server": address}, {}).get("/", {}, (1, 1))
    assert "authorization" not in asked[0]


@pytest.mark.parametrize("user", [{"username": "admin", "password": "x"}, {"token": "t", "as": "someone"}])
def test_what_needs_more_is_the_official_clients(user: dict[str, Any], tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, {"server": "http://127.0.0.1:1"}, user), Official)


def test_a_proxy_is_the_official_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert isinstance(opened(tmp_path, {"server": "https://127.0.0.1:1"}, {}), Official)


def test_the_official_client_reads_the_same(api: tuple[str, list[dict[str, str]]], tmp_path: Path) -> None:
    address, asked = api
    found = Official(opened(tmp_path, {"server": address}, {"token": "t0ken"}).official)
    answer = found.get("/version?a=b", {"Accept": "application/json"}, (1, 1))
    assert (answer.status, answer.data) == (200, b"{}")
    assert (asked[0]["authorization"], asked[0]["accept"]) == ("Bearer t0ken", "application/json")


def test_a_certificate_that_is_none_is_refused_by_the_name_of_the_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=str(tmp_path / "kubeconfig")):
        opened(tmp_path, {"server": "https://127.0.0.1:1", "certificate-authority-data": "bm9uc2Vuc2U="}, {})
