"""How fast the prober can knock and how punctual it is.

    python benchmarks/prober.py [--rate 1000] [--seconds 10] [--reuse] [--tls]

A server in its own process answers; the prober's share of a core is read from the kernel's accounting of that process,
so that what the server burns is not counted. One line of JSON is printed: probes a second really sent, failures,
scheduling error (actual start minus scheduled start) p50/p99/max in ms, and the prober's CPU share in percent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fixtures.prober.config import Config, Target  # noqa: E402
from fixtures.prober.latency import quantile  # noqa: E402
from fixtures.prober.prober import Prober  # noqa: E402

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Answer(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        close = b"Connection: close" in data
        self.transport.write(LAST if close else ANSWER)  # type: ignore[attr-defined]
        if close:
            self.transport.close()


def serve(port: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=4096)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rate", type=int, default=1000, help="probes a second, over 20 targets")
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--reuse", action="store_true", help="reuse connections instead of opening one a probe")
    asked = options.parse_args()
    targets = 20
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{port.get(timeout=10)}/"
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            targets=[
                Target(name=f"t{i}", url=url, reuse=asked.reuse, interval_s=targets / asked.rate)
                for i in range(targets)
            ],
            samples=f"{folder}/samples",
        )
        prober = Prober(config)
        prober.start()
        assert prober.pid is not None
        process = psutil.Process(prober.pid)
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(asked.seconds)
        after, took = process.cpu_times(), time.monotonic() - began
        prober.stop()
        _, samples = prober.samples()
    server.terminate()
    every = [s for one in samples.values() for s in one]
    late = sorted((s.started - s.scheduled) * 1e3 for s in every)
    cpu = (after.user + after.system - before.user - before.system) / took
    print(
        json.dumps(
            {
                "asked_per_s": asked.rate,
                "connections": "reused" if asked.reuse else "new",
                "sent_per_s": round(sum(s.outcome.judged for s in every) / took, 1),
                "failed": sum(s.outcome.judged and not s.ok for s in every),
                "skipped": sum(not s.outcome.judged for s in every),
                "scheduling_error_ms": {
                    "p50": round(quantile(late, 0.5), 2),
                    "p99": round(quantile(late, 0.99), 2),
                    "max": round(late[-1], 2),
                },
                "cpu_percent_of_a_core": round(100 * cpu, 1),
                "load_average": round(psutil.getloadavg()[0], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
