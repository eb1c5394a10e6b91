"""A user that reads one page, again and again: `--path`, by default /hostname."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from locust import events, task

import loadtests.record  # noqa: F401 - with --record it writes down every second
from loadtests.pace import PacedUser


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--path", default="/hostname", env_var="LOAD_PATH", help="what is asked for (/hostname)")


class PlainUser(PacedUser):
    """GET; any answer but 2xx or 3xx in time is a failure."""

    @task
    def read(self) -> None:
        self.client.get(self.environment.parsed_options.path, name="read")
