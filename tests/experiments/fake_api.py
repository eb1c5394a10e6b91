"""A stand-in for a cluster's API: enough of Kubernetes in memory for an experiment of driver `any` to run against it.

It is simulated: what it proves is the plumbing around a fault (order, safety, measuring, verdict), never a recovery.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

LEASES = "/apis/coordination.k8s.io/v1/namespaces"
PODS = "/api/v1/namespaces/reference/pods"
WRITES = "/api/v1/namespaces/evenkeel/configmaps"
RUN_LEASE = f"{LEASES}/evenkeel/leases"
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # probes come in bursts when the machine is busy
    daemon_threads = True


class FakeApi:
    """Three masters, three workers, a Deployment `reference/web` of four. Attributes set how it behaves."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed: list[str] = []  # every request that changes something, in order
        self.asked: set[tuple[str, str]] = set()  # every method and path
        self.version = 1000
        self.forbidden: set[str] = set()  # "delete pods"
        self.down = False  # answers nothing but 503
        self.meanwhile: dict[str, Callable[[], None]] = {}  # done once, while "GET /path" waits for its answer
        self.deaf = False  # accepts the deletion of a pod and does nothing
        self.app_outage_s = 0.0  # after a pod was killed
        self.loses_writes = False  # acknowledges one write in ten without keeping it
        self.disruptions_allowed = 1
        self.replaces_pods = True
        self.objects: dict[str, dict[str, Any]] = {}
        self.app_back = 0.0
        for name in ("master-1", "master-2", "master-3", "worker-1", "worker-2", "worker-3"):
            self.objects[f"/api/v1/nodes/{name}"] = node(name)
        for master in (1, 2, 3):
            for component in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
                made = pod("kube-system", f"{component}-master-{master}", f"master-{master}")
                made["metadata"]["labels"] = {"component": component, "tier": "control-plane"}
                self.objects[f"/api/v1/namespaces/kube-system/pods/{component}-master-{master}"] = made
        for number in range(4):
            self._add_pod(f"web-{number}")
        self._server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
                    "users": [{"name": "fake", "user": {"token": "s3cr3t-token"}}],
                    "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
                    "current-context": "fake",
                }
            )
        )
        return path

    def __enter__(self) -> FakeApi:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def below(self, path: str) -> list[dict[str, Any]]:
        with self.lock:
            return [o for p, o in self.objects.items() if p.startswith(f"{path}/") and "/" not in p[len(path) + 1 :]]

    def _add_pod(self, name: str) -> None:
        made = pod("reference", name, f"worker-{self.version % 3 + 1}")
        self.version += 1
        made["metadata"] |= {"labels": {"app": "web"}, "uid": f"uid-{self.version}"}
        self.objects[f"{PODS}/{name}"] = made

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """What a request comes to: status and body."""
        self.meanwhile.pop(f"{method} {path}", lambda: None)()
        if self.down:
            return 503, {"message": "down"}
        self.asked.add((method, path))
        if method == "GET" and path in ("/healthz", "/readyz", "/version"):
            return (503, {}) if path == "/healthz" and time.monotonic() < self.app_back else (200, {})
        if path.endswith("selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            return 201, {"status": {"allowed": f"{asked['verb']} {asked['resource']}" not in self.forbidden}}
        with self.lock:
            if method != "GET":
                self.changed.append(f"{method} {path}")
            return self._answer(method, path, query, body)

    def _answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        collection = path.rsplit("/", 1)[-1] in (
            "pods",
            "nodes",
            "leases",
            "configmaps",
            "endpointslices",
            "namespaces",
        )
        match method:
            case "GET" if path == "/api/v1/namespaces/kube-system":
                return 200, {"metadata": {"name": "kube-system"}}
            case "GET" if path.endswith("/poddisruptionbudgets"):
                return 200, {"items": [budget(self.disruptions_allowed)]}
            case "GET" if path.endswith("/endpointslices"):
                return 200, {"items": [endpoints(self.below(PODS))]}
            case "GET" if path.endswith("/deployments/web"):
                selector = {"matchLabels": {"app": "web"}}
                spec = {"replicas": 4, "selector": selector, "template": TEMPLATE}
                return 200, {"metadata": {"name": "web"}, "spec": spec}
            case "GET" if collection:
                return 200, {"metadata": {}, "items": self.below(path)}
            case "GET":
                return (200, self.objects[path]) if path in self.objects else (404, {"message": "not found"})
            case "POST":
                return self._create(path, body)
            case "PUT" | "PATCH":
                if path not in self.objects:
                    return 404, {"message": "not found"}
                self.objects[path]["spec"] = self.objects[path].get("spec", {}) | body["spec"]
                return 200, self.objects[path]
            case _:
                return self._delete(path, collection)

    def _create(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.version += 1
        metadata = body["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}{self.version}"
        if f"{path}/{name}" in self.objects:
            return 409, {"message": "already exists"}
        metadata |= {"name": name, "uid": f"uid-{self.version}", "resourceVersion": str(self.version)}
        if not (self.loses_writes and path == WRITES and self.version % 10 == 0):
            self.objects[f"{path}/{name}"] = body
        return 201, body

    def _delete(self, path: str, collection: bool) -> tuple[int, Any]:
        if path.startswith(f"{PODS}/"):
            if self.deaf:
                return 200, {}
            self.app_back = time.monotonic() + self.app_outage_s
            if self.replaces_pods:
                threading.Timer(0.3, self._replace, args=(f"{path.rsplit('/', 1)[-1]}-again",)).start()
        gone = [p for p in self.objects if p == path or (collection and p.startswith(f"{path}/"))]
        if path.startswith("/api/v1/namespaces/") and path.count("/") == 4:  # a namespace takes everything in it along
            gone += [p for p in self.objects if f"/namespaces/{path.rsplit('/', 1)[-1]}/" in p]
        for one in gone:
            del self.objects[one]
        return (200, {}) if gone or collection else (404, {"message": "not found"})

    def _replace(self, name: str) -> None:
        with self.lock:
            self._add_pod(name)


def node(name: str) -> dict[str, Any]:
    role = {"node-role.kubernetes.io/control-plane": ""} if name.startswith("master") else {}
    ready = [{"type": "Ready", "status": "True"}]
    return {"metadata": {"name": name, "labels": role}, "spec": {}, "status": {"conditions": ready}}


def pod(namespace: str, name: str, node_name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": name},
        "spec": {"nodeName": node_name},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def budget(allowed: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "namespace": "reference"},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"disruptionsAllowed": allowed},
    }


def endpoints(pods: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "metadata": {"name": "web-x", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [
            {"addresses": ["198.18.64.1"], "targetRef": {"kind": "Pod", "name": p["metadata"]["name"]}} for p in pods
        ],
    }


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, said = api.answer(self.command, parts.path, parse_qs(parts.query), body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
