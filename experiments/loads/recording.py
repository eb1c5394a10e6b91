"""What one load test recorded, and the questions that are asked of it. Pure: a saved recording answers them again.

All times are readings of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import msgspec

from fixtures.load import generator
from fixtures.load.sampler import Look
from fixtures.load.seconds import Second, added, quantile
from fixtures.load.traffic import Traffic


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the play did or saw."""

    at: float
    kind: str  # load, acted, ready, ended
    what: str


class Track(msgspec.Struct, kw_only=True):
    """One service: what knocked at it, and how it looked."""

    name: str
    workload: str = ""
    traffic: Traffic | None = None
    seconds: list[Second] = []
    looks: list[Look] = []

    # Of its traffic -------------------------------------------------------------------------------------------------

    def between(self, start: float, end: float) -> list[Second]:
        """Whole seconds within."""
        return [s for s in self.seconds if s.t >= start and s.t + 1 <= end]

    def failed(self, start: float = 0.0, end: float = float("inf")) -> int:
        """Requests that failed in any second that overlaps."""
        return sum(s.failed for s in self.seconds if s.t + 1 > start and s.t < end)

    def requests(self, start: float = 0.0, end: float = float("inf")) -> int:
        return sum(s.ok + s.failed for s in self.seconds if s.t + 1 > start and s.t < end)

    def errors(self, start: float = 0.0, end: float = float("inf")) -> dict[str, int]:
        """What went wrong, most frequent first."""
        found: dict[str, int] = {}
        for second in self.seconds:
            if second.t + 1 > start and second.t < end:
                for text, count in second.errors.items():
                    found[text] = found.get(text, 0) + count
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rate(self, start: float, end: float) -> float | None:
        """Good requests a second; None when no whole second lies within."""
        within = self.between(start, end)
        return sum(s.ok for s in within) / len(within) if within else None

    def latency(self, share: float, start: float = 0.0, end: float = float("inf")) -> float | None:
        return quantile(added(s.latency for s in self.seconds if s.t + 1 > start and s.t < end), share)

    def peaks_at(self) -> float | None:
        """When the load first asked for as much as it was to ask for."""
        if self.traffic is None:
            return None
        most = max((s.asked for s in self.seconds), default=0.0)
        return next((float(s.t) for s in self.seconds if s.asked >= most > 0), None)

    def within_target(self, after: float, target_s: float, share: float = 0.95, run: int = 3) -> float | None:
        """From when on `run` seconds in a row were under the target, having been over it at or after `after`."""
        later = [s for s in self.seconds if s.t >= after and s.ok]
        good = [s.failed == 0 and (s.quantile(share) or 0.0) <= target_s for s in later]
        for n in range(len(later) - run + 1):
            if all(good[n : n + run]):
                return float(later[n].t)
        return None

    # Of its pods ----------------------------------------------------------------------------------------------------

    def seen(self, start: float = 0.0, end: float = float("inf")) -> list[Look]:
        """Looks within that the API answered."""
        return [look for look in self.looks if start <= look.at < end and not look.trouble]

    def first(self, after: float, holds: Callable[[Look], bool]) -> float | None:
        """When a look after an instant first showed something."""
        return next((look.at for look in self.seen(after) if holds(look)), None)

    def turns(self, start: float, end: float) -> int:
        """How often the number of replicas asked for changed its direction."""
        sizes = [look.wanted for look in self.seen(start, end) if look.wanted is not None]
        steps = [b - a for a, b in pairwise(sizes) if b != a]
        return sum((a > 0) != (b > 0) for a, b in pairwise(steps))


class Recording(msgspec.Struct, kw_only=True):
    """All of one load test."""

    tracks: list[Track] = []
    marks: list[Mark] = []
    values: dict[str, float] = {}  # what else the play measured

    @property
    def subject(self) -> Track:
        return self.tracks[0]

    def track(self, name: str) -> Track:
        return next(t for t in self.tracks if t.name == name)

    def mark(self, kind: str, what: str = "") -> float | None:
        """When the first mark of this kind (whose text begins so) was made."""
        return next((m.at for m in self.marks if m.kind == kind and m.what.startswith(what)), None)

    @property
    def bottleneck(self) -> str:
        """Why the generator makes everything doubtful; empty when it doesn't."""
        for track in self.tracks:
            if track.traffic is not None and (why := generator.judge(track.seconds).bottleneck):
                return f"{track.name}: {why}"
        return ""


def since(start: float | None, end: float | None) -> float | None:
    """Seconds from one to the other; None when either is missing."""
    return None if start is None or end is None else round(end - start, 2)


def texts(errors: Mapping[str, int], most: int = 3) -> str:
    """The most frequent errors in words."""
    return ", ".join(f"{count} × {text}" for text, count in list(errors.items())[:most])


def points_between(looks: Sequence[Look], start: float, end: float) -> Look | None:
    """The last look within."""
    return next((look for look in reversed(looks) if start <= look.at < end and not look.trouble), None)
