"""What make would do, read without doing it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def plan(*arguments: str) -> str:
    """The commands make would run."""
    return subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_cleaning_a_checkout_leaves_the_machines_lab_and_cache_alone() -> None:
    commands = plan("clean")
    assert ".venv" in commands
    assert "lab down" not in commands
    assert "--remove" not in commands


def test_cleaning_the_cache_takes_down_only_a_lab_that_stands_on_it() -> None:
    commands = plan("clean", "CACHE=1")
    assert commands.index("lab status") < commands.index("lab down") < commands.index("--remove")


def test_the_lab_is_broken_only_where_it_is_the_lab() -> None:
    assert "--allow-disruption" in plan("run")
    elsewhere = plan("run", "CLUSTER=kubeconfig", "CONTEXT=a b")
    assert "--allow-disruption" not in elsewhere
    assert "--context 'a b'" in elsewhere
    assert "lab.supply" not in elsewhere


@pytest.mark.parametrize("target", ["setup", "test"])
def test_a_laptop_without_a_lab_still_gets_the_rest(target: str) -> None:
    assert "lab.supply --where-possible" in plan(target)


def test_a_run_on_the_lab_insists_on_it() -> None:
    assert "--where-possible" not in plan("run")


def test_chaos_is_every_fault_on_the_lab_and_nowhere_else() -> None:
    commands = plan("chaos", "CLUSTER=kubeconfig", "ARGS=--keep")
    assert "--cluster lab --allow-disruption --set complete --controls REC --keep" in commands
    assert "--where-possible" not in commands
    assert "kubeconfig" not in commands


def test_load_is_made_on_the_lab_only() -> None:
    commands = plan("load")
    assert "--cluster lab --allow-disruption --set complete --controls ELA" in commands
    assert "--where-possible" not in commands, "without a lab there is nothing to load"
