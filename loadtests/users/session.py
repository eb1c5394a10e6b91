"""A user with a purpose: it reads, writes with an idempotency key, and tries a write that got no answer again.

One operation has one key however often it is tried, in the header `Idempotency-Key` and in the body. Tries that failed
are failures of the name "write"; an operation given up is one of the name "operation".
"""

from __future__ import annotations

import time
import uuid
from argparse import ArgumentParser
from typing import Any

from locust import events, task

import loadtests.record  # noqa: F401 - with --record it writes down every second
from loadtests.pace import PacedUser

PAUSE_S = 0.1


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--read-path", default="/hostname", env_var="LOAD_READ_PATH", help="what is read (/hostname)")
    option("--write-path", default="/echo", env_var="LOAD_WRITE_PATH", help="what is written to, by POST (/echo)")
    option("--tries", type=int, default=3, env_var="LOAD_TRIES", help="of one operation, with one key (3)")


class SessionUser(PacedUser):
    """Four reads to a write."""

    @task(4)
    def read(self) -> None:
        self.client.get(self.environment.parsed_options.read_path, name="read")

    @task
    def write(self) -> None:
        options = self.environment.parsed_options
        key = str(uuid.uuid4())
        began = time.perf_counter()
        for number in range(options.tries):
            if number:
                time.sleep(PAUSE_S * 2**number)
            answer = self.client.post(
                options.write_path, name="write", headers={"Idempotency-Key": key}, json={"key": key}
            )
            if answer.status_code and answer.status_code < 400:
                return
        self.environment.events.request.fire(
            request_type="OPERATION",
            name="operation",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=RuntimeError(f"given up after {options.tries} tries"),
            context={},
        )
