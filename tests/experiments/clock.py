"""A clock that moves only when somebody sleeps."""

from __future__ import annotations


class Clock:
    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
