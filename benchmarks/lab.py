"""How long a lab takes to start, cold and warm, and to stop. Needs root, and no lab up.

    .venv/bin/python benchmarks/lab.py --rounds 3

Budgets with binaries and images present, 3+3, on 2 cores: cold 45 s, warm 20 s, down 5 s. Absolute times are the
machine's; the ratio warm to cold within one run is what can be compared.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import start, state, stop
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import Topology
from fixtures.clusters.lab.supply import prepare

BUDGETS = {"cold": 45.0, "warm": 20.0, "down": 5.0}


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Print a table; exit code 1 when a median is over its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    try:
        Lab.open()
    except ClusterError:
        pass
    else:
        print("a lab is up; take it down first: evenkeel lab down", file=sys.stderr)
        return 4

    home, supply = state.home(), prepare(lambda text: print(text, file=sys.stderr))

    def up(cold: bool) -> None:
        start.up(home, Topology(), supply, lambda _: None, cold=cold)

    seconds: dict[str, list[float]] = {"cold": [], "warm": [], "down": []}
    for _ in range(rounds):
        shutil.rmtree(home.checkpoints, ignore_errors=True)
        seconds["cold"].append(timed(lambda: up(True)))
        seconds["down"].append(timed(lambda: stop.down(home)))
        seconds["warm"].append(timed(lambda: up(False)))
        stop.down(home)

    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load {load:.1f}, {rounds} rounds")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:<5} median {median:5.1f} s  ({min(values):.1f} to {max(values):.1f})  budget {BUDGETS[name]:g} s")
    print(f"warm to cold: {statistics.median(seconds['warm']) / statistics.median(seconds['cold']):.2f}")
    return int(any(statistics.median(v) > BUDGETS[n] for n, v in seconds.items()))


if __name__ == "__main__":
    sys.exit(main())
