"""Ctrl-C and SIGTERM while an experiment goes on.

Chaos Toolkit takes either as the wish to end the experiment in order (heal, measure, conclude), and tells nobody.
Whoever runs one experiment after the other must hear of it, or the next one begins.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SAID = "interrupted; the experiment that was going on has been ended in order"


@contextmanager
def asked_to_end() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has come since then, however often it is asked. In the main thread only."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    seen: set[int] = set()

    def came() -> bool:
        with suppress(BlockingIOError):
            seen.update(os.read(reader, 4096))
        return not seen.isdisjoint({signal.SIGINT, signal.SIGTERM})

    try:
        yield came
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
