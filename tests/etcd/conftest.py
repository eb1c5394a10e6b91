"""A stand of three real members of etcd, where the lab's binaries have been built or fetched."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.clusters.lab.supply import binaries
from fixtures.clusters.lab.supply.cache import cache_root
from fixtures.clusters.lab.supply.products import PRODUCTS
from tests.etcd.stand import NAMES, Stand


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where etcd, etcdctl and etcdutl are."""
    product = next(p for p in PRODUCTS if p.name == "etcd")
    found = binaries.home(cache_root(), product)
    if not all((found / binary.name).exists() for binary in product.binaries):
        pytest.skip(f"no etcd in {found}: `make setup` puts it there")
    return found


@pytest.fixture
def stand(programs: Path, tmp_path: Path) -> Iterator[Stand]:
    """Three members with a leader."""
    with Stand(tmp_path, programs, _ports(2 * len(NAMES))) as running:
        yield running


def _ports(count: int) -> int:
    """The first of so many free ports in a row."""
    for first in range(24790, 32000, count):  # none that begins like etcd's own
        with socket.socket() as probe:
            try:
                for port in range(first, first + count):
                    socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                continue
            probe.close()
            return first
    raise AssertionError("no free ports")
