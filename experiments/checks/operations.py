"""What a customer was told against what is there: no acknowledged operation lost, none done twice. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as its customer saw it end (a line of the ledger of loadtests/users/orders.py)."""

    key: str
    acknowledged: bool
    tries: int = 1
    seconds: float = 0.0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger against the store. `lost` and `doubled` are keys."""

    acknowledged: int = 0
    given_up: int = 0
    retried: int = 0  # operations that took more than one try
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    longest_s: float = 0.0  # of an acknowledged one, all its tries together


def read(ledger: Path) -> list[Operation]:
    """A line cut short by a kill is left out: its operation's end is unknown."""
    found = []
    for line in ledger.read_bytes().splitlines() if ledger.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=Operation))
        except msgspec.MsgspecError:
            continue
    return found


def account(operations: Sequence[Operation], kept: Sequence[str]) -> Account:
    """`kept`: the key of every operation that the store has, once for each time it is there."""
    times = Counter(kept)
    acknowledged = [o for o in operations if o.acknowledged]
    return Account(
        acknowledged=len(acknowledged),
        given_up=len(operations) - len(acknowledged),
        retried=sum(o.tries > 1 for o in operations),
        lost=tuple(o.key for o in acknowledged if not times[o.key]),
        doubled=tuple(sorted(key for key, count in times.items() if count > 1)),
        longest_s=max((o.seconds for o in acknowledged), default=0.0),
    )
