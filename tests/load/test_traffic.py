"""locust is run as it would be by hand, only where it may, and never outlives its run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fixtures.load import traffic
from fixtures.load.traffic import Knocking, Traffic, TrafficError
from tests.prober.local_server import LocalServer


def _short(host: str, **others: object) -> Traffic:
    given = {"user": "plain", "shape": "step", "peak": 60, "base": 20, "warm": 1, "hold": 2, "cool": 1, **others}
    return Traffic(host=host, **given)  # type: ignore[arg-type]


def test_load_goes_to_this_machine_or_to_a_host_that_was_named() -> None:
    _short("http://127.0.0.1:18081").check()
    _short("https://shop.example/").check("https://shop.example")
    with pytest.raises(TrafficError, match="only sent to this machine"):
        _short("https://shop.example").check()
    with pytest.raises(TrafficError, match="only sent to this machine"):
        _short("https://127.0.0.1.shop.example").check("https://shop.example")


@pytest.mark.parametrize("bound", [{"hold": 5000}, {"peak": 9000}, {"peak": 1500, "per_user": 1}])
def test_load_is_bounded_in_time_rate_and_users(bound: dict[str, float]) -> None:
    with pytest.raises(TrafficError, match="are allowed here"):
        _short("http://127.0.0.1:1", **bound).check()


def test_an_unknown_user_is_answered_with_those_there_are() -> None:
    with pytest.raises(TrafficError, match="cpu, orders, plain, session"):
        _short("http://127.0.0.1:1", user="plane").files()


def test_every_request_is_in_the_recording_and_in_the_second_it_ended_in(tmp_path: Path) -> None:
    with LocalServer() as server:
        knocking = Knocking(_short(server.url.rstrip("/")), tmp_path / "record")
        began = time.monotonic()
        knocking.start()
        knocking.wait_begun()
        knocking.wait()
    found = knocking.seconds()
    assert sum(s.ok for s in found) == server.connections, "each request has a connection of its own"
    assert 100 <= server.connections <= 180  # 20 + 2 × 60 + 20
    assert max(s.asked for s in found) == 60
    assert began < found[0].t + 1
    assert found[-1].t < time.monotonic()
    assert not knocking.alive


def test_what_goes_wrong_is_counted_with_its_status(tmp_path: Path) -> None:
    with LocalServer() as server:
        server.mood = "bad"
        knocking = Knocking(_short(server.url.rstrip("/")), tmp_path / "record")
        knocking.start()
        knocking.wait_begun()
        time.sleep(1)
        knocking.stop()
    found = knocking.seconds()
    assert sum(s.ok for s in found) == 0
    assert sum(s.statuses.get(503, 0) for s in found) == sum(s.failed for s in found) > 0


def test_locust_that_does_not_start_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no such user today')\n")
    knocking = Knocking(_short("http://127.0.0.1:1", user=str(broken)), tmp_path / "record")
    knocking.start()
    with pytest.raises(TrafficError, match="no such user today"):
        knocking.wait_begun()


def test_traffic_of_a_dead_run_is_ended_and_nothing_else() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        began = traffic.started(sleeper.pid)
        traffic.stop_traffic(None, pid=sleeper.pid, began=began - 100)  # the pid was given again
        assert sleeper.poll() is None
        traffic.stop_traffic(None, pid=sleeper.pid, began=began)
        assert sleeper.wait(5) < 0
    finally:
        if sleeper.poll() is None:
            sleeper.kill()
    traffic.stop_traffic(None, pid=sleeper.pid, began=began)
    assert os.getpid() != sleeper.pid
    assert not psutil.pid_exists(sleeper.pid)
