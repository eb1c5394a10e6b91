"""What the audits say around a fault: only what is new is the fault's, and it is blamed on that fault alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from experiments.checks import audits
from experiments.checks.audits import Audits, Opinion, Said
from fixtures import catalogue
from fixtures.profiles import profile as profiles
from fixtures.profiles.profile import Profile
from fixtures.snapshot.model.cluster import Node
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.snapshot import Snapshot
from tests.experiments.clock import Clock

ONE = Said("APP-02", "Deployment reference/web", "status.readyReplicas")
TWO = Said("SYS-01", "Node worker-1", "status.conditions")


def opinion(*findings: Said, unknown: tuple[str, ...] = (), judged: int = 90) -> Opinion:
    return Opinion(findings=frozenset(findings), unknown=frozenset(unknown), judged=judged)


def looks(*seen: Opinion | Exception) -> tuple[Audits, Clock]:
    """Audits that see one opinion after the other, and the last one for ever."""

    def each() -> Iterator[Opinion | Exception]:
        yield from seen
        while True:
            yield seen[-1]

    it, clock = each(), Clock()

    def look() -> Opinion:
        found = next(it)
        if isinstance(found, Exception):
            raise found
        return found

    return Audits(look, clock.now, clock.sleep), clock


def test_what_was_said_before_is_not_the_faults() -> None:
    around, _ = looks(opinion(ONE), opinion(ONE))
    around.before()
    check = around.after()
    assert (check.verdict, check.message) == ("pass", "90 controls say what they said before, 0.0 s later")


def test_a_new_finding_is_named_with_control_object_and_field() -> None:
    around, clock = looks(opinion(ONE), opinion(ONE, TWO))
    around.before()
    check = around.after()
    assert check.verdict == "fail"
    assert "SYS-01 Node worker-1 (status.conditions)" in check.message
    assert "APP-02" not in check.message
    assert clock.now() >= audits.SETTLES_WITHIN_S


def test_what_settles_in_time_was_not_left_behind() -> None:
    around, clock = looks(opinion(), opinion(TWO), opinion(TWO), opinion())
    around.before()
    assert around.after().verdict == "pass"
    assert 0 < clock.now() < audits.SETTLES_WITHIN_S


def test_what_one_fault_left_is_not_blamed_on_the_next() -> None:
    around, _ = looks(opinion(), opinion(TWO))
    around.before()
    assert around.after().verdict == "fail"
    around.before()
    assert around.after().verdict == "pass"


def test_a_control_that_can_no_longer_be_judged_is_new_too() -> None:
    around, _ = looks(opinion(), opinion(unknown=("SYS-06",)))
    around.before()
    check = around.after()
    assert check.verdict == "fail"
    assert "SYS-06 could be judged before, and can't now" in check.message


@pytest.mark.parametrize("seen", [(OSError("no answer"),), (opinion(), OSError("no answer")), (opinion(judged=0),)])
def test_audits_that_can_not_look_say_nothing(seen: Any) -> None:
    around, _ = looks(*seen)
    around.before()
    assert around.after().verdict == "unknown"


def test_restarts_that_faults_make_on_purpose_are_allowed_and_crash_loops_are_not() -> None:
    restarts = Said("APP-30", "Pod of ReplicaSet reference/web-1", "status.containerStatuses[0].restartCount")
    loop = Said("APP-30", "Pod of ReplicaSet reference/web-1", "status.containerStatuses[0].state.waiting.reason")
    assert audits.left(opinion(), opinion(restarts)) == []
    assert audits.left(opinion(), opinion(restarts, loop)) == [str(loop)]


# The audits' own controls, on made-up snapshots --------------------------------------------------------------------


@pytest.fixture(scope="module")
def profile() -> Profile:
    return profiles.load("lab")


def snapshot(*objects: Any) -> Snapshot:
    kinds: dict[type, list[Any]] = {}
    for one in objects:
        kinds.setdefault(type(one), []).append(one)
    return Snapshot(kinds, source="live")


def node(name: str, unschedulable: bool = False) -> Node:
    return msgspec.convert(
        {
            "kind": "Node",
            "metadata": {"name": name},
            "spec": {"unschedulable": unschedulable},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        },
        Node,
    )


def pod(name: str, phase: str, restarts: int) -> Pod:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    return msgspec.convert(
        {
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": "reference",
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1", "controller": True}],
            },
            "status": {
                "phase": phase,
                "containerStatuses": [{"name": "web", "restartCount": restarts, "state": waiting}],
            },
        },
        Pod,
    )


def test_a_node_that_a_fault_left_cordoned_is_found_by_the_audits(profile: Profile) -> None:
    before = audits.of(snapshot(node("worker-1"), node("worker-2")), profile)
    after = audits.of(snapshot(node("worker-1"), node("worker-2", unschedulable=True)), profile)
    assert any(one.startswith("SYS-19 ") for one in audits.left(before, after)), after.findings - before.findings
    assert audits.left(before, before) == []


def test_a_replaced_pod_with_the_finding_of_the_one_before_is_nothing_new(profile: Profile) -> None:
    before = audits.of(snapshot(pod("web-1-abc", "Running", 1)), profile)
    after = audits.of(snapshot(pod("web-1-xyz", "Running", 2)), profile)
    assert any(one.object == "Pod of ReplicaSet reference/web-1" for one in before.findings)
    assert audits.left(before, after) == []


def test_the_namespace_of_the_run_itself_is_not_left_behind(profile: Profile) -> None:
    ours = pod("prober-abc", "Running", 1)
    ours.metadata.namespace = "evenkeel"
    after = audits.of(snapshot(ours), profile)
    assert [one for one in after.findings if "evenkeel" in one.object] == []


def test_no_control_of_the_audits_is_forgotten() -> None:
    asked = {c.id for c in audits.controls()}
    meant = {c.id for c in catalogue.controls().values() if c.layer in audits.LAYERS}
    assert meant - asked == {"LCM-25"}  # about waivers: it judges the run
