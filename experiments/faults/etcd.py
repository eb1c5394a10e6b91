"""Who leads etcd, asked of etcd itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fixtures.snapshot.evidence import etcd
from fixtures.snapshot.snapshot import Unreadable

if TYPE_CHECKING:
    from kubernetes.client import ApiClient


class Leadership(msgspec.Struct, frozen=True, kw_only=True):
    """What the members that answered agree on."""

    leader: str  # the member's name: in kubeadm clusters its node's
    term: int
    answered: int


def leadership(client: ApiClient) -> Leadership:
    """Ask through any etcd pod that answers. Raises `Unreadable` when none does, or when there is no leader."""
    said = etcd.ask(client)
    names = {m["ID"]: m.get("name", "") for m in said["members"]}
    statuses = [s["Status"] for s in said["statuses"] if s.get("Status")]
    latest = max(statuses, key=lambda s: int(s.get("raftTerm") or 0), default=None)
    if latest is None or not latest.get("leader"):
        raise Unreadable(f"etcd has no leader at the moment ({len(statuses)} members answered)")
    return Leadership(
        leader=names.get(latest["leader"], str(latest["leader"])),
        term=int(latest.get("raftTerm") or 0),
        answered=len(statuses),
    )
