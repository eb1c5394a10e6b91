"""Who holds the Lease of a leader election: look by look, and between two looks where the holder has changed."""

from __future__ import annotations

import time

import msgspec

from fixtures.safety.objects import VersionedLease
from fixtures.safety.rest import ANSWER_S, FROM_CACHE, Rest, RestError

PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


class Election(msgspec.Struct, frozen=True, kw_only=True):
    """A leader election as a look showed it, or as it was for a moment between that look and the one before."""

    at: float  # of the look, a reading of the monotonic clock
    name: str
    holder: str
    transitions: int
    duration_s: int
    acquired: str
    renewed: str
    between: bool = False
    whole: bool = True  # whether everything is known that it was since the look before


class _Lease(VersionedLease):
    @property
    def version(self) -> int:
        return int(self.metadata.resource_version or 0)

    @property
    def holder(self) -> str:
        return self.spec.holder_identity or ""


class _Leases(msgspec.Struct):
    items: list[_Lease] = []


class _Event(msgspec.Struct):
    type: str
    object: _Lease


class Elections:
    """Looks at all of them.

    Who gives a Lease back leaves it without a holder until another takes it, a fraction of a second later: too soon for
    two looks, and not to be told from a Lease that was taken too early. So where the holder has changed, the API server
    is asked for everything that the Lease was meanwhile, which it remembers.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._last: dict[str, _Lease] = {}

    def look(self) -> list[Election]:
        """In order. Raises `RestError` when they can't be seen."""
        found = []
        for lease in self._rest.get(PATH, _Leases, FROM_CACHE, timeout_s=ANSWER_S).items:
            if not lease.name.startswith("apiserver-"):
                found += self._since_last(lease)
        return found

    def _since_last(self, lease: _Lease) -> list[Election]:
        now, last = time.monotonic(), self._last.get(lease.name)
        if last is not None and lease.version < last.version:
            return [_election(now, lease)]  # from the memory of a server that was cut off
        self._last[lease.name] = lease
        if last is None or not last.holder or not lease.holder or last.holder == lease.holder:
            return [_election(now, lease)]
        try:
            between = self._between(last, lease)
        except RestError:
            return [_election(now, lease, whole=False)]
        return [*(_election(now, one, between=True) for one in between), _election(now, lease)]

    def _between(self, last: _Lease, now: _Lease) -> list[_Lease]:
        """Raises `RestError` when the API server doesn't remember: it may have started only after that."""
        query: dict[str, str | int] = {
            "watch": "1",
            "fieldSelector": f"metadata.name={now.name}",
            "resourceVersion": last.metadata.resource_version,
            "timeoutSeconds": 1,
        }
        found: list[_Lease] = []
        for event in self._rest.watch(PATH, _Event, query, timeout_s=ANSWER_S):
            if event.type == "ERROR":
                break
            if event.object.version >= now.version:
                return found
            found.append(event.object)
        raise RestError(f"GET {PATH}: {now.name} is not remembered since version {last.metadata.resource_version}")


def _election(at: float, lease: _Lease, *, between: bool = False, whole: bool = True) -> Election:
    return Election(
        at=at,
        name=lease.name,
        holder=lease.holder,
        transitions=lease.spec.lease_transitions or 0,
        duration_s=lease.spec.lease_duration_seconds or 0,
        acquired=lease.spec.acquire_time or "",
        renewed=lease.spec.renew_time or "",
        between=between,
        whole=whole,
    )
