"""etcd, tuned for another network than it is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from experiments.faults import members, static_pods
from fixtures.clusters.lab.lab import Lab


@contextmanager
def waits_10_s_for_its_leader(lab: Lab) -> Iterator[None]:
    """Members hold an election when they have not heard of their leader for ten seconds, as if it were far away."""
    nodes = members.masters(lab)

    def patient(node: str) -> None:
        manifest = static_pods.original(lab, node, "etcd")
        static_pods.replace(lab, node, "etcd", static_pods.with_flag(manifest, "election-timeout", "10000"))

    try:
        for node in nodes:
            _restarted(lab, node, lambda node=node: patient(node))  # type: ignore[misc]
        yield
    finally:
        for node in nodes:
            _restarted(lab, node, lambda node=node: static_pods.put_back(lab, node, "etcd"))  # type: ignore[misc]


def _restarted(lab: Lab, node: str, change: Callable[[], None]) -> None:
    """One member after the other: two at once would be the quorum."""
    old = members.process(lab, node)
    static_pods.restart(lab, node, change)
    members.await_restart(lab, node, old)
