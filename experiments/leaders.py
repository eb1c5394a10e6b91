"""Who led before a fault and who leads after it: from the Leases looked at meanwhile, and from etcd's own words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from experiments.faults.etcd import Leadership as Raft
from experiments.leases import Election
from experiments.result import Leadership, Statement, unix

ETCD = "etcd"


def of_leases(elections: Sequence[Election], injected: float, wall: Callable[[float], float]) -> list[Leadership]:
    """One entry for each component that elects. `injected` is monotonic, `wall` makes Unix time of such a reading.

    A takeover is dated with the look that showed it; the look before it is the error bar. Pure.
    """
    found = []
    for name, group in groupby(sorted(elections, key=lambda e: (e.name, e.at)), key=lambda e: e.name):
        looks = [look for look in group if not look.between]
        before = [look for look in looks if look.at <= injected]
        if not before or not before[-1].holder:
            continue
        old = before[-1]
        said = Leadership(
            component=name,
            before=_node(old.holder),
            after=_node(looks[-1].holder),
            transitions=looks[-1].transitions - old.transitions,
            lease_s=float(old.duration_s),
        )
        at = next(
            (n for n, look in enumerate(looks) if look.at > injected and look.holder not in ("", old.holder)), None
        )
        if at is not None:
            said.takeover_s = round(looks[at].at - injected, 3)
            said.error_bar_s = round(looks[at].at - looks[at - 1].at, 3)
            said.ran_out_s = _ran_out(looks[:at], old.holder, wall(injected))
        found.append(said)
    return found


def of_etcd(before: Raft | None, after: Raft | None, statements: Sequence[Statement]) -> list[Leadership]:
    """etcd's entry, when it could be asked. When it changed is Prometheus' to say, if it does. Pure."""
    if before is None:
        return []
    said = Leadership(component=ETCD, before=before.leader, term_before=before.term)
    if after is not None:
        said.after, said.term_after = after.leader, after.term
    seen = next((one for one in statements if one.name == "etcd leader"), None)
    if seen is not None and seen.back_s is not None:
        said.takeover_s, said.error_bar_s = seen.back_s, seen.resolution_s or 0.0
    return [said]


def _node(holder: str) -> str:
    return holder.rpartition("_")[0] or holder


def _ran_out(looks: Sequence[Election], holder: str, injected_wall: float) -> float | None:
    """When the last renewal of the one who led had run out, in seconds since the injection: from then on others may
    lead. By the holder's clock."""
    last = next((look for look in reversed(looks) if look.holder == holder and look.renewed), None)
    if last is None:
        return None
    try:
        return round(unix(last.renewed) + last.duration_s - injected_wall, 3)
    except ValueError:
        return None
