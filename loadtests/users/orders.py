"""A customer who must get an order through: tries again with the same key until somebody acknowledges it.

With `--ledger FILE` every order is written down when it is over: its key, whether it was acknowledged, how many tries
and seconds that took. What the service kept can be compared with it afterwards: nothing acknowledged may be missing,
and no key may be there twice.
"""

from __future__ import annotations

import json
import time
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from locust import events, task

import loadtests.record  # noqa: F401 - with --record it writes down every second
from loadtests.pace import PacedUser

PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--orders-path", default="/orders", env_var="LOAD_ORDERS_PATH", help="what is POSTed to (/orders)")
    option("--patience", type=float, default=20.0, env_var="LOAD_PATIENCE", help="seconds to try one order for (20)")
    option("--ledger", default="", env_var="LOAD_LEDGER", help="file for a line an order")


class OrdersUser(PacedUser):
    """One order after the other. A try without an answer is tried again: whether it was made is not known."""

    @task
    def order(self) -> None:
        options = self.environment.parsed_options
        key, began, tries, acknowledged = str(uuid.uuid4()), time.monotonic(), 0, False
        pause = PAUSE_S
        while not acknowledged and time.monotonic() - began < options.patience:
            if tries:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            tries += 1
            answer = self.client.post(
                options.orders_path, name="try", headers={"Idempotency-Key": key}, json={"key": key}
            )
            acknowledged = bool(answer.status_code and 200 <= answer.status_code < 300)
        self._over(key, acknowledged, tries, time.monotonic() - began)

    def _over(self, key: str, acknowledged: bool, tries: int, seconds: float) -> None:
        ledger = self.environment.parsed_options.ledger
        if ledger:
            line = {"key": key, "acknowledged": acknowledged, "tries": tries, "seconds": round(seconds, 3)}
            with Path(ledger).open("a", encoding="utf-8") as file:  # one write, so that processes may share it
                file.write(json.dumps(line) + "\n")
