"""A user whose every request costs its server CPU: netexec asks itself `--work` times before it answers.

At `--work` 10 an answer costs about 3 ms of CPU, so that a container held at 100 millicores gives some 30 a second. Any
other server: give its expensive page with `--cpu-path`, where {work} stands for the number.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from locust import events, task

import loadtests.record  # noqa: F401 - with --record it writes down every second
from loadtests.pace import PacedUser

DIAL = "/dial?host=127.0.0.1&port=8080&protocol=http&request=hostname&tries={work}"


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--work", type=int, default=10, env_var="LOAD_WORK", help="how much each request asks for (10)")
    option("--cpu-path", default=DIAL, env_var="LOAD_CPU_PATH", help="what is asked for, with {work} in it")


class CpuUser(PacedUser):
    """GET of something expensive."""

    @task
    def work(self) -> None:
        options = self.environment.parsed_options
        self.client.get(options.cpu_path.replace("{work}", str(options.work)), name="work")
