"""Manifests: what is read, what is passed over, and how what is broken is named."""

import io
from pathlib import Path

import pytest

from fixtures.snapshot import manifests
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.model.cluster import ConfigMap, Node, Secret
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.snapshot import NoCluster, Snapshot

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 2}
"""


def read(tmp_path: Path, **files: str) -> Snapshot:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return manifests.read([tmp_path])


def test_an_object_knows_its_file_line_and_default_namespace(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml=f"# a comment\n---\n\n{DEPLOYMENT}")
    (web,) = snapshot.of(Deployment)
    assert (web.file, web.line, web.reference) == (str(tmp_path / "a.yaml"), 4, "Deployment default/web")


def test_many_documents_lists_and_json_are_all_read(tmp_path: Path) -> None:
    snapshot = read(
        tmp_path,
        a_yaml=f"{DEPLOYMENT}---\napiVersion: v1\nkind: List\n"
        "items: [{apiVersion: v1, kind: Service, metadata: {name: s}}]\n",
        sub__b_json='{"apiVersion": "v1", "kind": "ServiceList", "items": [{"metadata": {"name": "t"}}]}',
    )
    assert [s.name for s in snapshot.of(Service)] == ["s", "t"]
    assert len(snapshot.of(Deployment)) == 1


def test_standard_input_is_a_dash() -> None:
    snapshot = manifests.read(["-"], io.StringIO(DEPLOYMENT))
    assert snapshot.of(Deployment)[0].file == "standard input"


def test_broken_yaml_names_its_line_and_the_other_files_are_read(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml="a: 1\nb: [1\nc: 2\n", b_yaml=DEPLOYMENT)
    (problem,) = snapshot.problems
    assert problem.file.endswith("a.yaml")
    assert problem.line == 3
    assert "broken YAML" in str(problem)
    assert len(snapshot.of(Deployment)) == 1


def test_documents_before_the_broken_one_are_read(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml=f"{DEPLOYMENT}---\na: [\n")
    assert len(snapshot.of(Deployment)) == 1
    assert len(snapshot.problems) == 1


def test_a_template_gets_a_hint(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml="kind: {{ .Values.kind }}\nname: x\n")
    assert "helm template" in str(snapshot.problems[0])


def test_a_wrongly_typed_field_is_named_by_its_path(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml=DEPLOYMENT.replace("2", '"2"'))
    (problem,) = snapshot.problems
    assert str(problem) == f"{tmp_path / 'a.yaml'}:1: Deployment web: spec.replicas: expected int | null, got str"
    assert not snapshot.of(Deployment)
    assert snapshot.unread() == [problem]


def test_a_null_is_an_absent_field(tmp_path: Path) -> None:
    text = DEPLOYMENT.replace("spec: {replicas: 2}", "spec: {replicas: null, minReadySeconds: null, template: null}")
    snapshot = read(tmp_path, a_yaml=text)
    assert snapshot.of(Deployment)[0].spec.min_ready_seconds == 0
    assert not snapshot.problems


def test_text_that_yaml_takes_for_dates_and_times_stays_text(tmp_path: Path) -> None:
    snapshot = read(
        tmp_path,
        a_yaml="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {day: 2026-01-31, at: 12:30, port: '80'}\n",
    )
    assert snapshot.of(ConfigMap)[0].data == {"day": "2026-01-31", "at": "12:30", "port": "80"}


def test_values_files_and_hidden_directories_are_passed_over(tmp_path: Path) -> None:
    snapshot = read(tmp_path, values_yaml="replicas: 2\n", _git__x_yaml=DEPLOYMENT, list_yaml="- 1\n- 2\n")
    assert len(snapshot) == 0
    assert not snapshot.problems


def test_a_kind_of_the_same_name_in_another_group_is_another_kind(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml="apiVersion: example.com/v1\nkind: Service\nmetadata: {name: s}\n")
    assert not snapshot.of(Service)
    assert [other.reference for other in snapshot.others] == ["Service s"]


def test_a_secrets_contents_are_never_kept(tmp_path: Path) -> None:
    snapshot = read(
        tmp_path,
        a_yaml="apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n"
        '    kubectl.kubernetes.io/last-applied-configuration: \'{"data": {"k": "czNjcmV0"}}\'\n'
        "data: {k: czNjcmV0}\nstringData: {l: s3cret}\n",
    )
    kept = repr(snapshot.of(Secret)) + repr(snapshot.others)
    assert "czNjcmV0" not in kept
    assert "s3cret" not in kept


def test_manifests_have_no_evidence_beyond_objects(tmp_path: Path) -> None:
    with pytest.raises(NoCluster):
        read(tmp_path, a_yaml=DEPLOYMENT).ask("etcd")


def test_an_unknown_path_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match="no such file or directory"):
        manifests.read(["/nowhere/at/all"])


def test_a_cluster_scoped_object_has_no_namespace(tmp_path: Path) -> None:
    snapshot = read(tmp_path, a_yaml="apiVersion: v1\nkind: Node\nmetadata: {name: n, namespace: x}\n")
    assert snapshot.of(Node)[0].reference == "Node n"
