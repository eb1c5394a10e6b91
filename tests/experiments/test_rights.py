"""Faults declare exactly the rights that they use, the shipped role grants them, and a missing one stops before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from experiments import role, runner
from experiments.controls import safety
from experiments.faults import catalogue
from experiments.faults.fault import Fault
from experiments.settings import Settings
from experiments.trial import extension
from fixtures.clusters.cluster import Capability
from fixtures.safety.preflight import APP, Permission
from tests.experiments.fake_api import FakeApi, pod
from tests.experiments.rights import covers, right

FILE = Path(__file__).parents[2] / "deploy" / "rbac" / "disruptor.yaml"
PROXIES = "/api/v1/namespaces/kube-system/pods"
CHANGES = {"create", "update", "patch", "delete", "deletecollection"}
everywhere = pytest.mark.parametrize("fault", role.everywhere(), ids=lambda f: f.id)


def granted(documents: list[dict[str, Any]]) -> list[Permission]:
    """What the roles of some manifests allow."""
    return [
        Permission(verb, resource, rule["apiGroups"][0], document["metadata"].get("namespace", ""), name)
        for document in documents
        if document["kind"] in ("Role", "ClusterRole")
        for rule in document["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    ]


def test_the_shipped_role_is_the_one_that_the_faults_ask_for() -> None:
    faults = role.everywhere()
    assert FILE.read_text() == role.text(faults, "reference"), "run: evenkeel chaos role > deploy/rbac/disruptor.yaml"


@everywhere
def test_a_role_for_one_fault_grants_what_it_declares_and_nothing_else(fault: Fault) -> None:
    allowed = granted(role.documents([fault], "shop"))
    declared = [p.within("shop") for p in (*safety.OWN, *fault.permissions)]
    assert [p for p in declared if not any(covers(a, p) for a in allowed)] == []
    assert [a for a in allowed if a not in declared] == []


def test_no_rule_uses_a_wildcard() -> None:
    for document in yaml.safe_load_all(FILE.read_text()):
        for rule in document.get("rules", ()):
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_the_applications_namespace_is_the_only_one_beside_the_systems_own() -> None:
    roles = [d for d in role.documents(role.everywhere(), "shop") if d["kind"] == "Role"]
    named = {d["metadata"]["namespace"] for d in roles}
    assert {"evenkeel", "shop"} <= named
    assert APP not in named


@pytest.mark.parametrize("id_", ["F-01", "F-03", "F-07"])
def test_a_fault_uses_every_right_that_it_declares_and_no_other(api: FakeApi, settings: Settings, id_: str) -> None:
    for number in (1, 2, 3):
        api.objects[f"{PROXIES}/proxy-{number}"] = pod("kube-system", f"proxy-{number}", f"worker-{number}")
    [name] = [n for n in runner.names() if id_ in extension(runner.load(n))["faults"]]
    result = runner.run(name, settings)
    assert result.injected, result.reason
    used = {needed for one in api.asked if (needed := right(*one)) is not None}
    own = [*safety.OWN, Permission("create", "namespaces"), Permission("delete", "namespaces", name="evenkeel")]
    declared = [p.within(settings.app_namespace) for p in (*own, *catalogue.fault(id_).permissions)]
    assert [str(u) for u in used if not any(covers(d, u) for d in declared)] == []
    of_the_fault = [p.within(settings.app_namespace) for p in catalogue.fault(id_).permissions]
    assert [str(d) for d in of_the_fault if not any(covers(d, u) for u in used)] == []


@pytest.mark.parametrize("missing", ["delete pods", "create leases", "list endpointslices", "create namespaces"])
def test_a_missing_right_is_found_before_anything_is_changed(api: FakeApi, settings: Settings, missing: str) -> None:
    api.forbidden = {missing}
    result = runner.run("pod-kill", settings)
    assert result.verdict == "unknown"
    assert f"may not {missing}" in result.reason
    assert "evenkeel chaos role" in result.reason
    assert api.changed == []


def test_where_the_namespace_stands_already_no_right_to_make_namespaces_is_needed(
    api: FakeApi, settings: Settings
) -> None:
    api.objects["/api/v1/namespaces/evenkeel"] = {"metadata": {"name": "evenkeel"}}
    api.forbidden = {"create namespaces", "delete namespaces"}
    result = runner.run("pod-kill", settings)
    assert result.verdict == "pass", result.reason
    assert not [c for c in api.changed if c.endswith("/namespaces") or c == "DELETE /api/v1/namespaces/evenkeel"]


@pytest.mark.parametrize("fault", catalogue.every().values(), ids=lambda f: f.id)
def test_every_fault_names_the_namespaces_in_which_it_changes_objects(fault: Fault) -> None:
    """Only a drain moves pods of all namespaces: those that happen to be on its node. Webhooks have no namespace, and a
    node that is replaced by a new machine is an object of the cluster."""
    boundless = {str(p) for p in fault.permissions if p.verb in CHANGES and not p.namespace}
    webhooks = {f"{verb} validatingwebhookconfigurations.admissionregistration.k8s.io" for verb in ("create", "delete")}
    replaced = {"delete nodes"} if Capability.NODE_DISKS in fault.needs else set()
    assert boundless <= {"create pods/eviction", "patch nodes", *webhooks, *replaced}


def test_a_victim_in_a_namespace_that_nobody_named_is_refused(
    api: FakeApi, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        api.objects[f"{PROXIES}/proxy-{number}"] = pod("kube-system", f"proxy-{number}", f"worker-{number}")
    profile = tmp_path / "shy.yaml"
    profile.write_text("extends: lab\ndisruption: {namespaces: [shop]}\n")
    result = runner.run("kube-proxy-kill", msgspec.structs.replace(settings, profile=str(profile)))
    assert result.verdict == "unknown"
    assert "namespace kube-system was not named" in result.reason
    assert not [c for c in api.changed if c.startswith("DELETE /api/v1/namespaces/kube-system")]
