"""The rule for tests marked `lab`: skipped with the reason where it can't run; under CI=true that is a failure."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from fixtures.clusters.lab.supply import SupplyError
from fixtures.clusters.lab.supply.needs import refuse_unless_possible


def lab_required() -> bool:
    """A check that silently leaves out half of its tests is none."""
    return os.environ.get("CI") == "true" or os.environ.get("EVENKEEL_REQUIRE_LAB", "0") not in ("", "0")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("lab"):
        try:
            refuse_unless_possible()
        except SupplyError as reason:
            pytest.skip(str(reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("lab") and lab_required():
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped, but this run requires the lab (CI=true or EVENKEEL_REQUIRE_LAB): {why}"
    return report
