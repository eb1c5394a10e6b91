"""Ends `evenkeel chaos run` at a chosen moment and measures how long the lab takes to be as it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.scene import Scene
from fixtures.clusters.lab.lab import Lab
from fixtures.safety.journal import Journal
from fixtures.safety.rest import Rest, RestError
from tests.lab import condition
from tests.lab.condition import Condition

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 120.0
LONGEST_S = 120.0  # after which nothing more is waited for
EARLY = 0.2  # of the kills, before the fault itself is in the journal
EARLY_WITHIN_S = 8.0
LATE_WITHIN_S = 12.0


@dataclass(frozen=True)
class Plan:
    """One kill: which experiment, and when. `in_place`: seconds are counted from the fault's entry in the journal."""

    experiment: str
    target: str
    in_place: bool
    after_s: float

    def __str__(self) -> str:
        what = f"{self.experiment}:{self.target}" if self.target else self.experiment
        return f"{what}, {self.after_s:.1f} s after {'the fault was journalled' if self.in_place else 'its start'}"


@dataclass
class Kill:
    """What came of one. Seconds are counted from the kill."""

    plan: Plan
    healthy_s: float | None = None  # everything as it was: health, and every mark that faults leave in what stays
    undone_s: float | None = None  # nothing is pending in the journal
    gone_s: float | None = None  # namespaces that were being deleted are gone as well
    undone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)  # what was amiss when it was last looked at before it was healthy
    ended: bool = False  # it had ended by itself before

    def good(self, within_s: float) -> bool:
        """As it was in time, and nothing left in the end."""
        return self.healthy_s is not None and self.healthy_s <= within_s and self.gone_s is not None


def plans(count: int, seed: int, experiments: Sequence[tuple[str, str]]) -> Iterator[Plan]:
    """The same for the same seed: every experiment in turn, in an order of chance, at moments of chance."""
    chance = random.Random(seed)
    order: list[tuple[str, str]] = []
    for _ in range(count):
        if not order:
            order = chance.sample(list(experiments), len(experiments))
        name, target = order.pop()
        early = chance.random() < EARLY
        yield Plan(name, target, not early, chance.uniform(0, EARLY_WITHIN_S if early else LATE_WITHIN_S))


class Runner:
    """`evenkeel chaos run` as a user starts it, with a state directory of its own."""

    def __init__(self, plan: Plan, state: Path, **more: str) -> None:
        self.state = state
        state.mkdir(parents=True, exist_ok=True)
        self.log = (state / "runner.log").open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "evenkeel", "chaos", "run", plan.experiment, "--allow-disruption"),
                *(["--target", plan.target] if plan.target else []),
            ],
            cwd=ROOT,
            env={**os.environ, "EVENKEEL_STATE": str(state), **more},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    @property
    def journals(self) -> list[Journal]:
        return [Journal(path) for path in (self.state / "undo").glob("*.jsonl")]

    @property
    def broke(self) -> bool:
        """Whether a fault is in the journal, so that it is about to be made or has been."""
        return any(entry.fault for journal in self.journals for entry in journal.entries())

    def wait(self, plan: Plan) -> bool:
        """Until the moment of the plan; False when it ended before."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        while plan.in_place and not self.broke and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        until = time.monotonic() + plan.after_s
        while time.monotonic() < until and self.process.poll() is None:
            time.sleep(0.02)
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()


def steady(lab: Lab, within_s: float = 180.0) -> Condition:
    """How the lab looks when all is well. Raises `TimeoutError`, saying what isn't."""
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    deadline = time.monotonic() + within_s
    while troubles := scene.troubles():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the lab is not steady within {within_s:.0f} s: {'; '.join(troubles)}")
        time.sleep(0.2)
    return condition.of(lab)


def kill(lab: Lab, plan: Plan, state: Path, before: Condition, number: int = signal.SIGKILL) -> Kill:
    """Start it, end it at the moment of the plan, and wait until nothing of it is left."""
    runner = Runner(plan, state)
    try:
        result = Kill(plan, ended=not runner.wait(plan))
        runner.signal(number) if not result.ended else None
        if number == signal.SIGKILL:
            runner.process.wait()
        return watched(lab, runner, result, before)
    finally:
        runner.close()


def watched(lab: Lab, runner: Runner, result: Kill, before: Condition) -> Kill:
    """Wait from now on until the lab is as it was; what is not after `LONGEST_S` is left."""
    scene = Scene(lab, Rest.of(lab), "reference", "web")
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_S:
        if result.undone_s is None and not any(journal.pending() for journal in runner.journals):
            result.undone_s = time.monotonic() - began
        result.left = scene.troubles() or condition.left(lab, before) or condition.survivors(runner.state)
        if not result.left and result.undone_s is not None:
            result.healthy_s = result.healthy_s or time.monotonic() - began
            result.left = [f"namespace {name} is still being deleted" for name in _leaving(scene.rest)]
            if not result.left:
                result.gone_s = time.monotonic() - began
                break
        if result.healthy_s is None:
            result.last = result.left or ["something in the undo journal"]
        time.sleep(0.1)
    result.undone = [
        f"{entry.undo.text} (by the {journal.undone_by(entry.id)})"
        for journal in runner.journals
        for entry in journal.entries()
        if entry.fault and journal.undone_by(entry.id)
    ]
    return result


def _leaving(rest: Rest) -> list[str]:
    try:
        return condition.leaving(rest)
    except RestError as error:
        return [f"unknown ({error})"]
