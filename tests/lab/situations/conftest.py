"""The lab with the shop in it, and what an audit says while nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.clusters.lab.lab import Lab
from tests.lab.situations.eye import Eye
from tests.lab.situations.shop import open_shop


@pytest.fixture(scope="package")
def eye(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eye]:
    """Looks at a lab in which nothing is wrong."""
    looking = Eye.impatient(lab, tmp_path_factory.mktemp("profile"))
    with open_shop(looking.api):
        yield looking
