"""The content of `run.json`, schema `evenkeel.run/v1`.

Everything that any report says comes from here. Times are ISO 8601 in UTC with milliseconds
(`2026-01-31T09:30:00.000Z`), durations and latencies are seconds as floats. Unknown fields are ignored when reading, so
that an older reader understands a newer file of the same schema.

The JSON Schema is printed by `evenkeel report schema`; docs/run-json.md is generated from these structs
(`reports/reference.py`) and a test keeps it true.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from reports.kinds import Seconds as Seconds
from reports.kinds import Timestamp as Timestamp
from reports.kinds import Verdict as Verdict
from reports.loads import Load as Load

SCHEMA: Literal["evenkeel.run/v1"] = "evenkeel.run/v1"

Count = Annotated[int, Meta(ge=0)]


class State(StrEnum):
    """How far the run came. A file still saying `running` whose process is gone was killed."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


class Tool(Struct, kw_only=True, frozen=True):
    """What made the run."""

    name: str = "evenkeel"
    version: str = ""


class Node(Struct, kw_only=True, frozen=True):
    """One machine of the cluster."""

    name: str
    role: Annotated[str, Meta(examples=["control-plane", "worker"])] = ""
    zone: str = ""
    address: str = ""
    version: Annotated[str, Meta(description="the kubelet's version")] = ""


class Cluster(Struct, kw_only=True, frozen=True):
    """What was judged."""

    name: str = ""
    provider: Annotated[str, Meta(examples=["lab", "kubeconfig", "manifests", "snapshot"])] = ""
    distribution: str = ""
    version: Annotated[str, Meta(description="the API server's version")] = ""
    nodes: list[Node] = []


class Profile(Struct, kw_only=True, frozen=True):
    """By which thresholds it was judged."""

    name: str = ""
    values: Annotated[dict[str, Any], Meta(description="the thresholds and scope, as nested objects")] = {}


class Waiver(Struct, kw_only=True, frozen=True):
    """Who answers for a finding, and until when."""

    justification: str = ""
    owner: str = ""
    expires: Annotated[str, Meta(description="the last day it holds, ISO 8601")] = ""
    ticket: str = ""


class Finding(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One object that breaks one control, with the evidence."""

    object: Annotated[str, Meta(description="kind, namespace and name", examples=["Deployment shop/cart"])]
    path: Annotated[str, Meta(description="the field looked at", examples=["spec.replicas"])] = ""
    value: Annotated[Any, Meta(description="what stood there, any JSON value")] = None
    message: Annotated[str, Meta(description="what is wrong with it")] = ""
    file: Annotated[str | None, Meta(description="the manifest, when manifests were judged")] = None
    line: Annotated[int | None, Meta(description="line in `file`, from 1")] = None
    waiver: Annotated[Waiver | None, Meta(description="the waiver that covers this finding, if one does")] = None


class Control(Struct, kw_only=True, frozen=True):
    """One claim and whether it holds."""

    id: Annotated[str, Meta(examples=["APP-01"])]
    title: Annotated[str, Meta(description="the claim")]
    layer: Annotated[
        str,
        Meta(description="system, application, access, lifecycle, recovery or elasticity"),
    ] = ""
    severity: Annotated[str, Meta(examples=["critical", "high", "medium", "low"])] = ""
    verdict: Verdict
    reason: Annotated[str, Meta(description="why the verdict is what it is; for `unknown`, what was missing")] = ""
    findings: list[Finding] = []
    duration_s: Seconds = 0.0
    remedy: Annotated[str, Meta(description="what to do when it fails")] = ""
    source: Annotated[str, Meta(description="where the claim comes from")] = ""


class Proof(Struct, kw_only=True, frozen=True):
    """Evidence that the fault really happened: something that only the fault can change."""

    what: Annotated[str, Meta(description="what was looked at", examples=["boot id of master-1"])] = ""
    before: Any = None
    after: Any = None
    proven: bool = False


class Phase(Struct, kw_only=True, frozen=True):
    """A step of the recovery: somebody noticed, somebody did something, it worked again."""

    kind: Literal["detected", "acted", "recovered"]
    at: Timestamp
    since_injection_s: Seconds
    what: str


class Window(Struct, kw_only=True, frozen=True):
    """One outage: from the first failed probe's scheduled time to the first of the next run of good ones."""

    start: Timestamp
    end: Timestamp
    duration_s: Seconds
    error_bar_s: Annotated[float, Meta(description="the true duration is within ± this many seconds")] = 0.0
    failed: Annotated[int, Meta(ge=0, description="failed probes in the window")] = 0


class Quantiles(Struct, kw_only=True, frozen=True):
    """Latency of the good probes in one part of the observation; null when there were none."""

    p50_s: float | None = None
    p99_s: float | None = None
    max_s: float | None = None


class Latency(Struct, kw_only=True, frozen=True):
    """Latency before the injection, between injection and healing, and after it."""

    before: Quantiles = Quantiles()
    during: Quantiles = Quantiles()
    after: Quantiles = Quantiles()


class Bucket(Struct, kw_only=True, frozen=True, array_like=True):
    """250 ms of probes, written as an array of four."""

    t_s: Annotated[float, Meta(description="start of the bucket, seconds since the injection (negative: before)")]
    ok: Annotated[int, Meta(ge=0, description="good probes scheduled in it")]
    failed: Annotated[int, Meta(ge=0, description="failed probes scheduled in it")]
    max_latency_s: Annotated[float | None, Meta(description="slowest good probe; null when there was none")] = None


class Target(Struct, kw_only=True, frozen=True):
    """One thing that was probed from outside during the fault, against its budget."""

    name: Annotated[str, Meta(examples=["api-write"])]
    kind: Annotated[str, Meta(examples=["http", "api-read", "api-write", "control"])] = ""
    budget_s: Annotated[float | None, Meta(description="longest outage allowed; null: observed, not judged")] = None
    verdict: Verdict
    requests: Annotated[int, Meta(ge=0, description="probes sent")] = 0
    failed: Annotated[int, Meta(ge=0, description="probes without a good answer in time")] = 0
    longest_outage_s: Annotated[float, Meta(description="the longest window; judged against the budget")] = 0.0
    total_outage_s: Annotated[float, Meta(description="all windows together")] = 0.0
    error_bar_s: Annotated[float, Meta(description="the longest outage is within ± this many seconds")] = 0.0
    windows: list[Window] = []
    latency: Latency = Latency()
    samples: Annotated[str | None, Meta(description="file with one record a probe, relative to run.json")] = None
    timeline: list[Bucket] = []


class Check(Struct, kw_only=True, frozen=True):
    """Something else that had to be true of the experiment, such as every acknowledged write being there afterwards."""

    name: str
    verdict: Verdict
    message: str = ""
    judged: Annotated[bool, Meta(description="false: said, but the experiment's verdict does not depend on it")] = True
    seconds: Annotated[float | None, Meta(description="since the injection, where it is about a time")] = None
    budget_s: Annotated[float | None, Meta(description="how long that may take; null: nobody promised")] = None


class Leadership(Struct, kw_only=True, frozen=True):
    """Who led one component before a control-plane fault, and who afterwards. Times are seconds since the injection."""

    component: Annotated[str, Meta(examples=["kube-scheduler", "etcd"])]
    before: Annotated[str, Meta(description="the node", examples=["master-1"])] = ""
    after: str = ""
    takeover_s: Annotated[float | None, Meta(description="another one was seen to lead; null: nobody else did")] = None
    error_bar_s: Annotated[float, Meta(description="the look before that one was so much earlier")] = 0.0
    ran_out_s: Annotated[float | None, Meta(description="when the Lease of the one before had run out")] = None
    lease_s: Annotated[float | None, Meta(description="how long the Lease is")] = None
    transitions: Annotated[int | None, Meta(description="changes that the Lease counted meanwhile")] = None
    term_before: Annotated[int | None, Meta(description="etcd's")] = None
    term_after: int | None = None


class Statement(Struct, kw_only=True, frozen=True):
    """One thing that Prometheus says. Times are seconds since the injection, true within ± `resolution_s`."""

    name: Annotated[str, Meta(examples=["targets", "readiness"])]
    verdict: Verdict
    query: Annotated[str, Meta(description="the selector whose raw samples were read", examples=["up"])] = ""
    message: str = ""
    resolution_s: Annotated[
        float | None, Meta(description="twice the time between two scrapes, as measured; null: too few samples")
    ] = None
    lost_s: Annotated[float | None, Meta(description="first seen missing or failing; null: it was not")] = None
    back_s: Annotated[float | None, Meta(description="seen back as before; null: never lost, or not back")] = None


class Corroboration(Struct, kw_only=True, frozen=True):
    """What Prometheus saw of the fault. It corroborates; outages are the prober's to measure."""

    source: Annotated[str, Meta(description="the server's address; empty: none was asked")] = ""
    reason: Annotated[str, Meta(description="why it says nothing")] = ""
    statements: list[Statement] = []


class Experiment(Struct, kw_only=True, frozen=True):
    """One fault, from before it was injected until the cluster was healthy again."""

    name: Annotated[str, Meta(examples=["master-power-cut"])]
    fault: Annotated[str, Meta(examples=["F-10"])] = ""
    title: str = ""
    target: Annotated[str, Meta(description="what was broken", examples=["master-1"])] = ""
    driver: Annotated[str, Meta(description="which kind of cluster broke it", examples=["lab", "any"])] = ""
    verdict: Verdict
    reason: Annotated[str, Meta(description="why it failed or could not be judged")] = ""
    simulated: Annotated[bool, Meta(description="true: a stand-in was broken, not the real thing")] = False
    proof: Proof = Proof()
    started: Annotated[Timestamp | None, Meta(description="preflight began")] = None
    injected: Annotated[Timestamp | None, Meta(description="the fault was injected; null: it never was")] = None
    proven: Annotated[Timestamp | None, Meta(description="the fault was seen to have happened")] = None
    healed: Annotated[Timestamp | None, Meta(description="the fault was taken back")] = None
    healthy: Annotated[Timestamp | None, Meta(description="the cluster was healthy again; null: it never was")] = None
    finished: Annotated[Timestamp | None, Meta(description="the experiment ended")] = None
    phases: list[Phase] = []
    targets: list[Target] = []
    checks: list[Check] = []
    leaders: list[Leadership] = []
    corroboration: Corroboration = Corroboration()


class Tally(Struct, kw_only=True, frozen=True):
    """How many came to which verdict."""

    passed: int = field(default=0, name="pass")
    fail: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = field(default=0, name="not-applicable")

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Tally:
        n = dict.fromkeys(Verdict, 0)
        for verdict in verdicts:
            n[verdict] += 1
        return cls(
            passed=n[Verdict.PASS],
            fail=n[Verdict.FAIL],
            unknown=n[Verdict.UNKNOWN],
            waived=n[Verdict.WAIVED],
            not_applicable=n[Verdict.NOT_APPLICABLE],
        )

    def count(self, verdict: Verdict) -> int:
        return {
            Verdict.PASS: self.passed,
            Verdict.FAIL: self.fail,
            Verdict.UNKNOWN: self.unknown,
            Verdict.WAIVED: self.waived,
            Verdict.NOT_APPLICABLE: self.not_applicable,
        }[verdict]

    @property
    def total(self) -> int:
        return sum(self.count(verdict) for verdict in Verdict)


class Summary(Struct, kw_only=True, frozen=True):
    """The run in a few numbers. `exit_code` is null until the run has ended."""

    controls: Tally = Tally()
    experiments: Tally = Tally()
    verdict: Verdict = Verdict.UNKNOWN
    exit_code: Annotated[
        int | None,
        Meta(description="0 nothing failed, 1 something failed, 4 bad input, 5 nothing to judge; 2 and 3 are pytest's"),
    ] = None


class Run(Struct, kw_only=True):
    """One run: what was judged, by what, and what came of it."""

    schema: Literal["evenkeel.run/v1"] = SCHEMA
    id: Annotated[str, Meta(examples=["20260131T093000Z-4f1c"])]
    state: State = State.RUNNING
    started: Timestamp
    finished: Timestamp | None = None
    tool: Tool = Tool()
    cluster: Cluster = Cluster()
    profile: Profile = Profile()
    timings: Annotated[str, Meta(description="the cluster's timings: default or fast")] = ""
    strict: Annotated[bool, Meta(description="whether an `unknown` control fails the run")] = False
    controls: list[Control] = []
    experiments: list[Experiment] = []
    loads: list[Load] = []
    problems: Annotated[
        list[str],
        Meta(description="what could not be read at all, such as a broken manifest; then nothing is a `pass`"),
    ] = []
    summary: Summary = Summary()

    def summarize(self, exit_code: int | None = None) -> None:
        """Count again what the lists say; call after changing them."""
        controls = Tally.of(c.verdict for c in self.controls)
        experiments = Tally.of(e.verdict for e in self.experiments)
        self.summary = Summary(
            controls=controls,
            experiments=experiments,
            verdict=_overall(controls, experiments, complete=self.state is State.FINISHED and not self.problems),
            exit_code=exit_code,
        )


def _overall(controls: Tally, experiments: Tally, *, complete: bool) -> Verdict:
    """The worst that was seen. A run that did not finish, read everything and judge something passes nothing."""
    if controls.fail or experiments.fail:
        return Verdict.FAIL
    if not complete or controls.unknown or experiments.unknown:
        return Verdict.UNKNOWN
    if controls.passed or experiments.passed:
        return Verdict.PASS
    if controls.waived or experiments.waived:
        return Verdict.WAIVED
    return Verdict.NOT_APPLICABLE


def timestamp(at: datetime | None = None) -> str:
    """A moment (default: now) as run.json writes it. The moment must know its time zone."""
    at = datetime.now(UTC) if at is None else at
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: give an aware datetime")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """A time of run.json as an aware datetime; ValueError when it is none."""
    return datetime.fromisoformat(text)


def encode(run: Run) -> bytes:
    """The file's content. A text that UTF-8 can't hold (half a surrogate pair, as in a file name that is no UTF-8) is
    written with an escape."""
    try:
        return msgspec.json.encode(run) + b"\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(_encodable(msgspec.to_builtins(run))) + b"\n"


def _encodable(part: Any) -> Any:
    if isinstance(part, dict):
        return {_encodable(key): _encodable(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_encodable(value) for value in part]
    return part.encode("utf-8", "backslashreplace").decode() if isinstance(part, str) else part


def decode(raw: bytes) -> Run:
    """`msgspec.ValidationError` names the field that does not fit, `msgspec.DecodeError` where the JSON ends."""
    return msgspec.json.decode(raw, type=Run)
