"""A result as a suite's test asks it: what was out for how long, and may it have been."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.measurement import explain as explain_target
from experiments.result import FAIL, PASS, UNKNOWN, Check, Result, Target


class TargetOutage:
    """What one target's probes say, and in which words."""

    def __init__(self, experiment: str, target: Target) -> None:
        self._experiment, self._target = experiment, target

    @property
    def reference(self) -> str:
        """The object of a finding."""
        return f"Experiment {self._experiment}, target {self._target.name}"

    @property
    def name(self) -> str:
        return self._target.name

    @property
    def kind(self) -> str:
        """The profile's word for its budget."""
        return self._target.kind

    @property
    def longest(self) -> float:
        """Seconds of the longest outage, the prober's own stalls taken off."""
        return self._target.longest_outage_s

    @property
    def failed(self) -> int:
        """Requests without a good answer."""
        return self._target.failed

    @property
    def at_least(self) -> float:
        """Seconds that it surely lasted: what a budget is compared with. One lost request of many is no outage."""
        return max(0.0, self._target.longest_outage_s - self._target.error_bar_s)

    def explain(self) -> str:
        return explain_target(self._target)


class CheckOutcome:
    """Something else that had to be true."""

    def __init__(self, experiment: str, check: Check) -> None:
        self._experiment, self._check = experiment, check

    @property
    def reference(self) -> str:
        return f"Experiment {self._experiment}, check {self._check.name}"

    @property
    def name(self) -> str:
        return self._check.name

    @property
    def held(self) -> bool:
        return not self._check.judged or self._check.verdict != FAIL

    @property
    def known(self) -> bool:
        """Whether it could be judged at all."""
        return self._check.verdict != UNKNOWN

    def explain(self) -> str:
        return self._check.message


class Measured:
    """One experiment's result."""

    def __init__(self, result: Result) -> None:
        self.result = result

    @property
    def reference(self) -> str:
        """The object of a finding about all of it."""
        return f"Experiment {self.result.name}"

    @property
    def verdict(self) -> str:
        return self.result.verdict

    @property
    def known(self) -> bool:
        """Whether it could be judged at all."""
        return self.result.verdict != UNKNOWN

    def outage(self, target: str) -> TargetOutage:
        """Of one target. Raises `KeyError` naming those that were probed."""
        for one in self.result.targets:
            if one.name == target:
                return TargetOutage(self.result.name, one)
        raise KeyError(f"{self.result.name} probed no {target!r}, but {[t.name for t in self.result.targets]}")

    def outages(self) -> Iterator[TargetOutage]:
        """Of every target that has a budget."""
        return (TargetOutage(self.result.name, t) for t in self.result.targets if t.budget_s is not None)

    def check(self, name: str) -> CheckOutcome | None:
        """The one of this name; None where the experiment has none."""
        return next((CheckOutcome(self.result.name, c) for c in self.result.checks if c.name == name), None)

    def checks(self) -> Iterator[CheckOutcome]:
        return (CheckOutcome(self.result.name, c) for c in self.result.checks)

    def explain(self) -> str:
        return f"{self.result.name} on {self.result.target}: {self.result.reason}"

    @property
    def passed(self) -> bool:
        return self.result.verdict == PASS
