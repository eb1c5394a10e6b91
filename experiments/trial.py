"""The experiment that is going on in this process: what its controls, actions and probes share.

Chaos Toolkit calls plain functions; between them the trial is kept here. There is one at a time, as Chaos Toolkit
itself runs one at a time and the Lease allows one per cluster.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

from experiments.faults.etcd import Leadership as Raft
from experiments.faults.fault import Evidence, Fault, Victim
from experiments.leases import Election
from experiments.observer import Change, Observer
from experiments.result import Check, timestamp
from experiments.scene import Scene
from experiments.settings import Settings
from experiments.watch import Watch
from fixtures.prober.prober import Prober
from fixtures.profiles.profile import Profile
from fixtures.safety.guard import Guard
from fixtures.safety.journal import Journal
from fixtures.safety.lease import RunLease


class Clock:
    """The monotonic clock everything is judged by, and one wall-clock anchor to print it with."""

    def __init__(self) -> None:
        self._monotonic = time.monotonic()
        self._wall = time.time()

    def now(self) -> float:
        return time.monotonic()

    def wall(self, monotonic_s: float) -> float:
        """Unix time of a monotonic reading."""
        return self._wall + (monotonic_s - self._monotonic)

    def text(self, monotonic_s: float | None) -> str | None:
        return None if monotonic_s is None else timestamp(self.wall(monotonic_s))


class Injection(msgspec.Struct, kw_only=True):
    """One fault, from its choice to its end. Times are monotonic readings."""

    fault: Fault
    victim: Victim
    before: Evidence = {}
    after: Evidence = {}
    entry: int | None = None  # in the undo journal
    injected: float | None = None
    in_place: float | None = None  # the injection has ended
    proven: float | None = None
    healing: float | None = None  # healing has begun
    healed: float | None = None


BASELINE_S = 3.0  # what "before" is made of, unless the experiment says `baseline_s`


class Trial:
    """One experiment on one cluster."""

    def __init__(self, name: str, title: str, settings: Settings, scene: Scene, profile: Profile) -> None:
        self.name, self.title, self.settings, self.scene, self.profile = name, title, settings, scene, profile
        self.id = f"{name}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        self.meant = ""  # ids of the faults that the experiment's file names
        self.aim = ""  # the target that was asked for
        self.clock = Clock()
        self.started = self.clock.now()
        self.baseline_s = BASELINE_S
        self.steady_since: float | None = None  # every probe was good from here to the injection
        self.waits: list[tuple[float, float]] = []  # when, and how long something had waited for a processor by then
        self.healthy: float | None = None
        self.probed_until: float | None = None
        self.injections: list[Injection] = []
        self.troubles: list[str] = []  # why the verdict can't be pass, in the order met
        self.refused: list[str] = []
        self.not_applicable = ""
        self.checks: list[Check] = []
        self.journal: Journal | None = None
        self.guard: Guard | None = None
        self.watch: Watch | None = None
        self.lease: RunLease | None = None
        self.prober: Prober | None = None
        self.observer: Observer | None = None
        self.raft: tuple[Raft | None, Raft | None] = (None, None)  # etcd's leadership before and after

    @property
    def samples_path(self) -> Path:
        return self.settings.samples_directory() / f"{self.id}.samples"

    @property
    def injected(self) -> float | None:
        """When the first fault was injected."""
        return next((i.injected for i in self.injections if i.injected is not None), None)

    @property
    def healed(self) -> float | None:
        """When the last fault was healed."""
        return max((i.healed for i in self.injections if i.healed is not None), default=None)

    @property
    def stops(self) -> frozenset[str]:
        """Kinds of targets that can't answer while these faults last."""
        return frozenset().union(*(i.fault.stops for i in self.injections))

    @property
    def changes(self) -> list[Change]:
        return self.observer.changes if self.observer else []

    @property
    def elections(self) -> list[Election]:
        return self.observer.elections if self.observer else []


_current: list[Trial] = []
_refusal: list[str] = []


class NoTrialError(Exception):
    """An action was called outside of an experiment with Evenkeel's safety control."""


def begin(trial: Trial) -> None:
    _current[:] = [trial]
    _refusal.clear()


def not_begun(why: str) -> None:
    """Remember why there is no trial."""
    _current.clear()
    _refusal[:] = [why]


def why_not_begun() -> str:
    return _refusal[0] if _refusal else ""


def current() -> Trial:
    """Raises `NoTrialError`: without the safety control nothing is ever changed."""
    if not _current:
        raise NoTrialError(
            "no trial is going on: the experiment must name the control experiments.controls.safety, and it must not "
            "have refused"
        )
    return _current[0]


def found() -> Trial | None:
    return _current[0] if _current else None


def end() -> None:
    _current.clear()


def extension(experiment: dict[str, Any]) -> dict[str, Any]:
    """The `evenkeel` extension block of an experiment file."""
    for block in experiment.get("extensions") or ():
        if block.get("name") == "evenkeel":
            return dict(block)
    return {}
