"""The watchdog over this process: one for all experiments of a run on a cluster, from the first change to the last.

Its journal begins with the namespace that experiments share, so that a run that dies between two of them leaves as
little behind as one that dies within. A process that ends without saying so ends it too.
"""

from __future__ import annotations

import atexit
import json
import logging
import secrets
import time
from dataclasses import dataclass

from fixtures.clusters.cluster import Cluster
from fixtures.safety import lease
from fixtures.safety.guard import Guard
from fixtures.safety.heal import Healed, heal
from fixtures.safety.journal import Journal
from fixtures.safety.state import journal_path
from fixtures.safety.undo import way_back

logger = logging.getLogger("evenkeel.watch")

PATIENCE_S = 30.0
DISMISSED_WITHIN_S = 10.0


@dataclass(frozen=True)
class Watch:
    """A journal, who watches over it, and the entry for what all experiments share."""

    journal: Journal
    guard: Guard
    ground: int

    def tidy(self, patience_s: float = PATIENCE_S) -> Healed:
        """Undo everything that an experiment changed; what the experiments share stays."""
        return heal(self.journal, "runner", patience_s=patience_s, keep=frozenset({self.ground}))

    def end(self) -> None:
        """Undo everything and dismiss the watchdog. What can't be undone yet it goes on trying."""
        left = heal(self.journal, "runner", patience_s=PATIENCE_S)
        for text in left.failed:
            logger.warning("not undone: %s; the watchdog goes on trying", text)
        self.guard.stop(wait_s=DISMISSED_WITHIN_S)


_watches: dict[str, Watch] = {}


def over(cluster: Cluster) -> Watch:
    """The one that watches already, else a new one. Raises `GuardError` or `JournalError`: then nothing may change."""
    key = _key(cluster)
    watch = _watches.get(key)
    if watch is not None and watch.guard.alive:
        return watch
    journal = Journal(journal_path(f"run-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"))
    guard = Guard(journal)
    guard.start()
    try:
        entry = journal.record("", way_back(lease.leave_ground, "leave no namespace behind", cluster))
    except Exception:
        guard.stop(wait_s=DISMISSED_WITHIN_S)
        raise
    _watches[key] = Watch(journal, guard, entry)
    return _watches[key]


def end(cluster: Cluster) -> None:
    """After the last experiment on a cluster. Nothing watched: nothing to do."""
    watch = _watches.pop(_key(cluster), None)
    if watch is not None:
        watch.end()


@atexit.register
def _dismiss() -> None:
    """Whoever forgot to say that it was the last: their watchdogs undo what is left."""
    for watch in _watches.values():
        watch.guard.stop(wait_s=DISMISSED_WITHIN_S)
    _watches.clear()


def _key(cluster: Cluster) -> str:
    return json.dumps(dict(cluster.reference()), sort_keys=True)
