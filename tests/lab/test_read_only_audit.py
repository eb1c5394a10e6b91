"""An auditor with the shipped read-only role, on a cluster whose control plane is not theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.clusters.lab.lab import Lab

pytestmark = pytest.mark.lab

ROLE = Path(__file__).parents[2] / "deploy" / "rbac" / "auditor.yaml"
ACCOUNT = ("--namespace=evenkeel-audit", "evenkeel-auditor")


def kubectl(lab: Lab, *arguments: str) -> str:
    done = subprocess.run(
        lab.exec_argv("master-1", ["kubectl", *arguments]),
        input=ROLE.read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def kubeconfig(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig that holds the auditor's token and nothing of the administrator's."""
    kubectl(lab, "apply", "-f", "-")
    config = yaml.safe_load(lab.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": kubectl(lab, "create", "token", *ACCOUNT)}
    file = tmp_path_factory.mktemp("auditor") / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield file
    kubectl(lab, "delete", "--wait=false", "-f", "-")


@pytest.fixture(scope="module")
def run(kubeconfig: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "evenkeel", "audit", f"--kubeconfig={kubeconfig}", "--profile=managed"]
    done = subprocess.run([*command, "--output=json"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))


def test_every_control_comes_to_a_verdict_and_none_breaks(run: dict[str, Any]) -> None:
    assert len(run["controls"]) > 50
    assert not [c["id"] for c in run["controls"] if "the control broke" in c["reason"]]


def test_what_a_managed_cluster_hides_is_not_held_against_it(run: dict[str, Any]) -> None:
    assert {c["verdict"] for c in run["controls"] if c["id"] in ("SYS-01", "SYS-09")} <= {"not-applicable", "unknown"}


def test_the_auditor_may_change_nothing(lab: Lab, kubeconfig: Path) -> None:
    who = "--as=system:serviceaccount:evenkeel-audit:evenkeel-auditor"
    for verb in ("create", "delete", "patch", "update"):
        done = lab.exec("master-1", ["kubectl", "auth", "can-i", verb, "deployments", "--all-namespaces", who])
        assert done.stdout.strip() == "no", verb
