"""How a measurement becomes findings."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.checks import audits, coupled_restarts
from experiments.measured import Measured
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile

OF_THE_WHOLE_RUN = (audits.NAME, coupled_restarts.NAME)
"""Checks that have controls of their own, over all experiments."""


def judge(measured: Measured, fault: str, profile: Profile, expect: Expect) -> None:
    """Every target within the budget of the fault, and everything else that had to be true of this fault. Of an
    experiment that can't be judged only that; those on other targets still can."""
    if not measured.known:
        expect.uncertain(measured, measured.result.reason)
        return
    for outage in measured.outages():
        expect(outage, outage.at_least <= profile.budget(fault, outage.kind), outage.explain())
    for check in measured.checks():
        if check.name not in OF_THE_WHOLE_RUN:
            expect(check, check.held, check.explain())


def throughout(experiments: Sequence[Measured], check: str, expect: Expect) -> None:
    """One check over every experiment that has it; none at all says nothing about the cluster."""
    found = [outcome for one in experiments if (outcome := one.check(check)) is not None]
    if not found:
        expect.not_applicable(f"no experiment of this run has a check {check}: run those of the recovery suite")
    for outcome in found:
        if outcome.known:
            expect(outcome, outcome.held, outcome.explain())
        else:
            expect.uncertain(outcome, outcome.explain())
