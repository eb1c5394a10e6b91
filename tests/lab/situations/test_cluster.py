"""Ways in which nodes, add-ons and the control plane go wrong, in the lab: an audit says exactly that."""

from __future__ import annotations

import pytest

from tests.lab.situations.cluster import SITUATIONS
from tests.lab.situations.eye import Eye
from tests.lab.situations.proof import prove
from tests.lab.situations.situation import Situation

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.name)
def test_exactly_what_is_wrong_is_found(situation: Situation, eye: Eye) -> None:
    prove(situation, eye)
