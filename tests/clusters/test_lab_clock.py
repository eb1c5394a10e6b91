"""A process's time of day is shifted and put back. On this machine's own processes, without a lab."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import clock
from fixtures.clusters.lab.processes import Process

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="writing another process's memory needs root"),
    pytest.mark.skipif(bool(clock.why_not()), reason=clock.why_not() or "-"),
]
SAYS_THE_TIME = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


class Sayer:
    """A process that says what time it is when it is asked."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SAYS_THE_TIME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ask()
        self.identity = Process.of(self.process.pid)

    def ask(self) -> tuple[float, float]:
        """By how much its time of day, and its monotonic clock, differ from ours."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        day, monotonic = map(float, self.process.stdout.readline().split())
        return day - time.time(), monotonic - time.monotonic()


@pytest.fixture
def sayer() -> Iterator[Sayer]:
    made = Sayer()
    yield made
    made.process.kill()
    made.process.communicate()


@pytest.mark.parametrize("seconds", [3600, -90])
def test_the_time_of_day_is_off_and_the_monotonic_clock_is_not(sayer: Sayer, seconds: int) -> None:
    clock.skew(sayer.identity, seconds)
    day, monotonic = sayer.ask()
    assert day == pytest.approx(seconds, abs=1)
    assert monotonic == pytest.approx(0, abs=1)
    assert clock.skewed(sayer.identity) == seconds


def test_no_other_process_sees_it(sayer: Sayer) -> None:
    before = time.time()
    clock.skew(sayer.identity, 86_400)
    assert time.time() - before < 60
    assert clock.skewed(Process.of(os.getpid())) == 0


def test_it_is_undone_to_the_last_byte_and_twice_is_harmless(sayer: Sayer) -> None:
    clock.skew(sayer.identity, 300)
    clock.skew(sayer.identity, 600)
    assert sayer.ask()[0] == pytest.approx(600, abs=1)
    for _ in range(2):
        clock.skew(sayer.identity, 0)
        assert sayer.ask()[0] == pytest.approx(0, abs=1)
    assert clock._find(sayer.identity.pid).body == clock._find(os.getpid()).body


def test_a_process_that_asks_all_the_time_survives_many_changes() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.time()"])
    try:
        time.sleep(0.2)
        process = Process.of(busy.pid)
        for turn in range(100):
            clock.skew(process, 100 * (turn % 2))
        assert busy.poll() is None
    finally:
        busy.kill()
        busy.wait()


def test_a_process_that_is_gone_has_nothing_to_undo(sayer: Sayer) -> None:
    sayer.process.kill()
    sayer.process.wait()
    clock.skew(sayer.identity, 0)


def test_the_function_is_looked_for_by_name() -> None:
    image = bytearray(64)
    with pytest.raises(ClusterError, match="no __vdso_clock_gettime"):
        clock._symbol(bytes(image))
