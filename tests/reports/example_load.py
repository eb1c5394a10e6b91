"""A made-up load test, and a second with two services, in which something is lost."""

from __future__ import annotations

import math

from reports.loads import Figure, Generator, Load, Moment, Point, Series, Traffic
from reports.model import Verdict


def growing() -> Load:
    """Load rises at 0 s; the scaler decides at 12 s; enough pods at 19 s."""
    points = []
    for t in range(-8, 136):
        asked = 80.0 if 0 <= t < 60 else 8.0
        wanted = 2 if t < 12 else 4 if t < 17 else 6 if t < 78 else 2
        ready = 2 if t < 14 else 4 if t < 19 else 6 if t < 79 else 2
        tight = 0 <= t < 19
        ok = round(min(asked, ready * 22.0) * (1 + 0.03 * math.sin(t * 1.7)))
        slow = 0.45 if tight else 0.004 * (1 + 0.4 * math.sin(t * 0.9) ** 2)
        cores = round(ok * 0.0027, 4) if t > -2 else None
        points.append(
            Point(t, asked, ok, 0, slow * 0.7, slow, slow * 1.6, wanted, max(wanted, ready), ready, cores,
                  None if cores is None else round(cores / ready * 1.15, 4))
        )  # fmt: skip
    return Load(
        name="autoscaling",
        title="A service grows under CPU load and shrinks after it",
        variant="reference",
        controls=["ELA-01", "ELA-02"],
        target="evenkeel-load-4f1c2a/subject",
        driver="lab",
        verdict=Verdict.PASS,
        reason="3 of 3 within their budgets",
        started="2026-01-31T09:40:00.000Z",
        zero="2026-01-31T09:40:12.000Z",
        finished="2026-01-31T09:42:40.000Z",
        moments=[
            Moment(t_s=0, kind="load", what="80 requests a second instead of 8"),
            Moment(t_s=12.1, kind="detected", what="the scaler asked for more pods"),
            Moment(t_s=14.3, kind="acted", what="a new pod was Ready"),
            Moment(t_s=19.2, kind="recovered", what="all 6 pods were Ready"),
            Moment(t_s=20.0, kind="recovered", what="p95 was within 500 ms again"),
            Moment(t_s=79.0, kind="recovered", what="it was back at 2 pods"),
        ],
        figures=[
            _figure("ELA-01", "decision", "the scaler asked for more pods after 12.1 s", 12.1, 35),
            _figure("ELA-01", "error-ratio", "0 of 5,241 requests failed while it grew", 0.0, 0.0, unit=""),
            _figure("ELA-02", "shrunk", "it was back at 2 pods after 19.0 s", 19.0, 60),
        ],
        series=[
            Series(
                name="subject",
                traffic=Traffic(user="cpu", shape="step", host="http://127.0.0.1:18081", peak=80, base=8),
                generator=Generator(seconds=143, limited=1, cpu=0.21, lag_s=0.31, asked=38.2, achieved=36.9),
                latency_target_s=0.5,
                points=points,
            )
        ],
    )


def apart() -> Load:
    """Two services; the neighbour loses requests when the other is released."""
    series = [_steady("subject", 80.0, 0.003, 0), _steady("neighbour", 30.0, 0.002, 3)]
    return Load(
        name="apart",
        title="One service is scaled and released, its neighbour is left alone",
        variant="one-version",
        controls=["ELA-11"],
        verdict=Verdict.FAIL,
        reason="12 of 1,200 requests at the neighbour failed (at most 0)",
        moments=[
            Moment(t_s=0, kind="load", what="80 and 30 requests a second"),
            Moment(t_s=10, kind="acted", what="released"),
        ],
        figures=[
            _figure("ELA-11", "neighbour-errors", "12 of 1,200 requests at the neighbour failed", 12, 0, unit=""),
            Figure(
                control="ELA-11", name="back", what="never: it was back", budget=5, never=True, verdict=Verdict.FAIL
            ),
        ],
        series=series,
    )


def _steady(name: str, rate: float, latency: float, lost: int) -> Series:
    points = [
        Point(t, rate, round(rate) - failed, failed, latency, latency * 2, latency * 4, 2, 3 if failed else 2, 2,
              rate * 0.0004, rate * 0.0002)
        for t in range(-4, 36)
        for failed in [lost if 10 <= t < 14 else 0]
    ]  # fmt: skip
    errors = {"ConnectionRefusedError: [Errno 111] Connection refused": 12} if lost else {}
    return Series(
        name=name, traffic=Traffic(user="plain", shape="soak", peak=rate, base=rate), points=points, errors=errors
    )


def _figure(control: str, name: str, what: str, value: float, budget: float, unit: str = "s") -> Figure:
    verdict = Verdict.PASS if value <= budget else Verdict.FAIL
    return Figure(control=control, name=name, what=what, value=value, budget=budget, unit=unit, verdict=verdict)
