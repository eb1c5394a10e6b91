"""A revision of our own comes and goes: patches that hold only what differs, and bounds judged look by look."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import revisions
from experiments.faults.fault import Victim
from experiments.faults.revisions import MARK, Rolling
from experiments.faults.rolling_update import RollingUpdate
from experiments.observer import Change
from experiments.scene import Scene
from experiments.trial import Injection, Trial
from experiments.verdict import claimed
from fixtures.clusters.cluster import Cluster
from fixtures.safety.rest import Rest, RestError
from fixtures.safety.undo import UndoError
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.rollout import Rollout

SCENE = cast(Scene, SimpleNamespace(app_name="web", app_namespace="reference", app="Deployment reference/web"))
ALLOWED = Rollout(replicas=4, unavailable=0, surge=1)


def template(**annotations: str) -> dict[str, Any]:
    containers = [
        {"name": "web", "image": "web:1", "env": [{"name": "TOKEN", "value": "s3cr3t"}], "readinessProbe": {"a": 1}},
        {"name": "side", "image": "side:1"},
    ]
    metadata = {"labels": {"app": "web"}} | ({"annotations": annotations} if annotations else {})
    return {"metadata": metadata, "spec": {"containers": containers}}


def applied(document: dict[str, Any], patch: revisions.Patch) -> dict[str, Any]:
    """As RFC 6902 has it, as far as it is used here. Raises `KeyError` where an API server says 422."""
    made: Any = msgspec.json.decode(msgspec.json.encode({"spec": {"template": document}}))
    for one in patch:
        *parents, last = [p.replace("~1", "/") for p in one["path"].split("/")[1:]]
        here = made
        for part in parents:
            here = here[int(part)] if isinstance(here, list) else here[part]
        match one["op"]:
            case "test" if here.get(last) != one["value"]:
                raise KeyError(one["path"])
            case "add":
                here[last] = one["value"]
            case "replace":
                here[last] = here[last] and one["value"]
            case "remove":
                del here[last]
    return dict(made["spec"]["template"])


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("annotations", [{}, {"team": "shop"}])
def test_a_revision_that_was_taken_back_left_nothing_in_the_template(annotations: dict[str, str], deaf: bool) -> None:
    before = template(**annotations)
    forth, back = revisions.patches(before, "good-1", deaf=deaf)
    between = applied(before, forth)
    assert between["metadata"]["annotations"] == {**annotations, MARK: "good-1"}
    ports = [c.get("readinessProbe", {}).get("tcpSocket", {}).get("port") for c in between["spec"]["containers"]]
    assert ports == ([1, 1] if deaf else [None, None])
    assert applied(between, back) == before


def test_what_else_a_template_holds_is_not_written_down() -> None:
    _, back = revisions.patches(template(), "bad-1", deaf=True)
    assert "s3cr3t" not in str(back)


def test_a_template_that_somebody_else_has_changed_is_left_alone() -> None:
    forth, back = revisions.patches(template(), "good-1", deaf=False)
    between = applied(template(), forth)
    between["metadata"]["annotations"][MARK] = "good-2"
    with pytest.raises(KeyError):
        applied(between, back)


def look(theirs: int, theirs_ready: int, ours: str = "", ours_ready: int = 0, *, wanted: bool = True) -> Rolling:
    return Rolling(
        ours_wanted=wanted,
        theirs=theirs,
        theirs_ready=theirs_ready,
        ours=frozenset(ours.split()),
        ours_ready=ours_ready,
    )


def seen(*states: Rolling) -> list[Change]:
    """One look a second, the first change at 1.0; nothing is injected after 0.5."""
    return [
        Change(at=float(n), since=n - 0.1, subject="revisions/web", old=old, new=new)
        for n, (old, new) in enumerate(zip([look(4, 4, wanted=False), *states], states, strict=False), 1)
    ]


def victim(target: str) -> Victim:
    return Victim(kind="Deployment", name="web", namespace="reference", target=target, mark=f"{target}-1")


GOOD = seen(look(4, 4), look(4, 4, "n1"), look(4, 4, "n1", 1), look(3, 3, "n1 n2", 2), look(0, 0, "n1 n2 n3 n4", 4))
BAD = seen(look(4, 4), look(4, 4, "b1"))
ROLLBACK = [*BAD, *seen(look(4, 4), look(4, 4, "b1"), look(4, 4, "b1", wanted=False), look(4, 4, wanted=False))[2:]]


@pytest.mark.parametrize(
    ("target", "changes", "seconds"), [("good", GOOD, 4.5), ("bad", BAD, 1.5), ("rollback", ROLLBACK, 1.0)]
)
def test_a_rollout_is_over_when_what_was_wanted_is_so(target: str, changes: list[Change], seconds: float) -> None:
    [recovery] = RollingUpdate().recoveries(SCENE, victim(target), changes, 0.5)
    assert recovery.seconds == seconds
    assert RollingUpdate().over(SCENE, victim(target), changes, 0.5)
    [not_yet] = RollingUpdate().recoveries(SCENE, victim(target), changes[:1], 0.5)
    assert not_yet.seconds is None


def verdict_of_bounds(*states: Rolling) -> str:
    return revisions.within_bounds(revisions.looks(SCENE, seen(*states), 0.5), ALLOWED).verdict


def test_bounds_hold_at_every_look_or_not_at_all() -> None:
    assert verdict_of_bounds(look(4, 4, "n1"), look(3, 3, "n1", 1)) == "pass"
    assert verdict_of_bounds(look(4, 4), look(4, 3, "n1")) == "fail"  # one too few for a moment
    assert verdict_of_bounds(look(4, 4), look(4, 4, "n1 n2")) == "fail"  # one too many
    assert verdict_of_bounds() == "unknown"


@pytest.mark.parametrize(("ours", "verdict"), [("b1", "pass"), ("b1 b2", "fail"), ("", "unknown")])
def test_a_bad_revision_stops_where_its_bounds_are(ours: str, verdict: str) -> None:
    assert revisions.stopped(revisions.looks(SCENE, seen(look(4, 4, ours)), 0.5), ALLOWED).verdict == verdict


@pytest.mark.parametrize(("served", "verdict"), [({"a", "b"}, "pass"), ({"a", "b1"}, "fail")])
def test_a_bad_pod_among_the_endpoints_is_found(served: set[str], verdict: str) -> None:
    changes = [*BAD, Change(at=3.0, since=2.9, subject="endpoints/web", old=frozenset("a"), new=frozenset(served))]
    assert revisions.no_traffic(revisions.looks(SCENE, changes, 0.5), changes, 0.5).verdict == verdict


def test_a_new_revision_is_proven_by_its_replica_set() -> None:
    key = "ReplicaSet of the new revision"
    assert RollingUpdate().proven({key: "none"}, {key: "web-7f, 1 pod(s), 0 Ready"})
    assert not RollingUpdate().proven({key: "none"}, {key: "none"})


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"paused": True}, "is paused"),
        ({"strategy": {"type": "Recreate"}}, "stops every pod"),
        ({"strategy": {"rollingUpdate": {"maxSurge": "x"}}}, "'x' is neither"),
        ({}, ""),
    ],
)
def test_an_update_that_would_be_an_outage_or_never_begin_is_refused(spec: dict[str, Any], said: str) -> None:
    deployment = msgspec.convert({"spec": {"replicas": 4, **spec}}, Deployment)
    scene = cast(Scene, SimpleNamespace(app="Deployment reference/web", deployment=lambda: deployment))
    refusals = RollingUpdate().blast(scene, cast(Any, None), victim("good"))
    assert [said in str(r) for r in refusals] == ([True] if said else [])


class Api:
    """A namespace with one ReplicaSet of ours, whose pods go at the second look."""

    def __init__(self, pods: Sequence[int]) -> None:
        self.pods = list(pods)
        self.deleted: list[str] = []
        self.patched = 0
        self.answer: RestError | None = None

    def request(self, method: str, path: str, body: Any, content_type: str) -> bytes:
        assert (method, content_type) == ("PATCH", "application/json-patch+json")
        self.patched += 1
        if self.answer:
            raise self.answer
        return b""

    def get(self, path: str, kind: type[Any]) -> Any:
        count = self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]
        marked = {"metadata": {"annotations": {MARK: "bad-1"}}}
        ours = {"metadata": {"name": "web-bad"}, "spec": {"replicas": count, "template": marked}}
        theirs = {"metadata": {"name": "web-own"}, "spec": {"replicas": 4}}
        return msgspec.convert({"items": [theirs] if self.deleted else [theirs, ours]}, kind)

    def delete(self, path: str, body: Any) -> None:
        self.deleted.append(path)


def undo(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rest, "of", lambda cluster: api)
    revisions.restore(cast(Cluster, object()), "reference", "web", "bad-1", [])


def test_our_replica_set_is_removed_when_its_last_pod_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([1, 0])
    undo(api, monkeypatch)
    assert api.deleted == ["/apis/apps/v1/namespaces/reference/replicasets/web-bad"]
    assert api.pods == [0]


@pytest.mark.parametrize("status", [404, 422])
def test_a_deployment_that_is_gone_or_was_updated_since_is_no_error(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api([0])
    api.answer = RestError("PATCH …", status)
    undo(api, monkeypatch)
    assert (api.patched, len(api.deleted)) == (1, 1)


def test_pods_that_stay_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "GONE_WITHIN_S", 0.0)
    with pytest.raises(UndoError, match="ReplicaSet reference/web-bad still has"):
        undo(Api([1]), monkeypatch)


def test_a_claim_that_can_not_be_looked_at_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: Any) -> Any:
        raise RestError("GET …: no answer")

    monkeypatch.setattr(RollingUpdate, "claims", nobody)
    injection = Injection(fault=RollingUpdate(), victim=victim("good"), injected=0.5)
    trial = cast(Trial, SimpleNamespace(changes=[], injections=[injection], scene=SCENE))
    [check] = claimed(trial)
    assert (check.verdict, "F-26" in check.message) == ("unknown", True)
