"""JUnit XML that any parser reads, with every control in it, and red when the run is."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from reports import junit
from reports.model import Run, State


def parsed(run: Run) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(run).encode())


def test_every_control_and_experiment_is_one_case(run: Run) -> None:
    root = parsed(run)
    names = [case.get("name", "") for case in root.iter("testcase")]
    assert len(names) == len(run.controls) + len(run.experiments)
    assert {name.split()[0] for name in names} == {c.id for c in run.controls} | {e.fault for e in run.experiments}


def test_the_counts_are_those_of_the_run(run: Run) -> None:
    root = parsed(run)
    controls, experiments = run.summary.controls, run.summary.experiments
    assert int(root.get("failures", "")) == controls.fail + experiments.fail
    assert int(root.get("skipped", "")) == sum(t.unknown + t.waived + t.not_applicable for t in (controls, experiments))
    assert int(root.get("tests", "")) == sum(int(suite.get("tests", "")) for suite in root)
    assert root.get("errors") == "0"


def test_a_failure_names_objects_and_remedy(run: Run) -> None:
    failure = next(case for case in parsed(run).iter("testcase") if case.get("name", "").startswith("APP-01")).find(
        "failure"
    )
    assert failure is not None
    assert failure.get("message") == "4 findings"
    assert "manifests/shop.yaml:57: Deployment shop-000/service-00001: 1 replica, 2 wanted" in (failure.text or "")
    assert "Remedy: Set spec.replicas" in (failure.text or "")


def test_what_was_not_judged_is_skipped_with_its_reason(run: Run) -> None:
    skipped = {
        case.get("name", "").split()[0]: found.get("message", "")
        for case in parsed(run).iter("testcase")
        if (found := case.find("skipped")) is not None
    }
    assert skipped["SYS-17"] == "unknown: secrets of kube-system are forbidden to this user"
    assert skipped["APP-09"].startswith("waived: ")
    assert skipped["F-17"].startswith("unknown: injection not proven")


@pytest.mark.parametrize("state", [State.RUNNING, State.INTERRUPTED])
def test_a_run_that_did_not_end_is_an_error(run: Run, state: State) -> None:
    whole = [c for c in run.controls if c.verdict.value == "pass"]
    broken_off = Run(id=run.id, started=run.started, state=state, controls=whole)
    broken_off.summarize()
    root = parsed(broken_off)
    assert root.get("errors") == "1"
    assert root.find(".//testcase/error[@type]") is not None


def test_a_run_whose_setup_crashed_is_still_a_document(run: Run) -> None:
    root = parsed(Run(id=run.id, started=run.started, state=State.INTERRUPTED))
    assert [case.get("name") for case in root.iter("testcase")] == ["the run came to its end"]


def test_hostile_names_stay_text(hostile: Run) -> None:
    root = parsed(hostile)
    assert not list(root.iter("img"))
    assert any("<img src=x onerror=alert(1)>" in case.get("name", "") for case in root.iter("testcase"))
    assert root.get("errors") == "1", "a problem with the input is an error"


def test_in_a_strict_run_an_unknown_control_is_a_failure(run: Run) -> None:
    run.strict = True
    cases = {case.get("name", "").split()[0]: case for case in parsed(run).iter("testcase")}
    failure = cases["SYS-17"].find("failure")
    assert failure is not None
    assert failure.get("type") == "unknown"
    assert cases["APP-09"].find("failure") is None
