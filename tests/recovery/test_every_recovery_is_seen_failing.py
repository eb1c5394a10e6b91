"""A control that never failed may be unable to: each of recovery's was seen failing, for the right reason."""

from __future__ import annotations

import pytest

from fixtures import catalogue
from tests.recovery.seen_failing import RECORDED, Recording, in_the_lab, judged_again, reasons, recordings

MADE = recordings()


@pytest.mark.parametrize("recording", MADE.values(), ids=MADE)
def test_a_recorded_run_with_a_broken_set_up_still_fails_for_its_reason(recording: Recording) -> None:
    outcome = judged_again(recording)
    assert outcome.verdict == "fail", outcome.reason
    for text in recording.says:
        assert text in reasons(outcome)


@pytest.mark.parametrize("recording", MADE.values(), ids=MADE)
def test_a_recording_says_how_it_was_made(recording: Recording) -> None:
    assert recording.made
    assert recording.cluster
    assert recording.when
    assert recording.says


def test_a_recording_is_small_and_named_after_its_control() -> None:
    for name, recording in MADE.items():
        assert name.startswith(f"{recording.control}-"), name
        assert (RECORDED / f"{name}.json").stat().st_size < 40_000, name


def test_every_control_of_recovery_was_seen_failing() -> None:
    every = {id_ for id_ in catalogue.controls() if id_.startswith("REC-")}
    seen = set(in_the_lab()) | {one.control for one in MADE.values()}
    assert every - seen == set(), "no broken set-up was seen to make these fail: see broken/"
    assert seen - every == set(), "there is no such control"
