"""What an experiment came to: exactly an entry of `experiments[]` in run.json, schema evenkeel.run/v1.

Times are ISO 8601 in UTC with milliseconds, durations seconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from fixtures.prober.latency import Quantiles

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = "pass", "fail", "unknown", "not-applicable"


def timestamp(unix_s: float) -> str:
    """Unix time as run.json has it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix(text: str) -> float:
    """The inverse of `timestamp`."""
    return datetime.fromisoformat(text).timestamp()


class Proof(msgspec.Struct, kw_only=True):
    """Something that only the fault can change, before and after."""

    what: str = ""
    before: Any = None
    after: Any = None
    proven: bool = False


class Phase(msgspec.Struct, kw_only=True):
    """A step of the recovery."""

    kind: str  # detected, acted, recovered
    at: str
    since_injection_s: float
    what: str


class Window(msgspec.Struct, kw_only=True):
    """One outage of one target."""

    start: str
    end: str
    duration_s: float
    error_bar_s: float
    failed: int


class Latency(msgspec.Struct, kw_only=True):
    """Before the injection, until healed, and after."""

    before: Quantiles = Quantiles()
    during: Quantiles = Quantiles()
    after: Quantiles = Quantiles()


class Target(msgspec.Struct, kw_only=True):
    """What one target's probes say."""

    name: str
    kind: str
    budget_s: float | None
    verdict: str
    requests: int = 0
    failed: int = 0
    longest_outage_s: float = 0.0
    total_outage_s: float = 0.0
    error_bar_s: float = 0.0
    windows: list[Window] = []
    latency: Latency = msgspec.field(default_factory=Latency)
    samples: str | None = None
    timeline: list[tuple[float, int, int, float | None]] = []


class Check(msgspec.Struct, kw_only=True):
    """Something else that had to be true."""

    name: str
    verdict: str
    message: str
    judged: bool = True  # False: said, but the experiment's verdict does not depend on it
    seconds: float | None = None  # since the injection, where it is about a time
    budget_s: float | None = None


class Leadership(msgspec.Struct, kw_only=True):
    """Who led one component before the fault, and who afterwards. Times are seconds since the injection."""

    component: str
    before: str = ""  # the node
    after: str = ""
    takeover_s: float | None = None  # another one leads; None: nobody else did
    error_bar_s: float = 0.0
    ran_out_s: float | None = None  # the Lease of the one before had run out
    lease_s: float | None = None  # how long it is
    transitions: int | None = None  # counted meanwhile
    term_before: int | None = None  # etcd's
    term_after: int | None = None


class Statement(msgspec.Struct, kw_only=True):
    """One thing that Prometheus says. Times are seconds since the injection, true within ± `resolution_s`."""

    name: str
    query: str
    verdict: str
    message: str
    resolution_s: float | None = None
    lost_s: float | None = None  # None: not seen missing
    back_s: float | None = None


class Corroboration(msgspec.Struct, kw_only=True):
    """What Prometheus saw of the fault, beside the prober."""

    source: str = ""  # the server's address; empty: none was asked
    reason: str = ""  # why it says nothing
    statements: list[Statement] = []


class Result(msgspec.Struct, kw_only=True):
    """One experiment."""

    name: str
    fault: str = ""
    title: str = ""
    target: str = ""
    driver: str = ""
    verdict: str = UNKNOWN
    reason: str = ""
    simulated: bool = False
    proof: Proof = msgspec.field(default_factory=Proof)
    started: str | None = None
    injected: str | None = None
    proven: str | None = None
    healed: str | None = None
    healthy: str | None = None
    finished: str | None = None
    phases: list[Phase] = []
    targets: list[Target] = []
    checks: list[Check] = []
    leaders: list[Leadership] = []
    corroboration: Corroboration = msgspec.field(default_factory=Corroboration)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return dict(msgspec.to_builtins(self))
