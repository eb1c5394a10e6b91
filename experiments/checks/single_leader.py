"""Never two leaders at once, as far as the Leases can show it.

A Lease names one holder at a time, so two leaders would not show as two names. What would show is a Lease taken before
the last holder's had run out: the old leader may act for as long as its own lease lasts. So every takeover must come
at least a lease duration after the last renewal seen of the holder before, unless that one had given the Lease back
(an empty holder), and every change of holder must have been counted as one.

Who is asked to end, or could not renew in time, gives its Lease back, and another takes it within a fraction of a
second: too soon to be seen between two looks, so the API server is asked what the Lease was meanwhile
(`experiments.leases`). Where it doesn't remember, and a fault asks leaders to end, a takeover that comes early is one
of those, if the process that held the Lease never holds it again; else it is not known.

A renewal counts from its whole second. Whoever waits for a Lease starts anew when it sees another one than before, and
client-go compares Leases with their times cut to seconds (`LeaseLock.Get` marshals a `metav1.Time`), so it misses the
later renewals of a second and takes over up to a second before the last one runs out. Who held it has given up by then:
it stops when it could not renew for its renew deadline (10 s of 15 by default, 2 of 3 with the lab's fast timings).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise

from experiments.leases import Election
from experiments.result import FAIL, PASS, UNKNOWN, Check

NAME = "single-leader"
LOOKS_NEEDED = 10
TOLERANCE_S = 0.25  # between the clocks of two nodes
WITHIN_SECOND = re.compile(r"\.\d+")


def judge(elections: Sequence[Election], *, asked_to_end: bool = False) -> Check:
    """Every component that was looked at often enough. `asked_to_end`: leaders may give their Leases back. Pure."""
    broken: list[str] = []
    unclear: list[str] = []
    takeovers, looked = 0, 0
    for name, group in groupby(sorted(elections, key=lambda e: (e.name, e.at)), key=lambda e: e.name):
        looks = _fresh(list(group))
        looked += len(looks)
        for number, (old, new) in enumerate(pairwise(looks)):
            if old.holder == new.holder:
                if new.transitions < old.transitions:
                    broken.append(f"{name}: leaseTransitions went back from {old.transitions} to {new.transitions}")
                continue
            takeovers += bool(new.holder)
            if not old.holder or not new.holder:
                continue
            if new.transitions <= old.transitions:
                broken.append(f"{name}: {new.holder} took over from {old.holder} without a transition being counted")
            gap = _seconds(old.renewed, new.acquired)
            waited = _seconds(WITHIN_SECOND.sub("", old.renewed), new.acquired)
            given_back = asked_to_end and all(later.holder != old.holder for later in looks[number + 1 :])
            if gap is not None and waited is not None and waited < old.duration_s - TOLERANCE_S and not given_back:
                said = f"{name}: {new.holder} took over {gap:.2f} s after {old.holder} renewed for {old.duration_s} s"
                broken.append(said) if new.whole else unclear.append(f"{said}, or that one had given its Lease back")
    if broken:
        return Check(name=NAME, verdict=FAIL, message="; ".join(broken))
    if unclear:
        return Check(name=NAME, verdict=UNKNOWN, message="; ".join(unclear))
    if looked < LOOKS_NEEDED:
        return Check(name=NAME, verdict=UNKNOWN, message=f"only {looked} looks at leader elections succeeded")
    return Check(
        name=NAME,
        verdict=PASS,
        message=f"{takeovers} change(s) of leader in {looked} looks, each after the earlier lease had run out"
        + (" or was given back" if asked_to_end else ""),
    )


def _fresh(looks: Sequence[Election]) -> list[Election]:
    """Without those that show the Lease as it was before: an API server that has lost its etcd answers from memory."""
    kept: list[Election] = []
    for look in looks:
        back = _seconds(kept[-1].renewed, look.renewed) if kept else None
        if back is None or back >= 0:
            kept.append(look)
    return kept


def _seconds(earlier: str, later: str) -> float | None:
    try:
        return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except ValueError:
        return None
