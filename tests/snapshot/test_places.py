"""The line that a finding names is its field's own, however the manifest is written."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fixtures.expect import Finding
from fixtures.snapshot import manifests, places
from fixtures.snapshot.model.base import Object

TWO = """\
# a comment
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  a.yaml: |
    one: 1
    --- not a document
    two: 2
  b: x
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    argocd.argoproj.io/sync-wave: "x"
spec:
  replicas: 1
  template:
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: zone
      containers:
        - name: side
          image: side:1
        - name: app
          image: app:latest
          ports: [{containerPort: 80}]
          env:
            - name: HOST
              value: 10.0.0.1
"""
WEB = "Deployment default/web"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "all.yaml"
    path.write_text(TWO)
    return str(path)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.replicas", 19),
        ("spec.template.spec.containers[0].image", 28),
        ("spec.template.spec.containers[1].image", 30),
        ("spec.template.spec.containers[1].env[0].value", 34),
        ("spec.template.spec.containers[1].env[HOST]", 33),
        ("spec.template.spec.containers[app].image", 30),
        ("spec.template.spec.containers[1].ports[0].containerPort", 31),
        ("spec.template.spec.affinity.podAntiAffinity.required[0]", 25),
        ("metadata.annotations[argocd.argoproj.io/sync-wave]", 17),
    ],
)
def test_a_field_is_found(file: str, path: str, line: int) -> None:
    assert places.line(file, 12, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.template.spec.containers[1].readinessProbe", 29),
        ("spec.template.spec.containers[1].env[PORT]", 32),
        ("spec.template.spec.containers[7]", 26),
        ("spec.strategy.rollingUpdate.maxUnavailable", 18),
        ("status.readyReplicas", 12),
        ("endpoints", 12),
        ("", 12),
    ],
)
def test_of_a_field_that_is_not_there_its_nearest_parent_is_named(file: str, path: str, line: int) -> None:
    assert places.line(file, 12, path) == line


def test_text_that_looks_like_another_document_is_none(file: str) -> None:
    assert places.line(file, 2, "data[a.yaml] two") == 6
    assert places.line(file, 2, "data[b]") == 10


def test_the_objects_of_a_list_have_lines_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- apiVersion: v1\n  kind: Service\n  metadata: {name: a, namespace: shop}\n  spec:\n    type: NodePort\n"
        "- apiVersion: v1\n  kind: Service\n  metadata: {name: b, namespace: shop}\n  spec:\n    type: NodePort\n"
    )
    assert places.line(str(path), 1, "spec.type", "Service shop/b") == 13
    assert places.line(str(path), 1, "nothing", "Service shop/b") == 9
    assert places.line(str(path), 1, "spec.type", "Service shop/c") == 1


def test_json_has_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{\n  "apiVersion": "v1",\n  "kind": "Service",\n  "spec": {\n    "type": "NodePort"\n  }\n}\n')
    assert places.line(str(path), 1, "spec.type") == 5


def test_a_file_that_is_gone_costs_only_the_line(tmp_path: Path) -> None:
    assert places.line(str(tmp_path / "gone.yaml"), 7, "spec.type") == 7


def test_a_document_that_contains_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("apiVersion: v1\nkind: ConfigMap\ndata: &all\n  a: *all\n  b: x\n")
    assert places.line(str(path), 1, "data.b") == 5


def test_standard_input_is_remembered() -> None:
    read = manifests.read(["-"], io.StringIO(TWO))
    web = next(each for found in read.objects.values() for each in found if each.kind == "Deployment")
    assert Finding(WEB, "spec.replicas", 1, "too few", web).line == 19


def test_what_is_read_costs_no_line_until_someone_asks(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setattr(places, "_lines", lambda *_: pytest.fail("lines were worked out"))
    read = manifests.read([file])
    assert [each.line for found in read.objects.values() for each in found if isinstance(each, Object)] == [2, 12]
