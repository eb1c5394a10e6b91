"""The part of run.json that is about load: what knocked, what the service became, second by second."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from reports.kinds import Seconds, Timestamp, Verdict


class Figure(Struct, kw_only=True, frozen=True):
    """One number of a load test against its budget."""

    control: Annotated[str, Meta(examples=["ELA-01"])] = ""
    name: Annotated[str, Meta(description="the profile's word for its budget", examples=["first-pod-ready"])]
    what: Annotated[str, Meta(description="in words, with the number")] = ""
    value: Annotated[float | None, Meta(description="null: could not be measured")] = None
    budget: Annotated[float | None, Meta(description="null: observed, not judged")] = None
    unit: Annotated[str, Meta(description="s; empty for counts and ratios")] = "s"
    at_least: Annotated[bool, Meta(description="true: the budget is a minimum")] = False
    why: Annotated[str, Meta(description="evidence, such as the most frequent errors")] = ""
    never: Annotated[bool, Meta(description="true: it should have happened, was watched for, and did not")] = False
    verdict: Verdict = Verdict.UNKNOWN


class Moment(Struct, kw_only=True, frozen=True):
    """Something that happened while a service was loaded."""

    t_s: Annotated[float, Meta(description="seconds since the load test's `zero`")]
    kind: Annotated[str, Meta(examples=["load", "decided", "acted", "ready", "recovered", "ended"])]
    what: str = ""


class Traffic(Struct, kw_only=True, frozen=True):
    """What locust was told."""

    user: Annotated[str, Meta(examples=["plain"])]
    shape: Annotated[str, Meta(examples=["step"])]
    host: str = ""
    peak: Annotated[float, Meta(description="requests a second at the most")] = 0.0
    base: Annotated[float, Meta(description="requests a second in quiet times")] = 0.0


class Generator(Struct, kw_only=True, frozen=True):
    """Whether locust kept up: when it didn't in more than a tenth of the seconds, nothing is concluded."""

    seconds: int = 0
    limited: Annotated[int, Meta(description="seconds in which it used all of a core, or its timers were late")] = 0
    cpu: Annotated[float, Meta(description="cores of the busiest process in its busiest second")] = 0.0
    lag_s: Annotated[float, Meta(description="the latest timer")] = 0.0
    asked: Annotated[float, Meta(description="requests a second, on average")] = 0.0
    achieved: Annotated[float, Meta(description="requests a second, on average")] = 0.0


class Point(Struct, frozen=True, array_like=True):
    """One second of one service, written as an array. Requests count in the second that they ended in."""

    t_s: Annotated[float, Meta(description="start of the second, seconds since the load test's `zero`")]
    asked: Annotated[float, Meta(description="requests a second that the users meant to make")]
    ok: Annotated[int, Meta(ge=0, description="good requests")]
    failed: Annotated[int, Meta(ge=0, description="failed requests")]
    p50_s: float | None
    p95_s: float | None
    p99_s: Annotated[float | None, Meta(description="latency of good requests")]
    wanted: Annotated[int | None, Meta(description="replicas asked for; null when the API did not say")]
    pods: Annotated[int | None, Meta(description="pods that are not on their way out")]
    ready: Annotated[int | None, Meta(description="pods that are Ready")]
    cores: Annotated[float | None, Meta(description="CPU of all its pods, as the metrics API has it")]
    busiest: Annotated[float | None, Meta(description="CPU of the pod that uses most")]


class Series(Struct, kw_only=True, frozen=True):
    """One service during a load test."""

    name: str
    traffic: Traffic | None = None
    generator: Generator = Generator()
    latency_target_s: Annotated[float | None, Meta(description="what p95 was judged against")] = None
    errors: Annotated[dict[str, int], Meta(description="failed requests by what went wrong")] = {}
    points: list[Point] = []


class Load(Struct, kw_only=True, frozen=True):
    """One load test, from before its load until the cluster was as before."""

    name: Annotated[str, Meta(examples=["autoscaling"])]
    title: str = ""
    variant: str = ""
    controls: Annotated[list[str], Meta(description="the controls that are judged by it")] = []
    target: Annotated[str, Meta(description="namespace/Deployment")] = ""
    driver: str = ""
    verdict: Verdict
    reason: Annotated[str, Meta(description="why it failed or could not be judged")] = ""
    started: Timestamp | None = None
    zero: Annotated[Timestamp | None, Meta(description="the moment that seconds are counted from")] = None
    finished: Timestamp | None = None
    moments: list[Moment] = []
    figures: list[Figure] = []
    series: list[Series] = []

    @property
    def seconds(self) -> Seconds:
        """From its first to its last second."""
        ends = [p.t_s for s in self.series for p in s.points]
        return max(ends) + 1 - min(ends) if ends else 0.0
