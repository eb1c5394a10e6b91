"""The prober knocks on schedule whatever happens, and says exactly what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from fixtures.prober.config import Config, Target
from fixtures.prober.outage import outage, stalls
from fixtures.prober.prober import Prober, ProberError
from fixtures.prober.sample import Outcome, Sample, SamplesError, read
from tests.prober.local_server import LocalServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


def probe(folder: Path, seconds: float, *targets: Target) -> dict[str, list[Sample]]:
    with Prober(Config(targets=list(targets), samples=str(folder / "samples"))) as prober:
        time.sleep(seconds)
    return prober.samples()[1]


def outcomes(samples: list[Sample]) -> set[Outcome]:
    return {s.outcome for s in samples}


def test_probes_leave_every_interval_over_new_connections(server: LocalServer, tmp_path: Path) -> None:
    samples = probe(tmp_path, 1.0, Target(name="t", url=server.url, interval_s=0.02))["t"]
    assert 40 <= len(samples) <= 60
    assert outcomes(samples) == {Outcome.OK}
    assert [s.seq for s in samples] == list(range(len(samples)))
    assert all(s.fresh for s in samples if s.outcome.judged)
    assert server.connections == len(samples)


def test_reused_connections_are_reused(server: LocalServer, tmp_path: Path) -> None:
    samples = probe(tmp_path, 0.6, Target(name="t", url=server.url, interval_s=0.02, reuse=True))["t"]
    assert outcomes(samples) == {Outcome.OK}
    assert server.connections < 5
    assert sum(not s.fresh for s in samples) > len(samples) / 2


def test_a_target_that_hangs_does_not_stop_the_schedule(server: LocalServer, tmp_path: Path) -> None:
    server.mood = "mute"
    samples = probe(tmp_path, 1.0, Target(name="t", url=server.url, interval_s=0.02, timeout_s=0.3))["t"]
    assert 40 <= len(samples) <= 60
    assert outcomes(samples) == {Outcome.TIMEOUT}
    assert all(0.25 < s.latency < 0.6 for s in samples if s.outcome.judged)


@pytest.mark.parametrize(
    ("mood", "expected"),
    [("bad", Outcome.STATUS), ("rude", Outcome.PROTOCOL), ("curt", Outcome.CLOSED), ("chunked", Outcome.OK)],
)
def test_every_kind_of_answer_is_told_apart(server: LocalServer, tmp_path: Path, mood: str, expected: Outcome) -> None:
    server.mood = mood
    samples = probe(tmp_path, 0.3, Target(name="t", url=server.url, interval_s=0.05))["t"]
    assert outcomes(samples) == {expected}


def test_a_closed_port_is_refused(tmp_path: Path) -> None:
    samples = probe(tmp_path, 0.3, Target(name="t", url="http://127.0.0.1:9/"))["t"]
    assert outcomes(samples) == {Outcome.REFUSED}


def test_every_write_carries_a_key_of_its_own(server: LocalServer, tmp_path: Path) -> None:
    target = Target(name="w", url=server.url, method="POST", body='{"key":"{seq}"}', interval_s=0.02, reuse=True)
    samples = probe(tmp_path, 0.5, target)["w"]
    assert sorted(server.bodies) == sorted(f'{{"key":"{s.seq}"}}'.encode() for s in samples if s.outcome.judged)


def test_a_measured_outage_is_as_long_as_it_was(server: LocalServer, tmp_path: Path) -> None:
    target = Target(name="t", url=server.url, interval_s=0.02)
    with Prober(Config(targets=[target], samples=str(tmp_path / "samples"))) as prober:
        time.sleep(0.5)
        began, server.mood = time.monotonic(), "bad"
        time.sleep(0.7)
        ended, server.mood = time.monotonic(), "good"
        time.sleep(0.5)
    header, samples = prober.samples()
    found = outage(samples["t"], 0.02, own=stalls(samples.values()))
    [window] = found.windows
    assert abs(window.duration - (ended - began)) <= window.error_bar + 0.02
    assert abs(window.start - header.since_anchor(began)) <= window.error_bar + 0.02


def test_a_stopped_prober_blames_itself_and_not_the_target(server: LocalServer, tmp_path: Path) -> None:
    target = Target(name="t", url=server.url, interval_s=0.02, timeout_s=0.3)
    with Prober(Config(targets=[target], samples=str(tmp_path / "samples"))) as prober:
        time.sleep(0.4)
        assert prober.pid is not None
        os.kill(prober.pid, signal.SIGSTOP)
        time.sleep(0.8)
        os.kill(prober.pid, signal.SIGCONT)
        time.sleep(0.4)
    samples = prober.samples()[1]
    own = stalls(samples.values())
    assert max(i.length for i in own) > 0.6
    assert outage(samples["t"], 0.02, own=own).failed == 0


def test_samples_can_be_read_while_it_probes(server: LocalServer, tmp_path: Path) -> None:
    with Prober(Config(targets=[Target(name="t", url=server.url)], samples=str(tmp_path / "samples"))) as prober:
        time.sleep(0.6)
        assert len(prober.samples()[1]["t"]) >= 5


def test_the_prober_does_not_outlive_a_killed_parent(server: LocalServer, tmp_path: Path) -> None:
    script = (
        "import sys, time; from fixtures.prober.prober import Prober; from fixtures.prober.config import *\n"
        f"p = Prober(Config(targets=[Target(name='t', url={server.url!r})], samples={str(tmp_path / 's')!r}))\n"
        "p.start(); print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    process = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    psutil.wait_procs([process], timeout=5)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_ends_by_itself_after_its_longest_duration(server: LocalServer, tmp_path: Path) -> None:
    config = Config(targets=[Target(name="t", url=server.url)], samples=str(tmp_path / "s"), max_duration_s=0.3)
    prober = Prober(config)
    prober.start()
    time.sleep(1.5)
    assert not prober.alive


def test_headers_with_a_token_never_reach_the_samples_file(server: LocalServer, tmp_path: Path) -> None:
    probe(tmp_path, 0.2, Target(name="t", url=server.url, headers={"Authorization": "Bearer s3cr3t"}))
    assert b"s3cr3t" not in (tmp_path / "samples").read_bytes()


def test_an_unusable_target_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ProberError, match="ftp://nowhere"):
        Prober(Config(targets=[Target(name="t", url="ftp://nowhere")], samples=str(tmp_path / "s"))).start()


def test_a_file_that_is_no_samples_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "samples"
    path.write_bytes(b"hello\n")
    with pytest.raises(SamplesError, match="no samples header"):
        read(path)


def test_a_torn_last_record_is_left_out(server: LocalServer, tmp_path: Path) -> None:
    whole = len(probe(tmp_path, 0.3, Target(name="t", url=server.url))["t"])
    path = tmp_path / "samples"
    path.write_bytes(path.read_bytes()[:-5])
    assert len(read(path)[1]["t"]) == whole - 1
    assert msgspec.json.decode(path.read_bytes().split(b"\n")[0])["format"] == "evenkeel.samples/v1"
