"""Dozens of faults: the summary names those that did not pass, and folds the others."""

from __future__ import annotations

import re

from reports import html
from reports.model import Experiment, Run, Verdict

STARTED = "2026-01-01T00:00:00Z"


def page(*verdicts: Verdict) -> str:
    faults = [
        Experiment(name=f"e{n}", fault=f"F-{n:02}", title=f"Fault {n}", verdict=v) for n, v in enumerate(verdicts)
    ]
    run = Run(id="x", started=STARTED, experiments=faults)
    run.summarize()
    return html.render(run)


def summary(text: str) -> str:
    found = re.search(r'<section id="summary".*?</section>', text, re.DOTALL)
    assert found is not None
    return found.group()


def test_the_few_that_failed_stand_before_the_many_that_passed() -> None:
    passed, failed = [Verdict.PASS] * 20, [Verdict.FAIL]
    shown, _, folded = summary(page(*passed, *failed, *passed)).partition("<details")
    assert "Fault 20" in shown
    assert shown.count("<li>") == 1
    assert folded.count("<li>") == 40
    assert "40 passed" in folded


def test_each_leads_to_its_own_section() -> None:
    text = page(*[Verdict.PASS] * 13, Verdict.FAIL)
    assert 'href="#fault-14"' in summary(text)
    assert 'id="fault-14"' in text


def test_a_handful_is_listed_in_order_and_not_folded() -> None:
    text = summary(page(Verdict.PASS, Verdict.FAIL, Verdict.PASS))
    assert "<details" not in text
    assert re.findall(r"Fault \d", text) == ["Fault 0", "Fault 1", "Fault 2"]
