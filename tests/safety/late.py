"""An undo function in a module that says who loads it: a file `loaded-PID` in the directory that it is told."""

from __future__ import annotations

import os
from pathlib import Path

from fixtures.clusters.cluster import Cluster
from fixtures.safety.undo import undoes

TELL = "EVENKEEL_TEST_LOADED"

if folder := os.environ.get(TELL):
    (Path(folder) / f"loaded-{os.getpid()}").touch()


@undoes
def nothing(cluster: Cluster | None) -> None:
    """Takes nothing back."""
