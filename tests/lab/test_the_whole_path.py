"""`evenkeel run` on the lab: the cluster is audited, broken, measured, mended and reported on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fixtures.clusters.lab.lab import Lab
from fixtures.safety.objects import Pods
from fixtures.safety.rest import Rest
from tests.lab import condition, killing
from tests.lab.waiting import wait

pytestmark = pytest.mark.lab

FAULTS = ("F-01", "F-10", "F-11", "F-12")
RECOVERIES = tuple(fault.replace("F-", "REC-") for fault in FAULTS)
FIRST = (
    *("SYS-01", "SYS-02", "SYS-03", "SYS-05", "SYS-06", "SYS-08", "SYS-09", "SYS-10", "SYS-19", "SYS-25"),
    *("APP-01", "APP-02", "APP-04", "APP-09", "APP-12", "APP-13", "APP-17", "ACC-01", "ACC-02"),
)
# Budgets are the report's to judge, on a machine that does nothing else. A test machine may be busy: beyond this much
# more than the budget, an outage is no noise.
BUSY_S = 3.0


def settled(lab: Lab) -> None:
    """Wait until nothing that another test did is still going on: it would be judged as a part of the lab."""
    killing.steady(lab)
    rest, masters = Rest.of(lab), sum(node.role == "control-plane" for node in lab.nodes())

    def whole() -> bool:
        static = rest.get("/api/v1/pods", Pods, {"labelSelector": "tier=control-plane"}).items
        return not condition.leaving(rest) and sum(pod.ready for pod in static) == 4 * masters

    wait("every control plane has its four pods Ready, and no namespace is being deleted", whole, 120)


@pytest.fixture(scope="module")
def directory(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's directory. Its exit code is judged by what it says: 0 nothing failed, 1 a control did."""
    settled(lab)
    where = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-m", "evenkeel", "run", "--allow-disruption", f"--run-dir={where}"]
    selected = ",".join((*FIRST, *RECOVERIES))
    done = subprocess.run(
        [*command, f"--controls={selected}"], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return where


@pytest.fixture(scope="module")
def run(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / "run.json").read_text()))


def test_the_report_names_the_cluster_it_is_about(run: dict[str, Any]) -> None:
    assert run["schema"] == "evenkeel.run/v1"
    assert run["state"] == "finished"
    assert len(run["cluster"]["nodes"]) == 6
    assert run["profile"]["name"] == "lab"


@pytest.mark.parametrize("control", FIRST)
def test_the_lab_is_built_as_it_should_be(run: dict[str, Any], control: str) -> None:
    found = next(c for c in run["controls"] if c["id"] == control)
    assert found["verdict"] == "pass", found["findings"] or found["reason"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_proven_healed_and_measured(run: dict[str, Any], fault: str) -> None:
    experiment = next(e for e in run["experiments"] if e["fault"] == fault)
    assert experiment["proof"]["proven"], experiment["reason"]
    assert experiment["verdict"] in ("pass", "fail"), experiment["reason"]
    assert experiment["injected"] < experiment["healed"] <= experiment["healthy"]
    assert all(t["requests"] > 100 for t in experiment["targets"])


@pytest.mark.parametrize("fault", FAULTS)
def test_no_target_is_out_for_much_longer_than_its_budget(run: dict[str, Any], fault: str) -> None:
    experiment = next(e for e in run["experiments"] if e["fault"] == fault)
    for target in experiment["targets"]:
        if target["budget_s"] is not None:
            assert target["longest_outage_s"] - target["error_bar_s"] <= target["budget_s"] + BUSY_S, target["name"]


@pytest.mark.parametrize("fault", FAULTS)
def test_prometheus_saw_the_recovery_no_finer_than_it_scrapes(run: dict[str, Any], fault: str) -> None:
    experiment = next(e for e in run["experiments"] if e["fault"] == fault)
    said = {s["name"]: s for s in experiment["corroboration"]["statements"]}
    assert {"targets", "readiness", "errors of the application", "errors of the API", "etcd leader"} <= said.keys()
    for name in ("targets", "readiness", "etcd leader"):
        assert said[name]["verdict"] == "pass", said[name]["message"]
        assert said[name]["resolution_s"] >= 2.0
    if fault == "F-10":
        assert said["targets"]["lost_s"] is not None
        assert {leader["component"] for leader in experiment["leaders"]} >= {"etcd", "kube-scheduler"}


def test_no_acknowledged_write_is_lost(run: dict[str, Any]) -> None:
    kept = [c for e in run["experiments"] for c in e["checks"] if c["name"] == "acknowledged-writes"]
    assert kept
    assert all(c["verdict"] == "pass" for c in kept), kept


def test_every_format_is_there_and_can_be_read(directory: Path, run: dict[str, Any]) -> None:
    suite = ElementTree.parse(directory / "junit.xml").getroot()  # written by the run just now
    assert len(list(suite.iter("testcase"))) == len(run["controls"]) + len(run["experiments"])
    page = (directory / "report.html").read_text()
    assert all(fault in page for fault in FAULTS)
    assert "<svg" in page
    assert list((directory / "allure-results").glob("*-result.json"))


def test_nothing_is_left_broken(lab: Lab, run: dict[str, Any]) -> None:
    assert all(n.power == "on" for n in lab.nodes())
