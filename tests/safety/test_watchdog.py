"""Whatever ends the runner, what it broke is mended. Real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from fixtures.safety.guard import Guard, GuardError
from fixtures.safety.journal import Journal
from fixtures.safety.undo import way_back
from tests.safety import late
from tests.safety.breakables import remove

ROOT = Path(__file__).resolve().parents[2]
RUNNER = """
import signal, sys, time
from pathlib import Path
from fixtures.safety.guard import Guard
from fixtures.safety.journal import Journal
from fixtures.safety.undo import way_back
from tests.safety.breakables import remove, remove_when_open

for ignored_by_nohup_or_a_background_job in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(ignored_by_nohup_or_a_background_job, signal.SIG_DFL)
folder = Path(sys.argv[1])
journal = Journal(folder / "run.jsonl")
guard = Guard(journal, hung_s=2.5)
guard.start()
victim = folder / "broken"
gate = folder / "gate"
if sys.argv[2:] == ["gated"]:
    journal.record("F-00", way_back(remove_when_open, "mend", args={"path": str(victim), "gate": str(gate)}))
else:
    journal.record("F-00", way_back(remove, "mend", args={"path": str(victim)}))
victim.write_text("broken")
print(guard.pid, flush=True)
time.sleep(120)
"""


class Broken:
    """A runner in the middle of a fault, with a watchdog over it."""

    def __init__(self, folder: Path, *how: str) -> None:
        self.folder = folder
        self.victim = folder / "broken"
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(folder), *how], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self.process.stdout is not None
        self.watchdog = psutil.Process(int(self.process.stdout.readline()))

    @property
    def log(self) -> str:
        return (self.folder / "run.watchdog.log").read_text()

    def mended(self, within_s: float) -> float:
        """Seconds until the victim is mended; fails the test when that takes too long."""
        began = time.monotonic()
        while self.victim.exists():
            assert time.monotonic() - began < within_s, f"still broken after {within_s} s:\n{self.log}"
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Callable[..., Broken]]:
    made: list[Broken] = []

    def make(*how: str) -> Broken:
        made.append(Broken(tmp_path, *how))
        return made[-1]

    yield make
    for one in made:
        for process in (one.process, one.watchdog):
            try:
                process.kill()
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue
        one.process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV])
def test_the_death_of_the_runner_undoes_everything_at_once(
    broken: Callable[..., Broken], number: signal.Signals
) -> None:
    one = broken()
    os.kill(one.process.pid, number)
    assert one.mended(within_s=3) < 3
    one.watchdog.wait(5)
    assert "the runner died with 1 change(s) in place" in one.log
    assert Journal(one.folder / "run.jsonl").undone_by(1) == "watchdog"


def test_killing_the_whole_process_group_leaves_the_watchdog_alive(broken: Callable[..., Broken]) -> None:
    one = broken()
    os.killpg(one.process.pid, signal.SIGKILL)
    one.mended(within_s=3)


def test_a_hung_runner_is_noticed_by_its_missing_heartbeat(broken: Callable[..., Broken]) -> None:
    one = broken()
    os.kill(one.process.pid, signal.SIGSTOP)
    took = one.mended(within_s=8)
    assert took > 1.0
    assert "the runner hung" in one.log


def test_signals_that_end_a_session_do_not_end_the_watchdog(broken: Callable[..., Broken]) -> None:
    one = broken()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(one.watchdog.pid, number)
    time.sleep(0.3)
    assert one.watchdog.is_running()
    assert one.victim.exists()
    one.process.kill()
    one.mended(within_s=3)


def test_it_keeps_trying_what_cannot_be_undone_yet(broken: Callable[..., Broken]) -> None:
    one = broken("gated")
    one.process.kill()
    time.sleep(1.0)
    assert one.victim.exists()
    assert "not undone yet: mend: ConnectionRefusedError: gate closed" in one.log
    (one.folder / "gate").touch()
    one.mended(within_s=6)


def test_a_dismissed_watchdog_leaves_and_undoes_what_was_forgotten(tmp_path: Path) -> None:
    victim = tmp_path / "broken"
    journal = Journal(tmp_path / "run.jsonl")
    with Guard(journal) as guard:
        journal.record("F-00", way_back(remove, "mend", args={"path": str(victim)}))
        victim.write_text("broken")
        assert guard.alive
    assert not guard.alive
    assert not victim.exists()


def test_what_undoing_needs_is_loaded_before_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(late.TELL, str(tmp_path))
    journal = Journal(tmp_path / "run.jsonl")
    with Guard(journal) as guard:
        loaded = tmp_path / f"loaded-{guard.pid}"
        assert not loaded.exists()
        number = journal.record("F-00", way_back(late.nothing, "take nothing back"))
        deadline = time.monotonic() + 20
        while not loaded.exists():
            assert time.monotonic() < deadline, guard.log.read_text()
            time.sleep(0.05)
        assert journal.undone_by(number) is None


def test_no_change_is_made_once_the_watchdog_is_gone(tmp_path: Path) -> None:
    guard = Guard(Journal(tmp_path / "run.jsonl"))
    guard.start()
    guard.check()
    assert guard.pid is not None
    os.kill(guard.pid, signal.SIGKILL)
    psutil.Process(guard.pid).wait(5)
    with pytest.raises(GuardError, match="nothing more will be changed"):
        guard.check()
    guard.stop()
