"""From `--base` to `--peak` and no faster than evenly over `--hold` seconds."""

from __future__ import annotations

from loadtests.rate import RateShape


class Ramp(RateShape):
    def during(self, t: float) -> float:
        options = self.runner.environment.parsed_options  # type: ignore[union-attr]
        return float(options.base + (options.peak - options.base) * t / options.hold)
