"""A lab for the tests that need one: the one that is up, or one of their own for as long as they run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import start, state, stop
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import Topology
from fixtures.clusters.lab.supply import prepare


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of three control planes and three workers with fast timings, all nodes on."""
    try:
        yield Lab.open()
        return
    except ClusterError:
        pass
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n[lab] {text}", end="", flush=True)  # noqa: T201  # minutes without a word look like a hang

    start.up(state.home(), Topology(), prepare(say), say)
    start.settle(state.home(), say)
    yield Lab.open()
    stop.down(state.home())
