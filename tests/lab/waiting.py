"""Waiting for something that must come true."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait(what: str, condition: Callable[[], object], within_s: float) -> float:
    """Seconds until the condition holds; fails the test when it takes too long."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - began
