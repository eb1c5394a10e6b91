"""Waivers: an accepted deviation has an end, and something left to accept."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.waivers import Waivers


@control(
    "LCM-25",
    "Every waiver is in date and still has something to waive",
    severity="low",
    reason="A waiver that has outlived its finding hides the next one; one past its day is nobody's decision any more.",
    remedy="Mend the finding and remove the waiver, or have its owner decide again and set a new day.",
    source="Evenkeel: docs/waivers.md",
    last=True,
)
def test_waivers_are_current(waivers: Waivers, expect: Expect) -> None:
    """Judged after all other controls of the run, for each entry of the waivers file: its last day has not passed, and,
    where its control was judged in this run (neither unknown nor not-applicable), some finding matched it.
    """
    unmatched = waivers.unmatched()
    for waiver in waivers.waivers:
        expect(waiver, not waivers.expired(waiver), f"expired on {waiver.expires}", path="expires", value=waiver.owner)
        expect(waiver, waiver not in unmatched, "no finding matches it any more", path="selector", value=waiver.owner)
