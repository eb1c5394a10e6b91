"""Profiles: built-in ones load, one's own extend them, and mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.profiles import profile as profiles


@pytest.mark.parametrize("name", ["kubeadm", "managed", "edge", "lab"])
def test_a_built_in_profile_loads_and_knows_its_name(name: str) -> None:
    loaded = profiles.load(name)
    assert loaded.name == name
    assert loaded.description


def test_a_budget_is_the_targets_else_the_faults_else_the_recovery_budget() -> None:
    lab = profiles.load("lab")
    assert lab.budget("F-10", "api-write") == 4
    assert lab.budget("F-20", "anything") == 3
    assert lab.budget("F-99", "app") == lab.recovery_budget_s == 5


def test_ones_own_profile_extends_a_built_in_one_section_by_section(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: lab\nmin_replicas: 3\nbudgets: {F-10: {api-write: 2}}\nscope: {exclude: [infra-*]}\n")
    mine = profiles.load(str(file))
    assert (mine.name, mine.min_replicas) == ("mine", 3)
    assert mine.budget("F-10", "api-write") == 2
    assert mine.budget("F-10", "api-read") == 1
    assert not mine.in_scope("infra-dns")
    assert mine.in_scope("shop")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("min_replica: 3\n", "unknown key 'min_replica' (did you mean min_replicas"),
        ("etcd: {max_lag: 3}\n", "unknown key 'etcd.max_lag' (did you mean max_applied_lag"),
        ("min_replicas: many\n", "min_replicas: input should be a valid integer"),
        ("min_replicas: -1\n", "min_replicas: input should be greater than or equal to 0"),
        ("extends: kubeadmin\n", "extends unknown profile 'kubeadmin' (did you mean kubeadm?)"),
        ("a: [1\n", "broken YAML"),
        ("- 1\n", "expected keys and values"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(profiles.ProfileError) as error:
        profiles.load(str(file))
    assert complaint in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(profiles.ProfileError, match="did you mean managed"):
        profiles.load("manged")


def test_nothing_may_be_disrupted_unless_the_profile_names_it() -> None:
    assert not profiles.load("kubeadm").may_disrupt("prod")
    staging = profiles.Profile(name="x", disruption=profiles.Disruption(contexts=["staging-*"], namespaces=["shop"]))
    assert staging.may_disrupt("staging-1", "shop")
    assert not staging.may_disrupt("staging-1", "kube-system")
    assert not staging.may_disrupt("prod", "shop")


def test_every_mistake_of_a_profile_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("min_replicas: -1\nrecovery_budgets: 4\netcd: {max_fsync: 3}\n")
    with pytest.raises(profiles.ProfileError) as refused:
        profiles.load(str(file))
    said = str(refused.value)
    assert all(name in said for name in ("min_replicas", "recovery_budget_s", "max_fsync_p99_s")), said
    assert "\n" not in said
