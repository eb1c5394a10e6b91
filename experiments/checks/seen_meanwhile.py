"""An audit made while a fault lasts, or before it, finds it: else nobody would be told in time."""

from __future__ import annotations

from chaoslib.exceptions import InterruptExecution

from experiments.result import FAIL, PASS, UNKNOWN, Check
from fixtures import catalogue, verdict
from fixtures.clusters.cluster import Cluster
from fixtures.nouns import given
from fixtures.profiles.profile import Profile
from fixtures.snapshot import live, reach
from fixtures.verdict import Outcome

MEANWHILE, BEFORE = "while it lasted", "before it began"
_NAMES = {MEANWHILE: "seen-by", BEFORE: "foreseen-by"}


def look(cluster: Cluster, profile: Profile, control: str, about: str, when: str = MEANWHILE) -> Check:
    """Judge the live cluster by one control of the audits; `about` is the object that it must name. Raises nothing but
    the end that was asked for."""
    try:
        client = reach.client(cluster)
        snapshot = live.read(client, reach.facts(cluster, client))
        return judge(verdict.judge(catalogue.controls()[control], snapshot, given(snapshot, profile)), about, when)
    except InterruptExecution:
        raise
    except Exception as error:  # whatever it is: the fault must be healed, and the result must say so
        said = f"{control} could not look: {type(error).__name__}: {error}"
        return Check(name=f"{_NAMES[when]}-{control}", verdict=UNKNOWN, message=said)


def judge(outcome: Outcome, about: str, when: str = MEANWHILE) -> Check:
    """What the control said, turned around: a finding is what was hoped for. Pure."""
    control = outcome.control
    name = f"{_NAMES[when]}-{control.id}"
    right = [f"{f.object}: {f.message}" for f, _ in outcome.findings if about in f.object]
    if right:
        said = "; ".join(right[:3])
        return Check(name=name, verdict=PASS, message=f"{control.id} found {when}: {said}")
    if outcome.verdict == UNKNOWN:
        return Check(name=name, verdict=UNKNOWN, message=f"{control.id} could not be judged: {outcome.reason}")
    said = f"{control.id} ({control.title}) found nothing about {about} {when}"
    return Check(name=name, verdict=FAIL, message=said)
