"""How a load test becomes findings."""

from __future__ import annotations

from experiments.loads.result import Result, explain
from experiments.result import FAIL, UNKNOWN
from fixtures.expect import Expect


def judge(result: Result, control: str, expect: Expect) -> None:
    """Every figure of this control within its budget; what was only observed is said."""
    for figure in result.figures:
        if figure.control != control:
            continue
        subject = f"Load test {result.name}, {figure.name}"
        if figure.budget is None:
            expect.note(explain(figure))
        elif figure.verdict == UNKNOWN:
            expect.uncertain(subject, explain(figure))
        else:
            expect(subject, figure.verdict != FAIL, explain(figure), value=figure.value)
