"""`--peak` for `--spike` seconds in the middle of `--hold` seconds of `--base`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from locust import events

from loadtests.rate import RateShape


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--spike", type=float, default=5.0, env_var="LOAD_SPIKE", help="seconds that the spike lasts (5)")


class Spike(RateShape):
    def during(self, t: float) -> float:
        options = self.runner.environment.parsed_options  # type: ignore[union-attr]
        return float(options.peak if abs(t - options.hold / 2) <= options.spike / 2 else options.base)
