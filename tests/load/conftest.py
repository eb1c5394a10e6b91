"""A simulated cluster with a service behind its door, and plays in a quick edition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.runner import leave
from experiments.settings import Settings
from fixtures.clusters.kubeconfig import KubeconfigCluster
from tests.load.simulated import SimulatedCluster
from tests.prober.local_server import LocalServer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """What every door of the simulated cluster leads to."""
    with LocalServer() as server:
        url = server.url.rstrip("/")
        monkeypatch.setattr(KubeconfigCluster, "door", lambda self, port: url)
        yield server


@pytest.fixture
def simulated() -> Iterator[SimulatedCluster]:
    with SimulatedCluster() as running:
        yield running


@pytest.fixture
def settings(simulated: SimulatedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("EVENKEEL_STATE", str(tmp_path / "state"))
    made = Settings(
        cluster="kubeconfig",
        kubeconfig=str(simulated.kubeconfig(tmp_path)),
        context="fake",
        confirmed=True,
        allow_disruption=True,
        run_directory=str(tmp_path / "run"),
    )
    yield made
    leave(made)
