"""What every fault is: one way of breaking something, seeing that it is broken, and mending it.

Everything common (preflight, journal, watchdog, prober, timing, verdict) is the runner's. A new fault is one file with
a subclass that names its id, and one experiment file that names the fault.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from experiments.aftermath import Aftermath
from experiments.observer import Change, Watched
from experiments.result import Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability
from fixtures.prober.config import Target
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.undo import Undo

Evidence = Mapping[str, Any]


class Victim(msgspec.Struct, frozen=True, kw_only=True):
    """What is going to be broken, chosen before anything is."""

    kind: str  # "Pod", "Node", "container"
    name: str
    namespace: str = ""
    node: str = ""
    uid: str = ""
    why: str = ""  # what made it the one: "leads etcd"
    target: str = ""  # which of the fault's targets it is, where they are broken differently
    mark: str = ""  # what this trial's own objects are known by

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}" + (f" ({self.why})" if self.why else "")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the recovery, as a reading of the monotonic clock."""

    kind: str  # "detected", "acted", "recovered"
    at: float
    what: str


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must happen, at a time with a budget beside the outages: a takeover, a replacement.
    `seconds` since the injection; None: did not happen."""

    name: str  # the profile's word: "takeover", "replacement-ready"
    seconds: float | None
    what: str
    judged: bool = True  # False: must happen, but nobody promised when


class NoVictimError(Exception):
    """There is nothing of this kind to break here; the text says what was looked for."""


class Fault(ABC):
    """One way of breaking something. Stateless: everything it needs to know is in the victim."""

    id: ClassVar[str]
    title: ClassVar[str]
    targets: ClassVar[Mapping[str, str]]  # what may be asked for, and what it means; the first is the default
    needs: ClassVar[frozenset[Capability]] = frozenset()
    also_needs: ClassVar[Mapping[str, frozenset[Capability]]] = {}  # by target, beside `needs`
    exceeds: ClassVar[str] = ""  # what is lost on purpose beyond what preflight lets go: only where that was allowed
    soaks: ClassVar[bool] = False  # may be drawn by chance: leaves a quorum, and somebody who serves
    permissions: ClassVar[tuple[Permission, ...]] = ()
    proof_within_s: ClassVar[float] = 30.0
    watches_leaders: ClassVar[bool] = False  # whether a leader may change, so that never two must lead
    asks_to_end: ClassVar[bool] = False  # leaders end in order, so that they give their Leases back
    # Kinds of targets that can't answer while it lasts, by its nature. Their outage is shown and not judged; how soon
    # they answer once healing has begun is, by `examine`.
    stops: ClassVar[frozenset[str]] = frozenset()
    forgets: ClassVar[bool] = False  # what is acknowledged while it is injected may be gone: a restore goes back
    foreseen_by: ClassVar[tuple[str, ...]] = ()  # controls of the audits that must find it before anything is broken
    seen_by: ClassVar[tuple[str, ...]] = ()  # controls of the audits that must find it while it lasts

    @abstractmethod
    def choose(self, scene: Scene, target: str) -> Victim:
        """Pick the victim; reads only. Raises `NoVictimError`, `RestError`."""

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        """Why this victim must not be broken now; empty when it may."""
        return []

    def watches(self, scene: Scene) -> Sequence[Watched]:
        """What the observer must look at for this fault, beside the application, nodes, leases and control plane."""
        return ()

    def probes(self, scene: Scene) -> Sequence[Target]:
        """What the prober must knock at for this fault, beside the API and the application. Raises `RestError`."""
        return ()

    def restarts(self, victim: Victim) -> Collection[str]:
        """The pods of the control plane that it restarts, where no other one may follow; empty: others may."""
        return ()

    def plan(self, victim: Victim) -> str:
        """What will be done, in words, for a dry run and the journal."""
        return f"{self.title}: {victim}"

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        """How it is mended; None where the cluster must mend itself and there is nothing to take back."""
        return None

    def set_up(self, scene: Scene, victim: Victim) -> None:  # noqa: B027 - most have nothing to make
        """Make what must stand before it can be broken. The way back, journalled already, takes it away too."""

    @abstractmethod
    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """What only this fault can change. Read before, and after until it differs. May raise: asked again."""

    @abstractmethod
    def inject(self, scene: Scene, victim: Victim) -> None:
        """Break it."""

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Whether the evidence shows that it happened: by default all of it is different now."""
        return bool(before) and all(after.get(key) != value for key, value in before.items())

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        """Who noticed, who acted, what works again, out of what was observed after the injection."""
        return []

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """Times that are judged against the profile's budgets for this fault."""
        return []

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        """What else had to be true of all that was observed, from the injection to the end."""
        return []

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """What else must be true, looked at once it is healed. Raises `RestError`, `ClusterError`: then unknown."""
        return []

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Whether everything that can recover before healing has: the observation may end then."""
        return all(r.seconds is not None for r in self.recoveries(scene, victim, changes, injected))


def first(changes: Sequence[Change], after: float, subject: str) -> Change | None:
    """The first change of a subject after an instant."""
    return next((c for c in changes if c.subject == subject and c.at > after), None)
