"""What happened in each second, exactly: with `--record DIRECTORY` every generating process appends a line a second.

locust's own history is averaged over ten seconds, too coarse for "how long after the load did it happen". A line is a
JSON object about the requests that ended in one second of the monotonic clock:

    t           the second (CLOCK_MONOTONIC, whole)         wall      Unix time of the line
    users       simulated users                             asked     requests a second that they mean to make
    ok, failed  requests that ended                         names     {name: [ok, failed]}
    latency     {bucket: count} of good requests; a request of s seconds is in bucket round(log(s / 1 ms) / log(1.05))
    slow        the same of failed requests                 statuses  {HTTP status, 0 for none: count}
    errors      {what went wrong: count}
    cpu         cores that this process used                lag       longest lateness of a timer, seconds: above
                                                            0.1 s this process, not its target, was the slow one
"""

from __future__ import annotations

import json
import math
import os
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.runners import MasterRunner

UNIT_S, GROWTH = 0.001, 1.05
BEAT_S = 0.05
MOST_ERRORS = 20


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    option: Any = parser.add_argument
    option("--record", default="", env_var="LOAD_RECORD", help="directory for a line a second by each process")


def bucket(seconds: float) -> int:
    """Which latency bucket a request is in: 5 % wide, so a percentile is right within 2.5 %."""
    return round(math.log(max(seconds, 1e-6) / UNIT_S) / math.log(GROWTH))


class Recorder:
    """Counts what ends, and writes it down when its second is over."""

    def __init__(self, environment: Any, file: Path) -> None:
        self._environment = environment
        self._file = file.open("a", buffering=1, encoding="utf-8")
        self._cpu = time.process_time()
        self._lag = 0.0
        self._reset()
        self._second = math.floor(time.monotonic())
        environment.events.request.add_listener(self._ended)
        environment.events.quitting.add_listener(lambda **_: self._write())  # the second that was cut short
        gevent.spawn(self._beat)

    def _reset(self) -> None:
        self._good: Counter[int] = Counter()
        self._bad: Counter[int] = Counter()
        self._names: dict[str, list[int]] = {}
        self._statuses: Counter[int] = Counter()
        self._errors: Counter[str] = Counter()

    def _ended(self, name: str, response_time: float, exception: Any = None, response: Any = None, **_: Any) -> None:
        if exception is None:
            self._good[bucket(response_time / 1000)] += 1
        else:
            self._bad[bucket(response_time / 1000)] += 1
            text = f"{type(exception).__name__}: {exception}"[:200]
            self._errors[text if text in self._errors or len(self._errors) < MOST_ERRORS else "others"] += 1
        self._names.setdefault(name, [0, 0])[exception is not None] += 1
        self._statuses[int(getattr(response, "status_code", 0) or 0)] += 1

    def _beat(self) -> None:
        due = time.monotonic()
        while True:
            due += BEAT_S
            gevent.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self._lag = max(self._lag, now - due)
            due = max(due, now - BEAT_S)  # a long stall is one lateness, not many
            if math.floor(now) != self._second:
                self._write()

    def _write(self) -> None:
        second, self._second = self._second, math.floor(time.monotonic())
        users = self._environment.runner.user_count if self._environment.runner else 0
        cpu = time.process_time()
        line = {
            "t": second,
            "wall": round(time.time(), 3),
            "users": users,
            "asked": users * self._environment.parsed_options.per_user,
            "ok": sum(self._good.values()),
            "failed": sum(self._bad.values()),
            "names": self._names,
            "latency": self._good,
            "slow": self._bad,
            "statuses": self._statuses,
            "errors": self._errors,
            "cpu": round(cpu - self._cpu, 4),
            "lag": round(self._lag, 4),
        }
        self._cpu, self._lag = cpu, 0.0
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._reset()


@events.init.add_listener
def _begin(environment: Any, **_: Any) -> None:
    directory = environment.parsed_options.record
    if directory and not isinstance(environment.runner, MasterRunner):  # a master simulates nobody
        Path(directory).mkdir(parents=True, exist_ok=True)
        Recorder(environment, Path(directory) / f"{os.getpid()}.jsonl")
