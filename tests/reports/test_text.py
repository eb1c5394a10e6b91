"""The terminal's summary."""

from __future__ import annotations

from reports import text
from reports.model import Run


def test_everything_that_did_not_pass_is_there(run: Run) -> None:
    said = text.render(run)
    for control in run.controls:
        assert (control.id in said) == (control.verdict.value in ("fail", "unknown"))
    assert said.splitlines()[-1].startswith("FAIL  4 controls and 1 fault failed")


def test_it_keeps_to_its_width(run: Run) -> None:
    assert max(map(len, text.render(run, width=80).splitlines())) <= 80


def test_colour_only_when_asked(run: Run) -> None:
    assert "\x1b[" not in text.render(run)
    assert "\x1b[" in text.render(run, color=True)


def test_hostile_names_command_no_terminal(hostile: Run) -> None:
    said = text.render(hostile, width=200)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[a](javascript:b)" in said, "shown as it is: brackets are no markup here"


def test_a_long_list_is_cut_and_says_so(example) -> None:
    said = text.render(example(findings=10_000))
    assert len(said.splitlines()) < 60
    assert "and 6,662 more" in said
