"""The command line: every mistake is one clear line and exit code 4, and nothing is half done."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import evenkeel

GOOD = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""
ONE = GOOD.replace("replicas: 2", "replicas: 1")


class Ran:
    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def call(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *arguments])
        with pytest.raises(SystemExit) as end:
            evenkeel.main()
        captured = capsys.readouterr()
        return Ran(end.value.code, captured.out, captured.err)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "one.yaml").write_text(ONE)
    (tmp_path / "broken.yaml").write_text("a: 1\nb: [1\nc: 2\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "kubeconfig").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "contexts: [{name: x, context: {cluster: x, user: x}}]\n"
        'clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: x, user: {token: abc}}]\n'
    )
    (tmp_path / "waivers.yaml").write_text(
        "waivers: [{control: APP-112, justification: j, owner: o, expires: 2030-01-01}]\n"
    )
    (tmp_path / "profile.yaml").write_text("min_replica: 3\n")
    return call


def test_nothing_failed_is_exit_code_0(run: Run) -> None:
    ran = run("audit", "--manifests", "good.yaml", "--controls", "APP-01")
    assert (ran.code, ran.err) == (0, "")
    assert "1 control passed" in ran.out


def test_a_failed_control_is_exit_code_1_and_names_file_and_line(run: Run) -> None:
    ran = run("audit", "--manifests", "one.yaml", "--controls", "APP-01")
    assert ran.code == 1
    assert "one.yaml:5" in ran.out
    assert "shop/web" in ran.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("audit",), "nothing to judge: give --manifests PATH"),
        (("audit", "--bogus"), "No such option: --bogus"),
        (("bogus",), "No such command 'bogus'"),
        (("audit", "--manifests", "nowhere"), "nowhere: no such file or directory"),
        (("audit", "--manifests", "good.yaml", "--output", "xml"), "--output xml: choose from text, json"),
        (("audit", "--manifests", "good.yaml", "--controls", "APP-1"), "unknown control 'APP-1'"),
        (("audit", "--manifests", "good.yaml", "--profile", "manged"), "did you mean managed"),
        (("audit", "--manifests", "good.yaml", "--profile", "profile.yaml"), "unknown key 'min_replica'"),
        (("audit", "--manifests", "good.yaml", "--waivers", "waivers.yaml"), "unknown control 'APP-112'"),
        (("audit", "--manifests", "good.yaml", "--waivers", "none.yaml"), "waivers none.yaml: No such file"),
        (("audit", "--manifests", "good.yaml", "--kubeconfig", "kubeconfig"), "one thing can be judged at a time"),
        (("audit", "--kubeconfig", "none"), "kubeconfig none: No such file or directory"),
        (("audit", "--kubeconfig", "kubeconfig", "--context", "y"), "no context 'y'; it has x"),
        (("audit", "--kubeconfig", "kubeconfig"), "https://127.0.0.1:1 can't be reached: Connection refused"),
        (("audit", "--snapshot", "good.yaml"), "good.yaml: not a snapshot"),
        (("audit", "--cluster", "moon"), "--cluster moon: choose lab or kubeconfig"),
        (("snapshot", "save", "out.gz", "--kubeconfig", "kubeconfig"), "can't be reached"),
        (("explain", "APP-113"), "unknown control 'APP-113' (did you mean APP-13"),
        (("explain",), "Missing argument 'ID'"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_a_mistake_is_one_line_and_exit_code_4(run: Run, arguments: tuple[str, ...], complaint: str) -> None:
    ran = run(*arguments)
    assert ran.code == 4
    assert complaint in ran.err
    assert ran.err.startswith("ERROR: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_a_broken_file_is_named_the_others_are_judged_and_the_run_ends_with_4(run: Run) -> None:
    ran = run("audit", "--manifests", "broken.yaml", "--manifests", "one.yaml", "--controls", "APP-01")
    assert ran.code == 4
    assert ran.err.startswith("ERROR: broken.yaml:3: broken YAML")
    assert "one.yaml:5" in ran.out


def test_a_broken_file_alone_makes_nothing_pass(run: Run) -> None:
    ran = run(
        "audit", "--manifests", "broken.yaml", "--manifests", "good.yaml", "--controls", "APP-01", "--output", "json"
    )
    assert ran.code == 4
    document = json.loads(ran.out)
    assert document["summary"]["verdict"] != "pass"
    assert document["problems"][0].startswith("broken.yaml:3")


def test_no_object_to_judge_is_exit_code_5(run: Run) -> None:
    assert run("audit", "--manifests", "empty").code == 5


def test_json_is_the_content_of_run_json_and_nothing_else(run: Run) -> None:
    ran = run("audit", "--manifests", "one.yaml", "--controls", "APP-01,APP-12", "--output", "json")
    document = json.loads(ran.out)
    assert ran.err == ""
    assert document["schema"] == "evenkeel.run/v1"
    assert document["summary"]["exit_code"] == ran.code == 1
    finding = document["controls"][0]["findings"][0]
    assert (finding["object"], finding["path"], finding["line"]) == ("Deployment shop/web", "spec.replicas", 5)


def test_a_run_directory_gets_the_same_run(run: Run, tmp_path: Path) -> None:
    ran = run("audit", "--manifests", "one.yaml", "--controls", "APP-01", "--output", "json", "--run-dir", "out")
    written = json.loads((tmp_path / "out" / "run.json").read_text())
    assert written == json.loads(ran.out)
    assert written["summary"]["exit_code"] == 1


def test_an_object_that_the_api_would_refuse_is_named_and_exit_code_4(run: Run, tmp_path: Path) -> None:
    (tmp_path / "typed.yaml").write_text(GOOD + "---\n" + GOOD.replace("replicas: 2", 'replicas: "2"'))
    ran = run("audit", "--manifests", "typed.yaml", "--controls", "APP-01")
    assert ran.code == 4
    assert "typed.yaml:11: Deployment shop/web: spec.replicas: expected int" in ran.err


def test_unknown_fails_only_when_strict(run: Run, tmp_path: Path) -> None:
    """A Service whose pods an operator may make: nobody can know."""
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {a: b}, ports: [{port: 1}]}\n"
    kafka = "apiVersion: kafka.strimzi.io/v1\nkind: Kafka\nmetadata: {name: k}\n"
    (tmp_path / "both.yaml").write_text(f"{service}---\n{kafka}")
    arguments = ("audit", "--manifests", "both.yaml", "--controls", "ACC-01")
    assert run(*arguments).code == 0
    assert run(*arguments, "--strict").code == 1


def test_standard_input_is_judged(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(ONE))
    ran = run("audit", "--manifests", "-", "--controls", "APP-01")
    assert ran.code == 1
    assert "standard input:5" in ran.out


def test_an_explanation_has_claim_reason_judgement_remedy_and_source(run: Run) -> None:
    ran = run("explain", "app-13")
    assert ran.code == 0
    for word in ("APP-13", "why:", "judged:", "remedy:", "source:", "test:"):
        assert word in ran.out


def test_the_catalogue_page_in_docs_is_the_one_the_code_makes(run: Run) -> None:
    page = Path(evenkeel.__file__).parent / "docs" / "controls.md"
    assert run("catalogue", "--markdown").out == page.read_text(), (
        "run: evenkeel catalogue --markdown > docs/controls.md"
    )
