"""Tests that need the lab: skipped with a reason on a laptop, never silently in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RULE = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(RULE.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    lab: as in the project\n")
    (tmp_path / "test_sample.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.lab\ndef test_on_the_lab():\n    pytest.skip('no room for a lab')\n\n"
        "def test_elsewhere():\n    pytest.skip('not today')\n"
    )
    return tmp_path


def run(suite: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "EVENKEEL_REQUIRE_LAB")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-p", "no:locust", suite],
        env={**clean, **env, "PYTHONPATH": str(RULE.parents[1])},
        cwd=suite,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skipped_lab_test_shows_its_reason(suite: Path) -> None:
    done = run(suite)
    assert done.returncode == 0
    assert "2 skipped" in done.stdout


@pytest.mark.parametrize("variable", [{"CI": "true"}, {"EVENKEEL_REQUIRE_LAB": "1"}], ids=str)
def test_a_skipped_lab_test_fails_where_the_lab_is_required(suite: Path, variable: dict[str, str]) -> None:
    done = run(suite, **variable)
    assert done.returncode == 1
    assert "1 failed, 1 skipped" in done.stdout
    assert "no room for a lab" in done.stdout or "needs root" in done.stdout or "needs Linux" in done.stdout
