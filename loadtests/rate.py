"""Shapes said in requests a second: how many users that takes follows from `--per-user`."""

from __future__ import annotations

import math
from abc import abstractmethod
from argparse import ArgumentParser
from typing import Any

from locust import LoadTestShape, events


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--base", type=float, default=20.0, env_var="LOAD_BASE", help="requests a second of a quiet time (20)")
    option("--peak", type=float, default=100.0, env_var="LOAD_PEAK", help="requests a second at the most (100)")
    option("--warm", type=float, default=10.0, env_var="LOAD_WARM", help="seconds of quiet before (10)")
    option("--hold", type=float, default=60.0, env_var="LOAD_HOLD", help="seconds of what the shape is about (60)")
    option("--cool", type=float, default=10.0, env_var="LOAD_COOL", help="seconds of quiet afterwards (10)")


class RateShape(LoadTestShape):
    """Quiet for `--warm`, the subclass's `during` for `--hold`, quiet for `--cool`, then the end."""

    abstract = True

    @abstractmethod
    def during(self, t: float) -> float:
        """Requests a second, `t` seconds into `--hold`."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options: Any = self.runner.environment.parsed_options
        t = self.get_run_time()
        if t >= options.warm + options.hold + options.cool:
            return None
        within = options.warm <= t < options.warm + options.hold
        rate = self.during(t - options.warm) if within else options.base
        users = math.ceil(rate / options.per_user)
        return users, max(float(users), 100.0)
