"""A situation: what is done to the lab, and exactly what an audit then says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.situations.deeds import Deed
from tests.lab.situations.eye import Changes


@dataclass(frozen=True)
class Situation:
    """Something that is wrong: how it comes about, exactly what changes in an audit, and why no more and no less.

    `within_s` is how long the cluster may take to show it. `evidence`: more than objects must be looked at.
    """

    name: str
    deed: Deed
    expected: Changes
    why: str
    within_s: float = 30
    evidence: bool = False
