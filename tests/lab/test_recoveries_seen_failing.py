"""Controls of recovery fail on what is deployed badly, each for the reason that was put there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import runner
from experiments.result import Result
from experiments.settings import Settings
from fixtures.clusters.lab.lab import Lab
from fixtures.profiles import profile as profiles
from fixtures.verdict import Outcome
from tests.lab.bad_subjects import Deployed, Subject, deployed
from tests.recovery import seen_failing as seen
from tests.recovery.broken import applications
from tests.recovery.seen_failing import reasons, seen_failing

pytestmark = [pytest.mark.lab, pytest.mark.nightly]

BEYOND = str(Path(seen.__file__).with_name("beyond.yaml"))


def settings(lab: Lab, subject: Deployed, tmp_path: Path, profile: str = BEYOND) -> Settings:
    return runner.settings_for(
        lab,
        profile=profile,
        allow_disruption=True,
        app=subject.app,
        app_url=subject.app_url,
        run_directory=str(tmp_path),
    )


def judged(control: str, aimed: Settings) -> Outcome:
    """By the control itself, which breaks what it always breaks."""

    def run(name: str, target: str = "") -> Result:
        return runner.run(name, aimed, target)

    return seen.judged(control, run, profiles.load(aimed.profile))


@pytest.fixture(scope="module")
def single(lab: Lab) -> Iterator[Deployed]:
    """One replica."""
    with deployed(lab, Subject(replicas=1, start_s=2, node_port=30088)) as subject:
        yield subject


@pytest.fixture
def together(lab: Lab) -> Iterator[Deployed]:
    """Two replicas on one worker, without a disruption budget, that end at once and start slowly."""
    with applications.together(lab) as subject:
        yield subject


@seen_failing("REC-01")
def test_one_replica_is_missed_when_it_is_killed(lab: Lab, single: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-01", settings(lab, single, tmp_path))
    assert outcome.verdict == "fail", outcome.reason
    assert "app: longest outage" in reasons(outcome)


def test_one_replica_is_not_killed_where_no_outage_was_allowed(lab: Lab, single: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-01", settings(lab, single, tmp_path, profile="lab"))
    assert outcome.verdict == "unknown"
    assert "run at least 2 replicas" in outcome.reason


@seen_failing("REC-02")
def test_the_only_container_is_missed_when_it_is_killed(lab: Lab, single: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-02", settings(lab, single, tmp_path))
    assert outcome.verdict == "fail", outcome.reason
    assert "app: longest outage" in reasons(outcome)


@seen_failing("REC-03")
def test_pods_that_share_a_node_are_missed_together(lab: Lab, together: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-03", settings(lab, together, tmp_path))
    assert outcome.verdict == "fail", outcome.reason
    assert "app: longest outage" in reasons(outcome)


@seen_failing("REC-04")
def test_a_node_takes_an_application_with_it_that_is_on_no_other(lab: Lab, together: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-04", settings(lab, together, tmp_path))
    assert outcome.verdict == "fail", outcome.reason
    assert "app: longest outage" in reasons(outcome)


@seen_failing("REC-08")
def test_a_drain_empties_an_application_that_shares_a_node(lab: Lab, together: Deployed, tmp_path: Path) -> None:
    outcome = judged("REC-08", settings(lab, together, tmp_path))
    assert outcome.verdict == "fail", outcome.reason
    assert "app: longest outage" in reasons(outcome)


def test_a_budget_that_never_has_room_forbids_the_drain(lab: Lab, tmp_path: Path) -> None:
    with deployed(lab, Subject(max_unavailable=0)) as subject:
        outcome = judged("REC-08", settings(lab, subject, tmp_path, profile="lab"))
    assert outcome.verdict == "unknown"
    assert "allows no disruption at the moment" in outcome.reason
