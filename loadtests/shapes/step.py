"""From `--base` to `--peak` at once, for `--hold` seconds, and back."""

from __future__ import annotations

from loadtests.rate import RateShape


class Step(RateShape):
    def during(self, t: float) -> float:
        return float(self.runner.environment.parsed_options.peak)  # type: ignore[union-attr]
