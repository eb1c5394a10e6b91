"""How often one user knocks: the same for every kind of user, so that a shape can be said in requests a second."""

from __future__ import annotations

import random
import time
from argparse import ArgumentParser
from typing import Any

from locust import FastHttpUser, events


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--per-user", type=float, default=5.0, env_var="LOAD_PER_USER", help="tasks a second by each user (5)")
    option(
        "--reuse",
        action="store_true",
        env_var="LOAD_REUSE",
        help="keep connections; else one a request, as from many clients",
    )
    option("--timeout", type=float, default=5.0, env_var="LOAD_TIMEOUT", help="seconds until a request has failed (5)")


class PacedUser(FastHttpUser):
    """A user that starts a task every 1/`--per-user` seconds, or at once when the one before took longer."""

    abstract = True
    concurrency = 1

    def __init__(self, environment: Any) -> None:
        options = environment.parsed_options
        # of the class: FastHttpUser makes its client from them
        type(self).network_timeout = options.timeout
        type(self).connection_timeout = min(options.timeout, 2.0)
        if not options.reuse:
            type(self).default_headers = {"Connection": "close"}
        super().__init__(environment)
        self._every = 1.0 / options.per_user
        self._next = time.monotonic() + random.random() * self._every  # users who came together don't knock together

    def wait_time(self) -> float:
        """Seconds until the next task is due. What is late is not made up for: users wait for their answers."""
        now = time.monotonic()
        self._next = max(self._next + self._every, now)
        return self._next - now

    def on_start(self) -> None:
        time.sleep(max(0.0, self._next - time.monotonic()))
