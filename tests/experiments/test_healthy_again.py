"""When a cluster counts as healthy again: for a while, and not by what its API showed before kubelets could tell it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from experiments import actions
from fixtures.prober.sample import Header, Outcome, Sample

KINDS = {"api-write": "api-write", "app": "app"}


class Healing:
    """A trial on a clock that only sleeping moves. Healthy but for a time that is told of late."""

    def __init__(self, late: tuple[float, float], failed: dict[str, float]) -> None:
        self.time, self.late, self.failed = 100.0, late, failed
        self.clock = SimpleNamespace(now=lambda: self.time)
        self.scene = SimpleNamespace(troubles=self._troubles)
        self.prober = SimpleNamespace(samples=self._samples)
        self.healthy: float | None = None
        self.troubles: list[str] = []

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def _troubles(self) -> list[str]:
        return ["told of late"] if self.late[0] <= self.time < self.late[1] else []

    def _samples(self) -> tuple[Header, dict[str, list[Sample]]]:
        targets = [{"name": name, "kind": kind} for name, kind in KINDS.items()]
        header = Header(monotonic_ns=0, wall_ns=0, targets=targets)
        return header, {name: [*self._failed(name), *self._good()] for name in KINDS}

    def _failed(self, name: str) -> list[Sample]:
        at = self.failed.get(name)
        return [] if at is None else [Sample(0, at, at, at, Outcome.TIMEOUT)]

    def _good(self) -> list[Sample]:
        return [Sample(n, self.time, self.time, self.time, Outcome.OK) for n in range(1, 10)]


@pytest.mark.parametrize(
    ("failed", "healthy"),
    [
        ({"api-write": 99.0}, 108.0),  # a kubelet may say what it could not say then until 110
        ({"app": 99.0}, 100.0),  # the API was there all the time: what it shows is true
        ({}, 100.0),
    ],
)
def test_what_the_api_shows_is_believed_once_all_have_told_it(
    failed: dict[str, float], healthy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Healing(late=(105.0, 108.0), failed=failed)
    monkeypatch.setattr(actions, "current", lambda: trial)
    monkeypatch.setattr(actions, "time", SimpleNamespace(sleep=trial.sleep))
    assert actions.wait_healthy(within_s=60.0, settle_s=2.0, reports_s=11.0)
    assert trial.healthy == pytest.approx(healthy, abs=2 * actions.LOOK_S)
