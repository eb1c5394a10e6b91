"""What a fault that stops a part of the cluster is judged by afterwards: refusals, silence, and the way back."""

from __future__ import annotations

import pytest

from experiments.aftermath import NEVER, Aftermath
from experiments.checks import acknowledged_writes
from experiments.checks.acknowledged_writes import Written
from fixtures.prober.outage import Interval
from fixtures.prober.sample import Outcome, Sample
from fixtures.profiles.profile import Profile

PROFILE = Profile(name="test", budgets={"F-15": {"return": 3, "refusal": 2}})


def probe(seq: int, outcome: Outcome = Outcome.OK, took: float = 0.01) -> Sample:
    """One every tenth of a second."""
    return Sample(seq, seq / 10, seq / 10, seq / 10 + took, outcome)


def after(*samples: Sample, healing: float = 6.0) -> Aftermath:
    """A fault at 1 s, proven at 2 s, healed from 6 s on."""
    return Aftermath(
        fault="F-15", profile=PROFILE, samples={"api-write": samples}, injected=1.0, proven=2.0, healing=healing
    )


def story(back_at: float, during: Outcome = Outcome.STATUS) -> list[Sample]:
    """Good until 1 s, bad until `back_at`, good until 12 s."""
    return [probe(i, Outcome.OK if i < 10 or i / 10 >= back_at else during) for i in range(120)]


def test_the_way_back_counts_from_when_healing_begins() -> None:
    aftermath = after(*story(back_at=8.5))
    assert aftermath.back("api-write") == pytest.approx(2.5)
    assert aftermath.returned("api-write").verdict == "pass"


def test_a_return_beyond_its_budget_fails_with_both_figures() -> None:
    check = after(*story(back_at=9.5)).returned("api-write")
    assert (check.name, check.verdict) == ("api-write-return", "fail")
    assert "3.50 s after healing began, budget 3 s" in check.message


def test_a_target_that_never_answers_again_fails() -> None:
    check = after(*story(back_at=NEVER)).returned("api-write")
    assert check.verdict == "fail"
    assert "not seen" in check.message


def test_one_good_probe_is_not_a_return() -> None:
    samples = story(back_at=9.5)
    samples[70] = probe(70)
    assert after(*samples).back("api-write") == pytest.approx(3.5)


def test_a_write_acknowledged_without_a_quorum_fails() -> None:
    samples = story(back_at=8.5)
    samples[40] = probe(40)
    check = after(*samples).refused("api-write")
    assert check.verdict == "fail"
    assert "keys 40" in check.message


def test_refusals_throughout_pass() -> None:
    assert after(*story(back_at=8.5)).refused("api-write").verdict == "pass"


def test_nothing_probed_between_proof_and_healing_is_unknown() -> None:
    assert after(*story(back_at=8.5), healing=2.0).refused("api-write").verdict == "unknown"


def test_clients_left_waiting_for_longer_than_the_budget_fail() -> None:
    clean = after(*story(back_at=8.5)).hanging(["api-write"])
    assert clean.verdict == "pass"
    silent = after(*story(back_at=8.5, during=Outcome.TIMEOUT)).hanging(["api-write"])
    assert silent.verdict == "fail"
    assert "got no answer at all" in silent.message


def kept(*keys: int) -> list[Written]:
    return [Written(key, 100 + key) for key in keys]


def test_what_was_acknowledged_after_the_snapshot_may_be_gone_and_is_counted() -> None:
    samples = [probe(i) for i in range(40)]
    check = acknowledged_writes.judge(samples, kept(*range(22), *range(30, 40)), Interval(2.0, 3.0))
    assert check.verdict == "pass", check.message
    assert "of 10 acknowledged between the snapshot and the loss, 8 are gone" in check.message


@pytest.mark.parametrize("lost", [5, 35])
def test_what_was_acknowledged_before_the_snapshot_or_after_the_restore_may_not(lost: int) -> None:
    samples = [probe(i) for i in range(40)]
    there = kept(*(k for k in range(40) if k != lost))
    check = acknowledged_writes.judge(samples, there, Interval(2.0, 3.0))
    assert check.verdict == "fail"
    assert f"acknowledged but lost (keys {lost})" in check.message
