"""After a fault the audits say what they said before it: what is new is what the fault left behind.

The audits' controls judge one snapshot before the first fault and one after each. Objects are compared by what stays
when pods are replaced: a pod counts as its controller. What changes by itself is given a little time to settle.
Evidence beyond objects (etcd's own words, certificates, metrics) is left out: it costs seconds, and rates differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from inspect import signature

import msgspec

from experiments.result import FAIL, PASS, UNKNOWN, Check
from fixtures import catalogue, verdict
from fixtures.clusters.cluster import Cluster
from fixtures.control import Control
from fixtures.expect import Finding
from fixtures.nouns import NOUNS, given
from fixtures.profiles.profile import Profile
from fixtures.safety.ground import NAMESPACE
from fixtures.snapshot import live, reach
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.snapshot import Snapshot

NAME = "audits"
LAYERS = ("system", "application", "access", "lifecycle")
SETTLES_WITHIN_S = 40.0  # endpoints and conditions follow the pods; a metrics-server is Ready after two scrapes
PAUSE_S = 0.5
SHOWN = 5

MEANT = {
    ("APP-30", "restartCount"): "faults restart containers on purpose, and the count of restarts never goes back",
}
"""Findings by control and last part of the path that faults may leave, with the reason."""


class Said(msgspec.Struct, frozen=True):
    """A finding, without what differs from one reading to the next: values, messages and names of pods."""

    control: str
    object: str
    path: str

    def __str__(self) -> str:
        return f"{self.control} {self.object}" + (f" ({self.path})" if self.path else "")


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What the audits say of a cluster at one moment."""

    findings: frozenset[Said]
    unknown: frozenset[str]  # controls that could not be judged
    judged: int  # controls that could


def of(snapshot: Snapshot, profile: Profile) -> Opinion:
    """Judge a snapshot by every control of the audits that needs nothing else."""
    values = given(snapshot, profile)
    outcomes = [verdict.judge(control, snapshot, values) for control in controls()]
    unknown = {o.control.id for o in outcomes if o.verdict == UNKNOWN}
    findings = {_said(o.control, finding) for o in outcomes for finding, _ in o.findings if not _ours(finding)}
    return Opinion(
        findings=frozenset(findings),
        unknown=frozenset(unknown),
        judged=sum(o.verdict != UNKNOWN for o in outcomes),
    )


def controls() -> list[Control]:
    """The audits' controls that judge a snapshot; the one about waivers judges the run."""
    known = {"snapshot", "profile", "expect", *NOUNS}
    every = catalogue.controls().values()
    return [c for c in every if c.layer in LAYERS and known.issuperset(signature(c.function).parameters)]


def _ours(finding: Finding) -> bool:
    """About the namespace that the run has made for itself, and takes away at its end."""
    return finding.object == f"Namespace {NAMESPACE}" or f" {NAMESPACE}/" in finding.object


def _said(control: Control, finding: Finding) -> Said:
    subject = finding.subject
    owner = subject.controller if isinstance(subject, Object) else None
    if owner is None:
        return Said(control.id, finding.object, finding.path)
    return Said(control.id, f"{subject.kind} of {owner.kind} {subject.namespace}/{owner.name}", finding.path)


def left(before: Opinion, after: Opinion) -> list[str]:
    """What is said now and was not before, in words. Pure."""
    new = [
        str(said)
        for said in sorted(after.findings - before.findings, key=str)
        if (said.control, said.path.rpartition(".")[2]) not in MEANT
    ]
    blind = sorted(after.unknown - before.unknown)
    return new + [f"{control} could be judged before, and can't now" for control in blind]


class Audits:
    """The audits around the faults of one run. What a fault left is not blamed on the next one."""

    def __init__(
        self,
        look: Callable[[], Opinion],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._look, self._clock, self._sleep = look, clock, sleep
        self._before: Opinion | None = None
        self._trouble = ""

    def before(self) -> None:
        """Look before a fault; the look after the one before it will do. Never raises: see `after`."""
        if self._before is None:
            self._before = self._seen()

    def after(self) -> Check:
        """Look after a fault, again and again until nothing is new or it had time enough to settle."""
        began = self._clock()
        before, self._before = self._before, None
        while True:
            seen = self._seen()
            if before is None or seen is None or not seen.judged:
                return Check(name=NAME, verdict=UNKNOWN, message=f"the audits could not look: {self._trouble}")
            new = left(before, seen)
            waited = self._clock() - began
            if not new or waited > SETTLES_WITHIN_S:
                break
            self._sleep(PAUSE_S)
        self._before = seen
        if new:
            more = f" and {len(new) - SHOWN} more" if len(new) > SHOWN else ""
            said = f"said {waited:.0f} s later and not before: {'; '.join(new[:SHOWN])}{more}"
            return Check(name=NAME, verdict=FAIL, message=said)
        said = f"{seen.judged} controls say what they said before, {waited:.1f} s later"
        return Check(name=NAME, verdict=PASS, message=said)

    def _seen(self) -> Opinion | None:
        try:
            return self._look()
        except Exception as error:  # whatever it is, the experiment itself has been measured
            self._trouble = f"{type(error).__name__}: {error}"
            return None


def around(cluster: Cluster, profile: Profile) -> Audits:
    """The audits of a live cluster."""
    client = reach.client(cluster)

    def look() -> Opinion:
        return of(live.read(client, reach.facts(cluster, client), evidence=False), profile)

    return Audits(look)
