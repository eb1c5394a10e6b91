"""The shipped read-only role is what the code reads, and no more."""

from __future__ import annotations

from pathlib import Path

import yaml

from fixtures.snapshot.kinds import ALL
from fixtures.snapshot.role import rules, text

FILE = Path(__file__).parents[2] / "deploy" / "rbac" / "auditor.yaml"


def test_the_shipped_role_is_the_one_the_code_asks_for() -> None:
    assert FILE.read_text() == text(), "run: evenkeel snapshot role > deploy/rbac/auditor.yaml"


def test_every_kind_but_secrets_may_be_listed_and_none_changed() -> None:
    allowed = {(r["apiGroups"][0], plural) for r in rules() for plural in r["resources"]}
    assert allowed == {(k.group, k.plural) for k in ALL} - {("", "secrets")}
    assert {verb for r in rules() for verb in r["verbs"]} == {"get", "list"}


def test_what_goes_beyond_reading_is_in_roles_of_its_own() -> None:
    roles = [d for d in yaml.safe_load_all(FILE.read_text()) if d["kind"] in ("ClusterRole", "Role")]
    beyond = {d["metadata"]["name"] for d in roles for r in d["rules"] if set(r["verbs"]) - {"get", "list"}}
    assert beyond == {"evenkeel-auditor-evidence"}
