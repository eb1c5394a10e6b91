"""Where things stand on a drawn axis: linear time, logarithmic latency, round ticks, labels that don't overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class Linear(msgspec.Struct, frozen=True):
    """Maps first…last to left…right; what lies outside is put on the nearer edge."""

    first: float
    last: float
    left: float
    right: float

    def at(self, value: float) -> float:
        share = (value - self.first) / ((self.last - self.first) or 1.0)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)


def log_share(value: float, lowest: float, highest: float) -> float:
    """How far a value is from lowest (0) to highest (1) on a logarithmic scale, kept within."""
    if value <= lowest:
        return 0.0
    return min(math.log(value / lowest) / math.log(highest / lowest), 1.0)


def ticks(first: float, last: float, most: int) -> list[float]:
    """At most `most` round numbers from first to last, a step of 1, 2 or 5 times a power of ten apart."""
    span = last - first
    if span <= 0 or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * m for m in (1, 2, 5, 10, 20) if span / (power * m) <= most)
    return [n * step for n in range(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1)]


def spread(wanted: Sequence[float], gap: float, left: float, right: float) -> list[float]:
    """Places for labels, near where each is wanted (ascending), at least `gap` apart, in order, within left…right.

    Labels that would overlap are pushed apart around their common middle. Too many for the room: they overlap evenly.
    """
    if len(wanted) > 1:
        gap = min(gap, (right - left) / (len(wanted) - 1))
    groups: list[list[float]] = []  # of labels that touch: what each wants its group's first place to be
    for place in wanted:
        groups.append([place])
        while len(groups) > 1 and _first(groups[-1], gap, left, right) < (
            _first(groups[-2], gap, left, right) + gap * len(groups[-2])
        ):
            later = groups.pop()
            groups[-1] += [place - gap * len(groups[-1]) for place in later]
    return [_first(group, gap, left, right) + gap * k for group in groups for k in range(len(group))]


def _first(group: list[float], gap: float, left: float, right: float) -> float:
    return max(left, min(sum(group) / len(group), right - gap * (len(group) - 1)))
