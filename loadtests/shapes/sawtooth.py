"""Up from `--base` to `--peak` and suddenly down again, `--teeth` times within `--hold` seconds."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from locust import events

from loadtests.rate import RateShape


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--teeth", type=int, default=3, env_var="LOAD_TEETH", help="how many times up and down (3)")


class Sawtooth(RateShape):
    def during(self, t: float) -> float:
        options = self.runner.environment.parsed_options  # type: ignore[union-attr]
        share = (t * options.teeth / options.hold) % 1.0
        return float(options.base + (options.peak - options.base) * share)
