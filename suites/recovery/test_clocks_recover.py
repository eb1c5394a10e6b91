"""What becomes of elections when somebody's clock is wrong."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-22",
    "A component whose clock is wrong leads on or makes way, and never does anybody lead beside it",
    severity="medium",
    reason="Clocks drift and are set wrong. An election that compares timestamps of different machines then has two "
    "winners, and two leaders undo each other's work.",
    remedy="Keep every node's clock synchronized, and use elections that count from when a renewal was seen.",
    source="F-22; S0-16",
    live=True,
    set="complete",
)
def test_a_wrong_clock_makes_no_second_leader(run: Run, profile: Profile, expect: Expect) -> None:
    """The leading controller-manager sees a time of day an hour ahead, then one an hour behind; then the leading
    scheduler an hour ahead, and an API server ten minutes behind. Nobody else may take over, never two lead at once,
    and no target be out for longer than the profile's budgets for F-22."""
    for target in ("leader-ahead", "leader-behind", "scheduler-ahead", "api-server"):
        judge(run("clock-skew", target=target), "F-22", profile, expect)
