"""A corpus in a real API server: every object made through the API, its status written as its controller would have."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import urllib3

from benchmarks import shown
from benchmarks.apiserver import Server
from benchmarks.corpus import Manifest

PARALLEL = 16
FIRST = ("Namespace", "Node")  # what others need to be there
ISSUED = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")


def populate(server: Server, services: int) -> int:
    """Make them all; returns how many pods. Raises RuntimeError for what the API does not accept."""
    lists = shown.cluster(services)
    timeout = urllib3.Timeout(connect=10, read=60)
    with (
        urllib3.PoolManager(maxsize=PARALLEL, ca_certs=str(server.authority), timeout=timeout) as pool,
        ThreadPoolExecutor(PARALLEL) as workers,
    ):
        for first in (True, False):
            every = [
                (path, each) for path, items in lists.items() for each in items if (each["kind"] in FIRST) is first
            ]
            for _ in workers.map(lambda one: _make(pool, server, *one), every):
                pass
    return len(lists[shown.PATHS["Pod"]])


def _make(pool: urllib3.PoolManager, server: Server, path: str, each: Manifest) -> None:
    space = each["metadata"].get("namespace")
    if space:
        head, _, plural = path.rpartition("/")
        path = f"{head}/namespaces/{space}/{plural}"
    metadata = {key: value for key, value in each["metadata"].items() if key not in ISSUED}
    _send(pool, server, "POST", path, {**each, "metadata": metadata})
    if "status" in each:
        name = metadata["name"]
        _send(pool, server, "PATCH", f"{path}/{name}/status", {"status": each["status"]})


def _send(pool: urllib3.PoolManager, server: Server, method: str, path: str, body: Manifest) -> None:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": kind}
    answer = pool.request(method, server.address + path, body=msgspec.json.encode(body), headers=headers)
    if answer.status >= 300 and answer.status != 409:  # the cluster's own namespaces are there already
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:300]!r}")


def size(server: Server) -> Iterator[int]:
    """The bytes that each kind's LIST tells."""
    with urllib3.PoolManager(ca_certs=str(server.authority)) as pool:
        for path in shown.PATHS.values():
            headers = {"Authorization": f"Bearer {server.token}"}
            yield len(pool.request("GET", server.address + path, headers=headers).data)
