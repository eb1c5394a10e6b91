"""Things a test may break and mend without a cluster: files."""

from __future__ import annotations

import os
from pathlib import Path

from fixtures.clusters.cluster import Cluster
from fixtures.safety.undo import undoes


@undoes
def remove(cluster: Cluster | None, path: str) -> None:
    """A change is a file; mending it is removing it."""
    Path(path).unlink(missing_ok=True)


@undoes
def remove_and_tell(cluster: Cluster | None, path: str, order: str) -> None:
    """As `remove`, and leaves a trace of the order in which things were mended."""
    Path(path).unlink(missing_ok=True)
    with Path(order).open("a") as file:
        file.write(f"{Path(path).name}\n")


@undoes
def remove_when_open(cluster: Cluster | None, path: str, gate: str) -> None:
    """Can't be mended before the gate is open."""
    if not Path(gate).exists():
        raise ConnectionRefusedError("gate closed")
    Path(path).unlink(missing_ok=True)


def unmarked(cluster: Cluster | None, path: str) -> None:
    """Not an undo function: a journal must not be able to call it."""
    os.unlink(path)  # noqa: PTH108
