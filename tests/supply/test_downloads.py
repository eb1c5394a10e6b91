"""Downloads are taken only with the checksum their publisher names; where none can be had, Go builds."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures.clusters.lab.supply.downloads import checksum, fetch, reachable, releases
from fixtures.clusters.lab.supply.products import PRODUCTS
from fixtures.clusters.lab.supply.supply import SupplyError

BY_NAME = {p.name: p for p in PRODUCTS}


class Mirror:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.end_headers()
                self.wfile.write(body or b"")

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    thread = threading.Thread(target=mirror.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()
    thread.join()


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, raw in members.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return out.getvalue()


def test_a_bare_binary_is_taken_when_its_checksum_is_right(mirror: Mirror, tmp_path: Path) -> None:
    first = releases(BY_NAME["kubernetes"], "amd64", kubernetes=mirror.url)[0]
    mirror.files[first.url.removeprefix(mirror.url)] = b"kube-apiserver"
    mirror.files[first.checksums.removeprefix(mirror.url)] = sha256(b"kube-apiserver").encode()
    fetch(first, tmp_path)
    assert (tmp_path / "kube-apiserver").read_bytes() == b"kube-apiserver"
    assert (tmp_path / "kube-apiserver").stat().st_mode & 0o777 == 0o755
    assert [p.name for p in tmp_path.iterdir()] == ["kube-apiserver"]


def test_an_archives_binaries_are_taken_out(mirror: Mirror, tmp_path: Path) -> None:
    (etcd,) = releases(BY_NAME["etcd"], "amd64", github=mirror.url)
    stem = etcd.url.rsplit("/", 1)[1].removesuffix(".tar.gz")
    raw = archive(
        **{f"{stem}__etcd": b"a", f"{stem}__etcdctl": b"b", f"{stem}__etcdutl": b"c", f"{stem}__README": b"d"}
    )
    mirror.files[etcd.url.removeprefix(mirror.url)] = raw
    sums = f"{'0' * 64}  other.tar.gz\n{sha256(raw)}  {stem}.tar.gz\n"
    mirror.files[etcd.checksums.removeprefix(mirror.url)] = sums.encode()
    fetch(etcd, tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"etcd": b"a", "etcdctl": b"b", "etcdutl": b"c"}


def test_a_changed_download_is_refused_and_nothing_stays(mirror: Mirror, tmp_path: Path) -> None:
    first = releases(BY_NAME["kubernetes"], "amd64", kubernetes=mirror.url)[0]
    mirror.files[first.url.removeprefix(mirror.url)] = b"something else"
    mirror.files[first.checksums.removeprefix(mirror.url)] = sha256(b"kube-apiserver").encode()
    with pytest.raises(SupplyError, match=r"kube-apiserver has SHA-256 .* not used"):
        fetch(first, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(mirror: Mirror, tmp_path: Path) -> None:
    first = releases(BY_NAME["kubernetes"], "amd64", kubernetes=mirror.url)[0]
    with pytest.raises(SupplyError, match=r"kube-apiserver\.sha256 could not be fetched: .*404"):
        fetch(first, tmp_path)


def test_a_host_counts_as_reachable_when_anything_answers(mirror: Mirror) -> None:
    assert reachable(f"{mirror.url}/nothing-here")


def test_a_host_that_does_not_answer_is_not_reachable(mirror: Mirror) -> None:
    port = mirror.server.server_address[1]
    assert not reachable(f"http://127.0.0.2:{port}", timeout_s=0.5)
    assert not reachable("no url at all")


def test_what_is_not_published_as_a_binary_is_built() -> None:
    published = {name for p in PRODUCTS for r in releases(p, "amd64") for name in r.members.values()}
    built = {b.name for p in PRODUCTS for b in p.binaries} - published
    assert built == {"agnhost", "resource-consumer", "consume-cpu", "metrics-server"}


@pytest.mark.parametrize("text", [f"{'a' * 64}\n", f"{'a' * 64}  x.tgz\n", f"{'A' * 64} *dir/x.tgz"])
def test_both_kinds_of_checksum_files_are_read(text: str) -> None:
    assert checksum(text, "x.tgz") == "a" * 64


def test_a_checksum_file_without_the_file_is_an_error() -> None:
    with pytest.raises(SupplyError, match=r"no SHA-256 of x\.tgz"):
        checksum(f"{'a' * 64}  y.tgz", "x.tgz")
