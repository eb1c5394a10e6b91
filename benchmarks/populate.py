"""Services in the lab's real API server that cost the lab next to nothing: nobody runs their pods.

Pods are made through the API for a scheduler that does not exist, and their status is written as a kubelet would have;
ReplicaSets then find them there and adopt them; Deployments are paused, so that they make none of their own.
Everything is in namespaces of this run, which are deleted at the end.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks import corpus, shown
from benchmarks.corpus import Manifest

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

PREFIX = "bench-audit"
NOBODY = "nobody"
PARALLEL = 8
GONE_S = 300


@contextmanager
def populated(services: int) -> Iterator[tuple[int, str]]:
    """How many pods there are, and an address on this machine that passes GETs on with the lab's credentials."""
    from fixtures.clusters import api, open_cluster

    client = api.client(open_cluster("lab", None, None))
    spaces = sorted({corpus.namespace(number, PREFIX) for number in range(services)})
    try:
        for space in spaces:
            _send(client, "POST", "/api/v1/namespaces", {"metadata": {"name": space}})
        with ThreadPoolExecutor(PARALLEL) as pool:
            pods = sum(pool.map(lambda number: _service(client, number), range(services)))
        with _passing(client) as address:
            yield pods, address
    finally:
        for space in spaces:
            _send(client, "DELETE", f"/api/v1/namespaces/{space}", None)
        _wait_until_gone(client, set(spaces))


def _service(client: ApiClient, number: int) -> int:
    space = corpus.namespace(number, PREFIX)
    labels = {**corpus.labels(number), "pod-template-hash": f"{number:08x}"}
    pods = 0
    for each in corpus.manifests(number, PREFIX):
        if each["kind"] == "HorizontalPodAutoscaler":
            continue  # its controller would ask for metrics of pods that nobody runs
        if each["kind"] == "Deployment":
            each["spec"] |= {"paused": True, "replicas": corpus.replicas(number)}
            for replica in range(corpus.replicas(number)):
                _pod(client, number, replica, space, labels)
                pods += 1
            _send(client, "POST", f"/apis/apps/v1/namespaces/{space}/replicasets", _replica_set(each, labels))
        group, _, _ = each["apiVersion"].rpartition("/")
        prefix = f"/apis/{each['apiVersion']}" if group else "/api/v1"
        plural = shown.PATHS[each["kind"]].rpartition("/")[2]
        _send(client, "POST", f"{prefix}/namespaces/{space}/{plural}", each)
    return pods


def _replica_set(deployment: Manifest, labels: dict[str, str]) -> Manifest:
    template = json.loads(json.dumps(deployment["spec"]["template"]))
    template["metadata"]["labels"] = labels
    template["spec"]["schedulerName"] = NOBODY
    metadata = {**deployment["metadata"], "labels": labels}
    spec = {"replicas": deployment["spec"]["replicas"], "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def _pod(client: ApiClient, number: int, replica: int, space: str, labels: dict[str, str]) -> None:
    name = f"{corpus.name(number)}-{replica}"
    spec = {**corpus.pod_template(number)["spec"], "schedulerName": NOBODY}
    spec.pop("serviceAccountName")  # made a moment later
    metadata = {"name": name, "namespace": space, "labels": labels}
    path = f"/api/v1/namespaces/{space}/pods"
    _send(client, "POST", path, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    address = f"198.19.{number % 256}.{replica + 1 + 4 * (number // 256)}"
    conditions = [{"type": t, "status": "True"} for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")]
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}
    _send(client, "PATCH", f"{path}/{name}/status", {"status": status})


def _send(client: ApiClient, method: str, path: str, body: Any) -> int:
    """Raises RuntimeError for what the API does not accept; what is there or gone already is as it should be."""
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    _, url, headers, _, _ = client.param_serialize(
        method, path, header_params={"Content-Type": kind, "Accept": "application/json"}, auth_settings=["BearerToken"]
    )
    answer = client.call_api(method, url, headers, body, _request_timeout=(5.0, 30.0))
    content = answer.read()
    if answer.status >= 300 and answer.status not in (404, 409):
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
    return int(answer.status)


def _wait_until_gone(client: ApiClient, spaces: set[str]) -> None:
    until = time.monotonic() + GONE_S
    while time.monotonic() < until:
        left = [space for space in spaces if _send(client, "GET", f"/api/v1/namespaces/{space}", None) != 404]
        if not left:
            return
        time.sleep(2)
    raise RuntimeError(f"namespaces {', '.join(sorted(spaces))} are still being deleted after {GONE_S} s")


@contextmanager
def _passing(client: ApiClient) -> Iterator[str]:
    """GETs passed on, so that the floor needs neither credentials nor their cost in CPU."""
    from fixtures.snapshot import raw

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one segment
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            pairs = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
            answer = raw.get(client, path, pairs)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
