"""That an audit says exactly what a situation is, and takes it back."""

from __future__ import annotations

from tests.lab.situations.eye import Eye
from tests.lab.situations.situation import Situation

MENDED_S = 90.0


def prove(situation: Situation, eye: Eye) -> None:
    """Make it, see exactly the expected verdicts change, and undo it, after which nothing differs from before."""
    calm = eye.calm(evidence=situation.evidence)
    with situation.deed(eye.lab, eye.api):
        found = eye.until(calm, situation.expected, within_s=situation.within_s, evidence=situation.evidence)
    left = eye.until(calm, {}, within_s=MENDED_S, evidence=situation.evidence)
    assert found == situation.expected, situation.why
    assert left == {}, f"not as it was after {situation.name}"
