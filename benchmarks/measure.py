"""What a command costs: wall and CPU time of it and all that it starts, and the most memory they hold together."""

from __future__ import annotations

import atexit
import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

SAMPLE_S = 0.1


@dataclass(frozen=True)
class Cost:
    """`memory_mib` counts pages that processes share once (PSS), looked at every 100 ms."""

    wall_s: float
    cpu_s: float
    memory_mib: float
    exit_code: int

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s wall, {self.cpu_s:.2f} s CPU, {self.memory_mib:.0f} MiB"


def run(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end, its output thrown away, and say what it cost."""
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=compiled(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    most, ended = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, most, ended))
    watcher.start()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    ended.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    # A child begins with its parent's peak as its own: below that it says nothing, and only what was seen counts.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = max(most[0], used.ru_maxrss * 1024 if used.ru_maxrss > ours else 0)
    return Cost(wall, used.ru_utime + used.ru_stime, memory / 2**20, process.returncode)


def _watch(pid: int, most: list[int], ended: threading.Event) -> None:
    while not ended.wait(SAMPLE_S):
        most[0] = max(most[0], _held(pid))


def _held(pid: int) -> int:
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for each in family:
            total += each.memory_full_info().pss
    except psutil.Error:
        return 0  # one has just ended: the next look counts
    return total


def best(command: Sequence[str | Path], times: int = 3) -> Cost:
    """The cheapest of several runs, by CPU: what a shared machine adds is noise upwards only."""
    return min((run(command) for _ in range(times)), key=lambda cost: cost.cpu_s)


@cache
def _bytecode() -> str:
    folder = tempfile.mkdtemp(prefix="evenkeel-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def compiled() -> dict[str, str]:
    """The environment, in which Python keeps what it compiled, as it does for any installed program; some machines
    forbid that, and would have every start compile everything anew. The first of several runs fills the cache.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": _bytecode()}
