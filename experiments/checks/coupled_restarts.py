"""A component of the control plane that was restarted takes no other one with it.

They are coupled only through watches and Leases: whoever loses the API server it talked to asks again, and goes on.
One that ends itself then, because its liveness probe failed or it could not bear the silence, turns one restart into a
chain of them. A leader that could not renew its Lease is none of these: it has to end itself, or there would be two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from experiments.observer import Change, StaticPod
from experiments.result import FAIL, PASS, UNKNOWN, Check

NAME = "coupled-restarts"
PREFIX = "static/"
LEASE = "lease/"
CHAIN_S = 3.0  # a follower that ends itself has done so by then, and its kubelet has said so


def judge(changes: Sequence[Change], meant: Collection[str], injected: float, looked: float | None) -> Check:
    """No pod of the control plane but those `meant` restarted after the injection. `looked` is when the pods were last
    seen. Counts are compared as the highest before and after: an answer from a cache may be an old one. Pure."""
    if looked is None or looked < injected + CHAIN_S:
        said = f"the control plane's pods were not seen {CHAIN_S:g} s after the injection or later"
        return Check(name=NAME, verdict=UNKNOWN, message=said)
    static = [c for c in changes if c.subject.startswith(PREFIX)]
    later = [c for c in static if c.at > injected]
    last: dict[str, Any] = {}  # as each was when its first change after the injection was seen
    for change in later:
        last.setdefault(change.subject, change.old)
    before = _highest([*last.items(), *((c.subject, c.new) for c in static if c.at <= injected)])
    after = _highest((c.subject, c.new) for c in later)
    grown = {pod: count - before.get(pod, count) for pod, count in sorted(after.items())}
    deposed = _deposed(changes, injected)
    chained = {pod: count for pod, count in grown.items() if count > 0 and pod not in deposed and pod not in meant}
    gave_up = sorted(pod for pod, count in grown.items() if count > 0 and pod in deposed and pod not in meant)
    hit = ", ".join(sorted(meant))
    if not chained:
        said = f"no other pod of the control plane restarted within {looked - injected:.1f} s of {hit}"
        if gave_up:
            said += f", but {', '.join(gave_up)}, which could not renew its Lease and had to"
        return Check(name=NAME, verdict=PASS, message=said)
    told = ", ".join(f"{pod} ({count} time(s))" for pod, count in chained.items())
    return Check(name=NAME, verdict=FAIL, message=f"{told} restarted, although only {hit} was hit")


def _highest(seen: Iterable[tuple[str, StaticPod | None]]) -> dict[str, int]:
    """The highest count of restarts seen of each pod, by its name."""
    found: dict[str, int] = {}
    for subject, state in seen:
        if state is not None:
            pod = subject.removeprefix(PREFIX)
            found[pod] = max(found.get(pod, 0), state.restarts)
    return found


def _deposed(changes: Sequence[Change], injected: float) -> set[str]:
    """Pods of leaders whose Lease somebody else took after the injection, or they themselves anew."""
    return {
        f"{change.subject.removeprefix(LEASE)}-{change.old[0].rpartition('_')[0] or change.old[0]}"
        for change in changes
        if change.subject.startswith(LEASE) and change.at > injected and change.old and change.old[0]
    }
