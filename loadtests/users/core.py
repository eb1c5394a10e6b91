"""A user who reads several pages in turn: `--paths /core,/core,/list`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from locust import events, task

import loadtests.record  # noqa: F401 - with --record it writes down every second
from loadtests.pace import PacedUser


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--paths", default="/", env_var="LOAD_PATHS", help="what is asked for, one after the other (/)")


class CoreUser(PacedUser):
    """GET; any answer but 2xx or 3xx in time is a failure."""

    turn = 0

    @task
    def read(self) -> None:
        paths = self.environment.parsed_options.paths.split(",")
        self.turn += 1
        path = paths[self.turn % len(paths)]
        self.client.get(path, name=path)
