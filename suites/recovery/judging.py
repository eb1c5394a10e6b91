"""How a measurement becomes findings."""

from __future__ import annotations

from experiments.measured import Measured
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile


def judge(measured: Measured, fault: str, profile: Profile, expect: Expect) -> None:
    """Every target within the budget of the fault, and everything else that had to be true."""
    for outage in measured.outages():
        expect(outage, outage.at_least <= profile.budget(fault, outage.kind), outage.explain())
    for check in measured.checks():
        expect(check, check.held, check.explain())
