"""A Deployment's revisions: one of our own is rolled out beside the one that was there, and taken back without a trace.

Our pods and ReplicaSets are known by an annotation of the pod template, which alone makes a template another one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import UndoError, undoes
from fixtures.snapshot.model.workload import Deployment, ReplicaSet
from fixtures.snapshot.rollout import Rollout, of_deployment

MARK = "evenkeel.dev/revision"
_ANNOTATIONS = "/spec/template/metadata/annotations"
_MARK_PATH = f"{_ANNOTATIONS}/{MARK.replace('/', '~1')}"
# Nobody listens there: asked for, it makes a revision whose pods run and are never Ready.
DEAF_PORT = 1
JSON_PATCH = "application/json-patch+json"
GONE_WITHIN_S = 120.0

Patch = list[dict[str, Any]]


class Rolling(msgspec.Struct, frozen=True, kw_only=True):
    """A Deployment's living pods at one look: those of its own revision, and those of ours."""

    ours_wanted: bool  # which of both its template says
    theirs: int
    theirs_ready: int
    ours: frozenset[str]
    ours_ready: int

    @property
    def total(self) -> int:
        return self.theirs + len(self.ours)

    @property
    def ready(self) -> int:
        return self.theirs_ready + self.ours_ready


def patches(template: Mapping[str, Any], mark: str, *, deaf: bool) -> tuple[Patch, Patch]:
    """How our revision is made out of a template as the API gave it, and how it is unmade: JSON patches.

    They hold what differs and nothing else, for what else is in a template may be secret. Pure.
    """
    kept = (template.get("metadata") or {}).get("annotations")
    forth: Patch = [{"op": "test", "path": _ANNOTATIONS, "value": kept}] if kept else []
    forth.append(
        {"op": "add", "path": _MARK_PATH, "value": mark}
        if kept
        else {"op": "add", "path": _ANNOTATIONS, "value": {MARK: mark}}
    )
    back: Patch = [{"op": "test", "path": _MARK_PATH, "value": mark}]
    for number, container in enumerate(template["spec"]["containers"] if deaf else ()):
        path = f"/spec/template/spec/containers/{number}/readinessProbe"
        probe = {"tcpSocket": {"port": DEAF_PORT}, "periodSeconds": 1, "failureThreshold": 1}
        forth.append({"op": "add", "path": path, "value": probe})
        had = container.get("readinessProbe")
        back.append({"op": "replace", "path": path, "value": had} if had else {"op": "remove", "path": path})
    back.append({"op": "remove", "path": _MARK_PATH if kept else _ANNOTATIONS})
    return forth, back


def bounds(deployment: Deployment) -> Rollout:
    """How many pods an update may take away and add. Raises `Malformed`."""
    return of_deployment(deployment, 1 if deployment.spec.replicas is None else deployment.spec.replicas)


def template(rest: Rest, namespace: str, deployment: str) -> dict[str, Any]:
    """As the API has it, with nothing left out. Raises `RestError`."""
    return dict(rest.get(_path(namespace, deployment), dict)["spec"]["template"])


def patch(rest: Rest, namespace: str, deployment: str, changes: Patch) -> None:
    """All of it or nothing. Raises `RestError`, with 422 when what is tested for is not so."""
    rest.request("PATCH", _path(namespace, deployment), body=changes, content_type=JSON_PATCH)


def replica_sets(rest: Rest, namespace: str, mark: str) -> list[ReplicaSet]:
    """Those of our revision. Raises `RestError`."""
    found = rest.get(f"/apis/apps/v1/namespaces/{name(namespace)}/replicasets", _ReplicaSets).items
    return [r for r in found if (r.spec.template.metadata.annotations or {}).get(MARK) == mark]


def watched(scene: Scene) -> Watched:
    """The application's pods by revision; the subject is `revisions/NAME`."""

    def look() -> Mapping[str, Any]:
        deployment = scene.deployment()
        pods = [p for p in scene.app_pods(deployment.spec.selector) if not p.metadata.deletion_timestamp]
        ours = [p for p in pods if MARK in p.annotations]
        return {
            f"revisions/{scene.app_name}": Rolling(
                ours_wanted=MARK in (deployment.spec.template.metadata.annotations or {}),
                theirs=len(pods) - len(ours),
                theirs_ready=sum(p.ready for p in pods if MARK not in p.annotations),
                ours=frozenset(p.name for p in ours),
                ours_ready=sum(p.ready for p in ours),
            )
        }

    return Watched(name="revisions", look=look, every_s=0.1)


def looks(scene: Scene, changes: Sequence[Change], injected: float) -> list[tuple[float, Rolling]]:
    """What was seen since the injection, whenever it was something new."""
    subject = f"revisions/{scene.app_name}"
    return [(c.at, c.new) for c in changes if c.subject == subject and c.at > injected and c.new is not None]


def within_bounds(seen: Sequence[tuple[float, Rolling]], allowed: Rollout) -> Check:
    """Never fewer Ready, and never more in all, than the strategy allows. Pure."""
    least, most = allowed.replicas - allowed.unavailable, allowed.replicas + allowed.surge
    what = f"at least {least} pods Ready and at most {most} in all"
    if not seen:
        return Check(name="rollout-bounds", verdict=UNKNOWN, message=f"no look showed whether {what} were kept")
    fewest, highest = min(r.ready for _, r in seen), max(r.total for _, r in seen)
    kept = fewest >= least and highest <= most
    return Check(
        name="rollout-bounds",
        verdict=PASS if kept else FAIL,
        message=f"{what} are allowed; seen were {fewest} and {highest}, in {len(seen)} states",
    )


def stopped(seen: Sequence[tuple[float, Rolling]], allowed: Rollout) -> Check:
    """No more pods of ours than may be missing or too many: there the controller has to wait. Pure."""
    most = allowed.unavailable + allowed.surge
    highest = max((len(r.ours) for _, r in seen), default=0)
    said = f"{highest} pod(s) of the bad revision were made, {most} allowed before one of them is Ready"
    verdict = UNKNOWN if not highest else PASS if highest <= most else FAIL
    return Check(name="bad-revision-stops", verdict=verdict, message=said)


def no_traffic(seen: Sequence[tuple[float, Rolling]], changes: Sequence[Change], injected: float) -> Check:
    """No pod of ours in any list of endpoints that are Ready. Pure."""
    ours = frozenset[str]().union(*(r.ours for _, r in seen))
    served = {
        pod
        for c in changes
        if c.subject.startswith("endpoints/") and c.at > injected
        for pod in ours & frozenset(c.new or ())
    }
    if not ours:
        return Check(name="bad-revision-unserved", verdict=UNKNOWN, message="no pod of the bad revision was seen")
    said = f"of {len(ours)} pod(s) of the bad revision {len(served)} got traffic"
    listed = f": {', '.join(sorted(served))}" if served else ""
    return Check(name="bad-revision-unserved", verdict=FAIL if served else PASS, message=said + listed)


@undoes
def restore(cluster: Cluster | None, namespace: str, deployment: str, mark: str, back: Patch) -> None:
    """The template as it was, and our ReplicaSet gone, so that no later rollback leads to it.

    A template that is not ours any more stays: somebody has rolled out something newer. Waits until our pods are
    gone, for the ReplicaSet must not be taken from under those that serve. Raises `UndoError` when they stay.
    """
    assert cluster is not None
    rest = Rest.of(cluster)
    roll_back(rest, namespace, deployment, back)
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := replica_sets(rest, namespace, mark):
        for one in left:
            if not one.spec.replicas and not one.status.replicas:
                rest.delete(
                    f"/apis/apps/v1/namespaces/{name(namespace)}/replicasets/{name(one.name)}",
                    body={"preconditions": {"uid": one.metadata.uid}},
                )
        if time.monotonic() > deadline:
            raise UndoError(
                f"ReplicaSet {namespace}/{left[0].name} still has {left[0].status.replicas} pod(s) after "
                f"{GONE_WITHIN_S:.0f} s: see `kubectl rollout status` of Deployment {deployment}"
            )
        time.sleep(0.25)


def roll_back(rest: Rest, namespace: str, deployment: str, back: Patch) -> None:
    """The template as it was; where it is not ours (any more), nothing is changed. Raises `RestError`."""
    try:
        patch(rest, namespace, deployment, back)
    except RestError as error:
        if error.status not in (404, 422):  # gone, or the mark that is tested for is not there
            raise


class _ReplicaSets(msgspec.Struct):
    items: list[ReplicaSet] = []


def _path(namespace: str, deployment: str) -> str:
    return f"/apis/apps/v1/namespaces/{name(namespace)}/deployments/{name(deployment)}"
