"""With the shipped role, and nothing of an administrator's, faults run on any cluster and touch nothing but the named.

A canary stands beside: pods of the same labels as the application's, in a namespace that nobody named.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.role import NAME
from experiments.scene import Scene
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.rest import Rest
from tests.lab import condition
from tests.lab.waiting import wait

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
RBAC = ROOT / "deploy" / "rbac"
FAULTS = ("pod-kill", "node-pods-kill", "kube-proxy-kill")
CANARY = "canary"
BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "evenkeel-disruptor-audits"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "evenkeel-auditor"},
    "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
}


def kubectl(lab: Lab, *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        lab.exec_argv("master-1", ["kubectl", *arguments]), input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def account(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kubeconfig with a token of the account that has the two shipped roles."""
    # a namespace that is being deleted takes what is applied to it along
    wait("what earlier tests made is gone", lambda: not condition.leaving(Rest.of(lab)), 90)
    wanted = "\n---\n".join([*(f.read_text() for f in sorted(RBAC.glob("*.yaml"))), yaml.safe_dump(BINDING)])
    kubectl(lab, "apply", "-f", "-", given=wanted)
    config = yaml.safe_load(lab.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": kubectl(lab, "create", "token", f"--namespace={NAMESPACE}", NAME)}
    file = tmp_path_factory.mktemp("disruptor") / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield file
    kubectl(lab, "delete", "--wait=false", "-f", "-", given=wanted)


@pytest.fixture(scope="module")
def canary(lab: Lab) -> Iterator[str]:
    """A Deployment of the application's own labels and image, with a Service and a ConfigMap, in another namespace."""
    app = json.loads(kubectl(lab, "get", "deployment", "web", "--namespace=reference", "--output=json"))
    spec = app["spec"]
    made: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": CANARY}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": spec["template"]["spec"]["serviceAccountName"], "namespace": CANARY},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "sings", "namespace": CANARY},
            "data": {"a": "b"},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": CANARY},
            "spec": {"selector": spec["selector"]["matchLabels"], "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": CANARY, "labels": app["metadata"].get("labels", {})},
            "spec": {"replicas": 2, "selector": spec["selector"], "template": spec["template"]},
        },
    ]
    kubectl(lab, "apply", "-f", "-", given="\n---\n".join(map(yaml.safe_dump, made)))
    kubectl(lab, "rollout", "status", "deployment/web", f"--namespace={CANARY}", "--timeout=60s")
    yield CANARY
    kubectl(lab, "delete", "namespace", CANARY, "--wait=false")


def seen(lab: Lab, namespace: str) -> dict[str, Any]:
    """What would differ if somebody had touched it. Statuses change a Deployment's version, so it is its generation."""
    found: dict[str, Any] = {}
    shown = kubectl(lab, "get", "configmaps,services,deployments,pods", f"--namespace={namespace}", "--output=json")
    for item in json.loads(shown)["items"]:
        metadata = item["metadata"]
        told = metadata.get("generation") or metadata["resourceVersion"]
        if item["kind"] == "Pod":
            told = [c["restartCount"] for c in item["status"]["containerStatuses"]]
        found[f"{item['kind']} {metadata['name']} {metadata['uid']}"] = told
    return found


def chaos(lab: Lab, kubeconfig: Path, state: Path, *faults: str) -> subprocess.CompletedProcess[str]:
    context = yaml.safe_load(kubeconfig.read_text())["current-context"]
    return subprocess.run(
        [
            *(sys.executable, "-m", "evenkeel", "chaos", "run", *faults, "--allow-disruption", "--output=json"),
            *(f"--kubeconfig={kubeconfig}", f"--context={context}", "--profile=lab"),
            f"--app-url={lab.entrances().app}/healthz",
        ],
        cwd=ROOT,
        env={**os.environ, "EVENKEEL_STATE": str(state)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_faults_run_with_the_shipped_roles_and_touch_nothing_that_was_not_named(
    lab: Lab, account: Path, canary: str, tmp_path: Path
) -> None:
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    wait("the cluster is steady", lambda: not scene.troubles(), 60)
    before = seen(lab, canary)
    done = chaos(lab, account, tmp_path, *FAULTS)
    assert done.stdout, done.stderr
    results = json.loads(done.stdout)
    assert [r["name"] for r in results] == list(FAULTS)
    for result in results:
        assert result["proof"]["proven"], result["reason"]
        assert result["injected"] < result["healed"], result["reason"]
        assert not [c for c in result["checks"] if "forbidden" in c["message"]], result["checks"]
        assert "forbidden" not in result["reason"]
    assert seen(lab, canary) == before
    left = kubectl(lab, "get", "leases,configmaps", f"--namespace={NAMESPACE}", "--output=name")
    assert left in ("", "configmap/kube-root-ca.crt")


def test_a_rule_that_is_missing_is_named_before_anything_is_changed(lab: Lab, account: Path, tmp_path: Path) -> None:
    role = json.loads(kubectl(lab, "get", "role", NAME, "--namespace=reference", "--output=json"))
    for rule in role["rules"]:
        if "pods" in rule["resources"]:
            rule["verbs"].remove("delete")
    before = seen(lab, "reference")
    kubectl(lab, "replace", "-f", "-", given=json.dumps(role))
    done = chaos(lab, account, tmp_path, "pod-kill")
    assert done.returncode == 5, done.stdout + done.stderr
    [result] = json.loads(done.stdout)
    assert "may not delete pods in namespace reference" in result["reason"]
    assert result["injected"] is None
    assert seen(lab, "reference") == before
