"""What a load test came to: exactly an entry of `loads[]` in run.json, schema evenkeel.run/v1."""

from __future__ import annotations

from typing import Any

import msgspec

from experiments.result import FAIL, PASS, UNKNOWN


class Figure(msgspec.Struct, kw_only=True):
    """One number (or one claim: 0 findings allowed) against its budget."""

    control: str
    name: str  # the profile's word for its budget: "first-pod-ready"
    what: str  # in words, with the number
    value: float | None = None  # None: could not be measured
    budget: float | None = None  # None: observed, not judged
    unit: str = "s"
    at_least: bool = False  # the budget is a minimum
    why: str = ""  # evidence
    never: bool = False  # it should have happened, and was watched for, and did not
    at: float | None = None  # when it happened, on the recording's clock: becomes a moment
    kind: str = "recovered"  # of that moment

    @property
    def verdict(self) -> str:
        if self.never:
            return FAIL
        if self.budget is None:
            return PASS
        if self.value is None:
            return UNKNOWN
        return PASS if (self.value >= self.budget if self.at_least else self.value <= self.budget) else FAIL


class Moment(msgspec.Struct, kw_only=True, frozen=True):
    """Something that happened, in seconds since the recording's zero."""

    t_s: float
    kind: str  # load, acted, decided, ready, recovered, ended
    what: str


class Load(msgspec.Struct, kw_only=True, frozen=True):
    """What locust was told."""

    user: str
    shape: str
    host: str
    peak: float  # requests a second
    base: float


class GeneratorUse(msgspec.Struct, kw_only=True, frozen=True):
    """Whether locust kept up."""

    seconds: int = 0
    limited: int = 0
    cpu: float = 0.0
    lag_s: float = 0.0
    asked: float = 0.0
    achieved: float = 0.0


Point = tuple[
    float,  # t_s
    float,  # asked
    int,  # ok
    int,  # failed
    float | None,  # p50
    float | None,  # p95
    float | None,  # p99
    int | None,  # wanted replicas
    int | None,  # pods
    int | None,  # Ready pods
    float | None,  # cores of all pods
    float | None,  # cores of the busiest pod
]


class Series(msgspec.Struct, kw_only=True):
    """One service: its traffic and its pods, second by second."""

    name: str
    traffic: Load | None = None
    generator: GeneratorUse = GeneratorUse()
    latency_target_s: float | None = None
    errors: dict[str, int] = {}
    points: list[Point] = []


class Result(msgspec.Struct, kw_only=True):
    """One load test."""

    name: str
    title: str = ""
    variant: str = ""
    controls: list[str] = []
    target: str = ""
    driver: str = ""
    verdict: str = UNKNOWN
    reason: str = ""
    started: str | None = None
    zero: str | None = None
    finished: str | None = None
    moments: list[Moment] = []
    figures: list[Figure] = []
    series: list[Series] = []

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; every figure with its verdict."""
        made = dict(msgspec.to_builtins(self))
        made["figures"] = [{**msgspec.to_builtins(f), "verdict": f.verdict} for f in self.figures]
        for figure in made["figures"]:
            del figure["at"], figure["kind"]  # among the moments
        return made


def verdict(figures: list[Figure]) -> tuple[str, str]:
    """Of all of them together, and why."""
    judged = [f for f in figures if f.budget is not None]
    for wanted in (FAIL, UNKNOWN):
        found = [f for f in judged if f.verdict == wanted]
        if found:
            return wanted, "; ".join(explain(f) for f in found)
    if not judged:
        return UNKNOWN, "nothing had a budget"
    return PASS, f"{len(judged)} of {len(judged)} within their budgets"


def explain(figure: Figure) -> str:
    """A figure in one sentence."""
    said = figure.what if figure.value is not None or figure.never else f"not measured: {figure.what}"
    if figure.budget is not None:
        said += f" ({'at least' if figure.at_least else 'at most'} {figure.budget:g}{_unit(figure.unit)})"
    return said + (f": {figure.why}" if figure.why else "")


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
