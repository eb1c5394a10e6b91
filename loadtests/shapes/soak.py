"""`--peak` from the first second to the last: for hours of the same."""

from __future__ import annotations

from loadtests.rate import RateShape


class Soak(RateShape):
    def during(self, t: float) -> float:
        return float(self.runner.environment.parsed_options.peak)  # type: ignore[union-attr]

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        options.base = options.peak
        return super().tick()
