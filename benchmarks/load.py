"""What one core of the load generator is good for: locust's FastHttpUser against wrk, on the same endpoint.

    python benchmarks/load.py [--seconds 10] [--wrk PATH]

An asyncio server in its own process answers 200 at once. Both knock as fast as they can with 20 connections from one
process, kept or one a request; counted is requests per second of *their own* CPU time, so that the server's share of
the machine and whatever else runs on it matter little. One line of JSON a case, and a table for docs/guide/load.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.prober import serve  # noqa: E402
from fixtures.load.traffic import Knocking, Traffic  # noqa: E402

CONNECTIONS = 20
_COUNTED = re.compile(r"(\d+) requests in")


def wrk(program: str, url: str, seconds: float, reuse: bool) -> dict[str, float]:
    """Requests, and CPU seconds of wrk with one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    close = [] if reuse else ["-H", "Connection: close"]
    done = subprocess.run(
        [program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", *close, url],
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = _COUNTED.search(done.stdout)
    assert found is not None, done.stdout
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"requests": int(found[1]), "cpu_s": cpu}


def locust(url: str, seconds: float, reuse: bool) -> dict[str, float]:
    """Requests and CPU seconds of locust in the seconds in which all its users were there."""
    with tempfile.TemporaryDirectory() as folder:
        # a rate that nobody reaches: every user asks again as soon as it is answered
        traffic = Traffic(
            user="plain",
            shape="soak",
            host=url.rstrip("/"),
            per_user=10_000,
            peak=10_000 * CONNECTIONS,
            warm=0,
            hold=seconds,
            cool=0,
            parameters={"path": "/", **({"reuse": True} if reuse else {})},
        )
        knocking = Knocking(traffic, Path(folder))
        knocking.start()
        knocking.wait_begun()
        knocking.wait()
        counted = [s for s in knocking.seconds()[1:-1] if s.users == CONNECTIONS]
    return {"requests": sum(s.ok for s in counted), "cpu_s": round(sum(s.cpu for s in counted), 2)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--wrk", default="wrk", help="the Debian package has one")
    asked = options.parse_args()
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{port.get(timeout=10)}/"
    rows = []
    for reuse in (True, False):
        per_core = {}
        for name in ("wrk", "locust"):
            counted = wrk(asked.wrk, url, asked.seconds, reuse) if name == "wrk" else locust(url, asked.seconds, reuse)
            per_core[name] = counted["requests"] / counted["cpu_s"]
            case = {"generator": name, "connections": "kept" if reuse else "one a request", **counted}
            print(json.dumps({**case, "load_average": round(psutil.getloadavg()[0], 1)}), flush=True)
        rows.append(("kept" if reuse else "one a request", per_core))
    server.terminate()
    print(
        "\n| connections | locust, requests per second of a core | wrk | wrk / locust |\n| --- | ---: | ---: | ---: |"
    )
    for said, of in rows:
        print(f"| {said} | {of['locust']:,.0f} | {of['wrk']:,.0f} | {of['wrk'] / of['locust']:.0f} |")


if __name__ == "__main__":
    main()
