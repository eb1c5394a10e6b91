"""How values are said."""

from __future__ import annotations

import pytest

from reports import wording
from reports.model import Control, Experiment, Run, State, Verdict

STARTED = "2026-01-31T09:30:00.000Z"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.00042, "0.4 ms"),
        (0.0061, "6.1 ms"),
        (0.24, "240 ms"),
        (0.9996, "1 s"),
        (2.15, "2.15 s"),
        (5.0, "5 s"),
        (59.994, "59.99 s"),
        (59.999, "1 min"),
        (431.6, "7 min 12 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min 5 s"),
        (-0.25, "−250 ms"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float | None, said: str) -> None:
    assert wording.duration(seconds) == said


def test_what_does_not_print_is_shown_as_an_escape() -> None:
    assert wording.printable("a\x1b[31m\u202eb\ud800\tc\n") == "a\\x1b[31m\\u202eb\\ud800\tc\n"
    assert wording.printable("größe ≥ 2 数 🙂") == "größe ≥ 2 数 🙂"


@pytest.mark.parametrize(
    ("controls", "faults", "said"),
    [
        ([], [], "There was nothing to judge."),
        (["pass"], [], "1 control passed, nothing failed."),
        (["pass", "pass"], ["pass"], "2 controls and 1 fault passed, nothing failed."),
        (["fail", "unknown"], [], "1 control failed, 1 control could not be judged."),
        (["unknown"], [], "Nothing failed, but 1 control could not be judged."),
        (["not-applicable", "waived"], [], "Nothing failed, and nothing applied."),
        ([], ["fail"], "1 fault failed."),
    ],
)
def test_the_headline_says_what_happened(controls: list[str], faults: list[str], said: str) -> None:
    run = Run(
        id="x",
        started=STARTED,
        state=State.FINISHED,
        controls=[Control(id="APP-01", title="", verdict=Verdict(v)) for v in controls],
        experiments=[Experiment(name="pod-kill", verdict=Verdict(v)) for v in faults],
    )
    run.summarize()
    assert wording.headline(run) == said


def test_the_headline_of_a_run_that_did_not_end() -> None:
    run = Run(id="x", started=STARTED, state=State.INTERRUPTED)
    run.controls = [Control(id="APP-01", title="", verdict=Verdict.FAIL)]
    run.summarize()
    assert wording.headline(run) == "The run was interrupted; 1 control failed so far."


def test_the_worst_target_is_named(run: Run) -> None:
    said = {e.fault: wording.against_budget(e) for e in run.experiments}
    assert said["F-01"] == "no outage"
    assert said["F-10"] == "api-write out for 2.15 s (± 50 ms) of 4 s allowed"
    assert said["F-12"] == "deploy out for 6.4 s (± 50 ms) of 5 s allowed"
