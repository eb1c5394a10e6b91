"""What every load test is: something that happens to a service under load, and what must be true of the recording.

`run` acts and is never repeated; `judge` is a pure function of what was recorded, so that a verdict can be computed
again from a saved recording.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from experiments.loads.recording import Recording
from experiments.loads.result import Figure

if TYPE_CHECKING:
    from experiments.loads.stage import Stage


OWN = "own"  # the variant that loads a service of the user's and makes nothing


class Budgets:
    """What is allowed: the profile's figure, else the play's own."""

    def __init__(self, given: Mapping[str, Mapping[str, float]]) -> None:
        self._given = given

    def of(self, control: str, name: str, default: float) -> float:
        return float(self._given.get(control, {}).get(name, default))


class Play(ABC):
    """One load test. Stateless; several controls may be judged by one play."""

    name: ClassVar[str]
    title: ClassVar[str]
    controls: ClassVar[tuple[str, ...]]
    variants: ClassVar[Mapping[str, str]]  # what may be asked for, and what it means; the first is the default
    takes_s: ClassVar[int]  # about, for `list`
    own_service: ClassVar[bool] = False  # whether it can be run on a service of the user's

    def latency_target(self, budgets: Budgets) -> float | None:
        """Seconds that the subject's p95 is judged against, for the picture; None when it isn't."""
        return None

    @abstractmethod
    def run(self, stage: Stage) -> None:
        """Act. Raises `StageError`, `RestError`, `TrafficError`: then nothing is judged."""

    @abstractmethod
    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        """What must be true. A figure of None is `unknown`."""
