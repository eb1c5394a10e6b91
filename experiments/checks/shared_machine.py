"""Where all nodes share one machine's processors, a late recovery may be the machine's: said with the result, and never
an excuse."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.result import PASS, Check

NAME = "shared-machine"


def remark(waits: Sequence[tuple[float, float]]) -> list[Check]:
    """How much of the time between the first reading and the last something waited for a processor. A reading is when
    (s), and how long (s) by then. Nothing where nodes are machines of their own. Pure."""
    if len(waits) < 2 or waits[-1][0] <= waits[0][0]:
        return []
    (began, before), (ended, after) = waits[0], waits[-1]
    share = min(1.0, (after - before) / (ended - began))
    said = f"all nodes share one machine: something waited for a processor {share:.0%} of the time that it was broken"
    return [Check(name=NAME, verdict=PASS, message=said, judged=False)]
