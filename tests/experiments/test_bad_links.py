"""What proves a bad link, and what its requests must keep to. Synthetic samples, no cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from experiments.aftermath import Aftermath
from experiments.faults.bad_link import IMPAIRMENTS, BadLink
from experiments.faults.fault import Victim
from experiments.scene import Scene
from fixtures.prober.sample import Outcome, Sample
from fixtures.profiles import profile

SCENE = cast(Scene, None)
VICTIM = Victim(kind="Link", name="worker-1", node="worker-1", target="loss")


@pytest.mark.parametrize(
    ("after", "proven"),
    [
        ({"met": 500, "lost": 25}, True),
        ({"met": 500, "lost": 0}, False),  # a rule that hits nothing
        ({"met": 3, "lost": 1}, False),
        ({"sent": 900, "dropped": 0, "held back": 40}, True),
        ({"sent": 900, "dropped": 0, "held back": 0}, False),  # never full: the rate bounded nothing
        ({"carried": 900, "delayed": 900, "corrupted": 0, "dropped": 0}, True),
        ({}, False),
    ],
)
def test_a_bad_link_is_proven_by_the_packets_it_met_and_hit(after: Mapping[str, int], proven: bool) -> None:
    assert BadLink().proven({}, after) is proven


def test_every_target_has_its_impairment() -> None:
    assert set(BadLink.targets) == set(IMPAIRMENTS)


def sample(n: int, *, ok: bool = True, latency_s: float = 0.01) -> Sample:
    at = n * 0.05
    outcome = Outcome.OK if ok else Outcome.TIMEOUT
    return Sample(seq=n, scheduled=at, started=at, finished=at + latency_s, outcome=outcome)


def examined(samples: list[Sample]) -> dict[str, str]:
    aftermath = Aftermath(
        fault="F-18",
        profile=profile.load("lab"),
        samples={"app": samples, "control": samples[:1]},
        injected=1.0,
        proven=1.5,
        healing=10.0,
        healed=10.5,
    )
    return {c.name: c.verdict for c in BadLink().examine(SCENE, VICTIM, aftermath)}


def test_few_failures_and_quick_answers_are_borne() -> None:
    samples = [sample(n, ok=n != 100) for n in range(300)]
    assert examined(samples) == {"app-failed-percent": "pass", "app-p99": "pass"}


def test_one_failure_in_ten_is_too_many() -> None:
    assert examined([sample(n, ok=bool(n % 10)) for n in range(300)])["app-failed-percent"] == "fail"


def test_late_answers_are_found_although_none_fails() -> None:
    late = [sample(n, latency_s=1.5 if 40 < n < 100 else 0.01) for n in range(300)]
    assert examined(late) == {"app-failed-percent": "pass", "app-p99": "fail"}


def test_what_was_not_probed_is_unknown() -> None:
    assert examined([sample(1)]) == {"app-failed-percent": "unknown"}
