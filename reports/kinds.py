"""The words that every part of run.json is written in."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

Timestamp = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)$",
        description="ISO 8601, UTC",
        examples=["2026-01-31T09:30:00.000Z"],
    ),
]
Seconds = Annotated[float, Meta(description="seconds")]


class Verdict(StrEnum):
    """What a control, an experiment, a target or a whole run came to. What could not be judged is never `pass`."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not-applicable"
