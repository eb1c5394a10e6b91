"""`evenkeel chaos run` that ends as nobody planned leaves nothing behind: signals, a terminal that is closed, a disk
that is full, an API that is gone while everything should be undone."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.safety.journal import Journal
from tests.experiments.fake_api import PODS, RUN_LEASE, WRITES, FakeApi

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from experiments import runner
runner.HERE = Path(sys.argv.pop(1))
from experiments.cli import app
app()
"""
BROKEN = f"DELETE {PODS}/web-0"
# Signals may be ignored where tests run in the background, and ignored they would stay.
DEFAULTS = "import signal\nfor n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(n, signal.SIG_DFL)\n"
INTERRUPTIBLE = DEFAULTS.replace("SIGINT, signal.", "") + "signal.signal(signal.SIGINT, signal.default_int_handler)\n"


class Run:
    """A run on the simulated cluster, as a user starts it."""

    def __init__(self, api: FakeApi, quick: Path, folder: Path, run_directory: Path, terminal: int | None) -> None:
        self.api = api
        self.state = folder / "state"
        self.log = folder / "log"
        said = self.log.open("wb") if terminal is None else terminal
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", INTERRUPTIBLE + PROGRAM, str(quick), "run", "pod-kill", "--allow-disruption"),
                *("--kubeconfig", str(api.kubeconfig(folder)), "--context", "fake", "--profile", "lab"),
                *("--app-url", f"{api.url}/healthz", "--run-dir", str(run_directory)),
            ],
            cwd=ROOT,
            env={**os.environ, "EVENKEEL_STATE": str(self.state)},
            stdin=said if terminal is not None else subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=None if terminal is None else _own_terminal,
        )

    def until_broken(self, within_s: float = 240.0) -> None:
        deadline = time.monotonic() + within_s
        while BROKEN not in self.api.changed:
            assert time.monotonic() < deadline, (
                f"nothing was broken: {self.log.read_text() if self.log.exists() else ''}"
            )
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.01)

    @property
    def journals(self) -> list[Journal]:
        return [Journal(path) for path in (self.state / "undo").glob("*.jsonl")]

    def left(self) -> list[str]:
        """Objects of ours, and entries of the journal that wait."""
        ours = (RUN_LEASE, WRITES, "/api/v1/namespaces/evenkeel")
        pending = [entry.undo.text for journal in self.journals for entry in journal.pending()]
        return [path for path in list(self.api.objects) if path.startswith(ours)] + pending

    def undone(self, within_s: float = 30.0) -> bool:
        """Whether nothing is left, of something that was written down."""
        deadline = time.monotonic() + within_s
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        return bool(self.journals) and not self.left()


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def run(api: FakeApi, quick: Path, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def start(run_directory: Path | None = None, terminal: int | None = None) -> Run:
        made.append(Run(api, quick, tmp_path, run_directory or tmp_path / "run", terminal))
        return made[-1]

    yield start
    api.down = False
    for one in made:
        one.process.kill()
        one.process.wait()
        one.undone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_in_the_middle_of_a_fault_leaves_nothing_behind(
    run: Callable[..., Run], number: signal.Signals
) -> None:
    one = run()
    one.until_broken()
    one.process.send_signal(number)
    assert one.process.wait(60) != 0
    assert one.undone(), one.left()


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGINT, "Chaos Toolkit ended it as interrupted"), (signal.SIGTERM, "SIGTERM signal received")],
)
def test_a_signal_while_the_cluster_is_asked_for_the_proof_is_not_taken_for_its_failure(
    run: Callable[..., Run], api: FakeApi, number: signal.Signals, said: str
) -> None:
    def ask_to_end() -> None:
        one.process.send_signal(number)
        time.sleep(0.5)

    asked_next = {f"GET {PODS}/web-0": ask_to_end}
    api.meanwhile[BROKEN] = lambda: api.meanwhile.update(asked_next)
    one = run()
    assert one.process.wait(60) == 2, one.log.read_text()
    assert said in one.log.read_text()
    assert one.undone(), one.left()


def test_a_closed_terminal_leaves_nothing_behind(run: Callable[..., Run]) -> None:
    ours, theirs = pty.openpty()
    one = run(terminal=theirs)
    os.close(theirs)
    one.until_broken()
    os.close(ours)
    one.process.wait(60)
    assert one.undone(), one.left()


def test_a_full_disk_under_the_run_leaves_nothing_behind(run: Callable[..., Run], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "evenkeel-test", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can only be made by root")
    try:
        one = run(run_directory=small)
        assert one.process.wait(120) != 0, one.log.read_text()
        assert one.undone(), one.left()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_what_can_not_be_undone_while_the_api_is_gone_is_undone_when_it_is_back(
    run: Callable[..., Run], api: FakeApi
) -> None:
    one = run()
    one.until_broken()
    api.down = True
    one.process.kill()
    one.process.wait()
    time.sleep(3.0)
    assert one.left()
    api.down = False
    assert one.undone(), one.left()
    [log] = (one.state / "undo").glob("*.watchdog.log")
    assert "not undone yet" in log.read_text()
