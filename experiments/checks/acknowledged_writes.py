"""Every write that was acknowledged is there afterwards, none twice, and versions never went back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from experiments.result import FAIL, PASS, UNKNOWN, Check
from fixtures.prober.outage import Interval
from fixtures.prober.sample import Sample
from fixtures.safety.ground import NAMESPACE, RUN_LABEL
from fixtures.safety.rest import Rest, RestError

NAME = "acknowledged-writes"
PAGE = 500


class Written(msgspec.Struct, frozen=True):
    """One write as it was found: its key (the probe's number) and the version etcd gave it."""

    key: int
    version: int


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = "0"


class _ConfigMap(msgspec.Struct):
    metadata: _Metadata
    data: dict[str, str] = {}


class _ListMetadata(msgspec.Struct, rename="camel"):
    continue_: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_ConfigMap] = []


def found(rest: Rest, run: str) -> list[Written]:
    """All writes of a run, read with a quorum. Raises `RestError`."""
    written: list[Written] = []
    query: dict[str, str | int] = {"labelSelector": f"{RUN_LABEL}={run}", "limit": PAGE}
    while True:
        page = rest.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps", _Page, query, timeout_s=15.0)
        written += [Written(int(c.data["key"]), int(c.metadata.resource_version)) for c in page.items]
        if not page.metadata.continue_:
            return written
        query["continue"] = page.metadata.continue_


def judge(samples: Sequence[Sample], written: Sequence[Written], forgotten: Interval | None = None) -> Check:
    """A write acknowledged before another began must have the lower version. Pure.

    What was acknowledged within `forgotten` may be gone, and is counted: a restore goes back to its snapshot.
    """
    times = Counter(w.key for w in written)
    version = {w.key: w.version for w in written}
    acknowledged = [s for s in samples if s.ok]
    missing = [s for s in acknowledged if s.seq not in times]
    excused = [s for s in missing if forgotten is not None and forgotten.start <= s.finished <= forgotten.end]
    lost = [s.seq for s in missing if s not in excused]
    doubled = [key for key, count in times.items() if count > 1]
    back = _went_back([s for s in acknowledged if s.seq in version], version)
    if lost or doubled or back:
        wrong = [
            f"{len(keys)} {what} (keys {', '.join(map(str, keys[:5]))}{', …' if len(keys) > 5 else ''})"
            for what, keys in (
                ("acknowledged but lost", lost),
                ("doubled", doubled),
                ("with a version gone back", back),
            )
            if keys
        ]
        return Check(name=NAME, verdict=FAIL, message=f"of {len(acknowledged)} acknowledged writes: {'; '.join(wrong)}")
    if not acknowledged:
        return Check(name=NAME, verdict=UNKNOWN, message="no write was acknowledged, so none could be lost")
    unacknowledged = len(times) - len(acknowledged) + len(missing)
    said = (
        f"all {len(acknowledged)} acknowledged writes are there, none twice, in order; "
        f"{unacknowledged} more were made without an acknowledgement reaching the client"
    )
    if forgotten is not None:
        during = sum(forgotten.start <= s.finished <= forgotten.end for s in acknowledged)
        said = (
            f"all {len(acknowledged) - during} writes acknowledged before the snapshot was asked for, or after the "
            f"restore, are there, none twice, in order; of {during} acknowledged between the snapshot and the loss, "
            f"{len(excused)} are gone"
        )
    return Check(name=NAME, verdict=PASS, message=said)


def _went_back(acknowledged: Sequence[Sample], version: dict[int, int]) -> list[int]:
    """Keys whose version is lower than that of a write that had been acknowledged before they were sent."""
    by_start = sorted(acknowledged, key=lambda s: s.started)
    by_end = sorted(acknowledged, key=lambda s: s.finished)
    highest, ended, back = 0, 0, []
    for sample in by_start:
        while ended < len(by_end) and by_end[ended].finished <= sample.started:
            highest = max(highest, version[by_end[ended].seq])
            ended += 1
        if version[sample.seq] < highest:
            back.append(sample.seq)
    return back


def check(rest: Rest, run: str, samples: Sequence[Sample], forgotten: Interval | None = None) -> Check:
    """Read what is there and judge it; `unknown` when it can't be read."""
    try:
        return judge(samples, found(rest, run), forgotten)
    except (RestError, KeyError, ValueError) as error:
        return Check(name=NAME, verdict=UNKNOWN, message=f"the writes could not be read back: {error}")
