"""Reading a live API: a small stand-in server on the loopback says what a real one may say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures.clusters.reader import Plain, Reader
from fixtures.snapshot import live, saved
from fixtures.snapshot.model.access import EndpointSlice
from fixtures.snapshot.model.cluster import Node, Secret
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.model.policy import ScaledObject
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.snapshot import Unreadable

Answers = dict[str, Callable[[dict[str, str], str], tuple[int, Any]]]
GROUPS = ("apps", "batch", "policy", "discovery.k8s.io", "networking.k8s.io", "coordination.k8s.io", "storage.k8s.io")


def items(*names: str, token: str = "", **more: Any) -> tuple[int, Any]:
    return 200, {
        "metadata": {"continue": token},
        "items": [{"metadata": {"name": n, "namespace": "shop"}, **more} for n in names],
    }


@pytest.fixture
def server() -> Iterator[tuple[Reader, Answers, list[str]]]:
    answers: Answers = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked.append(f"{self.path} {self.headers['Accept']}")
            query = {k: v[0] for k, v in parse_qs(url.query).items()}
            answer = answers.get(url.path, lambda q, a: (200, {"items": None}))
            status, body = answer(query, self.headers["Accept"])
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            pass

    answers["/apis"] = lambda q, a: (
        200,
        {
            "groups": [{"name": g, "versions": [{"version": "v1"}]} for g in GROUPS]
            + [{"name": "autoscaling", "versions": [{"version": "v2"}, {"version": "v1"}]}]
        },
    )
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    yield Plain({"server": f"http://127.0.0.1:{http.server_port}"}, {}), answers, asked
    http.shutdown()
    http.server_close()


Server = tuple[Reader, Answers, list[str]]


def test_every_page_is_read_in_order(server: Server) -> None:
    client, answers, _ = server
    pages = {"": items("a", "b", token="2"), "2": items("c", token="3"), "3": items("d")}
    answers["/api/v1/pods"] = lambda q, a: pages[q.get("continue", "")]
    snapshot = live.read(client, {})
    assert [pod.reference for pod in snapshot.of(Pod)] == ["Pod shop/a", "Pod shop/b", "Pod shop/c", "Pod shop/d"]


def test_a_list_whose_continuation_expired_starts_again(server: Server) -> None:
    client, answers, _ = server
    expired = iter([(410, {"message": "too old"})])

    def pods(query: dict[str, str], accept: str) -> tuple[int, Any]:
        return next(expired, items("b")) if "continue" in query else items("a", token="2")

    answers["/api/v1/pods"] = pods
    assert [pod.name for pod in live.read(client, {}).of(Pod)] == ["a", "b"]


def test_a_forbidden_kind_is_unreadable_and_the_others_are_read(server: Server) -> None:
    client, answers, _ = server
    answers["/api/v1/pods"] = lambda q, a: (403, {"message": 'pods is forbidden: User "auditor"'})
    answers["/apis/apps/v1/deployments"] = lambda q, a: items("web")
    snapshot = live.read(client, {})
    with pytest.raises(Unreadable, match='pods could not be read: pods is forbidden: User "auditor"'):
        snapshot.of(Pod)
    assert len(snapshot.of(Deployment)) == 1


def test_an_operators_kind_that_is_not_installed_simply_has_no_objects(server: Server) -> None:
    client, _, asked = server
    assert list(live.read(client, {}).of(ScaledObject)) == []
    assert not any("scaledobjects" in path for path in asked), "a group that isn't served is not asked"


def test_a_builtin_kind_that_is_not_served_is_unreadable(server: Server) -> None:
    client, answers, _ = server
    answers["/api/v1/nodes"] = lambda q, a: (404, {})
    with pytest.raises(Unreadable, match="no such resource"):
        live.read(client, {}).of(Node)


def test_of_secrets_only_metadata_is_asked_for(server: Server) -> None:
    client, answers, asked = server
    answers["/api/v1/secrets"] = lambda q, a: items("s", data={"k": "czNjcmV0"})
    snapshot = live.read(client, {})
    (path,) = [path for path in asked if "/secrets" in path]
    assert "PartialObjectMetadataList" in path
    assert "czNjcmV0" not in repr(snapshot.of(Secret))


def test_nulls_where_go_has_empty_lists_are_read(server: Server) -> None:
    client, answers, _ = server
    answers["/apis/discovery.k8s.io/v1/endpointslices"] = lambda q, a: items("s", endpoints=None, ports=None)
    answers["/api/v1/pods"] = lambda q, a: items("p", spec={"restartPolicy": None, "containers": None})
    snapshot = live.read(client, {})
    assert snapshot.of(EndpointSlice)[0].endpoints is None
    assert snapshot.of(Pod)[0].spec.restart_policy == "Always"


def test_one_object_that_does_not_decode_is_a_problem_and_the_page_is_kept(server: Server) -> None:
    client, answers, _ = server
    broken = {"metadata": {"name": "bad"}, "spec": {"hostNetwork": "yes"}}
    answers["/api/v1/pods"] = lambda q, a: (200, {"items": [*items("good")[1]["items"], broken]})
    snapshot = live.read(client, {})
    assert [pod.name for pod in snapshot.of(Pod)] == ["good"]
    assert [str(p) for p in snapshot.problems] == ["Pod bad: spec.hostNetwork: expected bool, got str"]


def test_a_saved_snapshot_says_the_same_and_holds_no_credentials(server: Server, tmp_path: Any) -> None:
    client, answers, _ = server
    env = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "LOG_LEVEL", "value": "debug"}]
    answers["/api/v1/pods"] = lambda q, a: items("p", spec={"containers": [{"name": "c", "env": env}]})
    answers["/api/v1/nodes"] = lambda q, a: (403, {"message": "no"})
    before = live.read(client, {"name": "x"})
    file = tmp_path / "x.snapshot.json.gz"
    saved.save(before, file)
    after = saved.load(file)
    (pod,) = after.of(Pod)
    assert pod.spec.containers
    assert [e.value for e in pod.spec.containers[0].env or ()] == [saved.REDACTED, "debug"]
    assert (after.taken, after.cluster, after.live) == (before.taken, {"name": "x"}, True)
    with pytest.raises(Unreadable, match="nodes could not be read: no"):
        after.of(Node)
    with pytest.raises(Unreadable, match="saved without etcd"):
        after.ask("etcd")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\x1f\x8bnonsense", b'{"schema": "other/v1", "taken": "2026-01-01T00:00:00Z"}']
)
def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Any, content: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    with pytest.raises(saved.SavedError, match=str(file)):
        saved.load(file)
