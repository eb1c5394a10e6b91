"""F-43: there is a pod too many: one that looks like the application's own, and that nobody asked for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.preflight import APP, Permission
from fixtures.safety.rest import ANSWER_S, Rest, RestError, name
from fixtures.safety.undo import Undo, undoes, way_back

if TYPE_CHECKING:
    from experiments.aftermath import Aftermath

SUBJECT = "surplus"
ABSENT, ALONE, ADOPTED, ENDED = "not there", "there", "adopted", "adopted and ended"
FINALIZER = "evenkeel.dev/seen"  # keeps the pod's object until it was seen to have been ended
APPLY = "application/apply-patch+yaml"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class SurplusPod(Fault):
    """What is one too many is adopted by the ReplicaSet whose labels it has, and ended. None of the others may be.

    Afterwards what was applied last is applied again, as a dry run of the server: that must change nothing either.
    """

    id = "F-43"
    title = "add a pod that nobody asked for"
    targets = {"adopted": "one with the labels of the application's ReplicaSet"}
    permissions = (
        *(Permission(verb, "pods", "", APP) for verb in ("create", "delete", "get", "patch")),
        Permission("get", "replicasets", "apps", APP),
        Permission("patch", "deployments", "apps", APP),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        owners = sorted({p.controller.name for p in scene.app_pods() if p.ready and p.controller is not None})
        if len(owners) != 1:
            raise NoVictimError(
                f"the Ready pods of {scene.app} belong to {len(owners)} ReplicaSets; wait for its rollout"
            )
        made = f"{owners[0]}-surplus-{secrets.token_hex(3)}"
        return Victim(
            kind="Pod", name=made, namespace=scene.app_namespace, why=f"to be adopted by {owners[0]}", mark=owners[0]
        )

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        arguments = {"namespace": victim.namespace, "pod": victim.name}
        return way_back(remove_surplus, f"remove {victim.namespace}/{victim.name}", scene.cluster, arguments)

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [Watched(name=SUBJECT, look=lambda: _look(scene), every_s=0.1)]

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"pod {victim.name}": _state(scene, victim.namespace, victim.name)}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return super().proven(before, after) and set(after.values()) <= {ADOPTED, ENDED}

    def inject(self, scene: Scene, victim: Victim) -> None:
        path = f"/apis/apps/v1/namespaces/{name(victim.namespace)}/replicasets/{name(victim.mark)}"
        template = msgspec.json.decode(scene.rest.request("GET", path))["spec"]["template"]
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": victim.name,
                "labels": template["metadata"]["labels"],
                "annotations": {MARK: "surplus"},
                "finalizers": [FINALIZER],
            },
            "spec": template["spec"],
        }
        scene.rest.post(f"/api/v1/namespaces/{name(victim.namespace)}/pods", body)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return [
            Step(kind="recovered" if change.new == ENDED else "detected", at=change.at, what=f"the pod is {change.new}")
            for change in changes
            if change.subject == SUBJECT and change.at > injected and change.new in (ADOPTED, ENDED)
        ]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        ended = next((s.at for s in self.steps(scene, victim, changes, injected) if s.kind == "recovered"), None)
        seconds = None if ended is None else ended - injected
        return [Recovery(name="surplus-gone", seconds=seconds, what="the pod too many was ended")]

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        """The pods that were there before are there at the end, and never fewer were Ready."""
        subject = f"pods/{scene.app_name}"
        looks = [c for c in changes if c.subject == subject and c.at > injected]
        before = {p.uid for p in (looks[0].old if looks else ()) or () if p.ready}
        lost = sorted({uid for c in looks for uid in before - {p.uid for p in c.new or () if p.ready}})
        check = "others-untouched"
        if lost:
            return [
                Check(name=check, verdict=FAIL, message=f"{len(lost)} of {len(before)} pods that were Ready are not")
            ]
        return [Check(name=check, verdict=PASS, message="every pod that was Ready before was Ready all the time")]

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        return [applied_again(scene.rest, scene.app_namespace, scene.app_name)]


MARK = "evenkeel.dev/made-by"


def applied_again(rest: Rest, namespace: str, deployment: str) -> Check:
    """Whether the Deployment as it was applied last (else as it stands), applied again, is what it is already. The
    server answers as if it had been done, and does not do it. Raises `RestError`."""
    path = f"/apis/apps/v1/namespaces/{name(namespace)}/deployments/{name(deployment)}"
    now = msgspec.json.decode(rest.request("GET", path))
    manifest = _manifest(now)
    query = {"fieldManager": "evenkeel", "force": "true", "dryRun": "All"}
    would = msgspec.json.decode(rest.request("PATCH", path, query, manifest, content_type=APPLY))
    check = "applied-again"
    if would["metadata"]["generation"] != now["metadata"]["generation"] or would["spec"] != now["spec"]:
        changed = sorted(k for k in {**would["spec"], **now["spec"]} if would["spec"].get(k) != now["spec"].get(k))
        said = f"applying Deployment {namespace}/{deployment} again would change spec.{', spec.'.join(changed)}"
        return Check(name=check, verdict=FAIL, message=said)
    generation = now["metadata"]["generation"]
    return Check(name=check, verdict=PASS, message=f"applied again, it would stay at generation {generation}")


def _manifest(now: Mapping[str, Any]) -> dict[str, Any]:
    metadata = now["metadata"]
    last = (metadata.get("annotations") or {}).get(LAST_APPLIED)
    if last:
        return dict(msgspec.json.decode(last))
    named = {"name": metadata["name"], "namespace": metadata["namespace"]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named, "spec": now["spec"]}


def _look(scene: Scene) -> Mapping[str, Any]:
    pods = scene.rest.request("GET", f"/api/v1/namespaces/{name(scene.app_namespace)}/pods", timeout_s=ANSWER_S)
    ours = [p for p in msgspec.json.decode(pods)["items"] if MARK in (p["metadata"].get("annotations") or {})]
    return {SUBJECT: _said(ours[0]) if ours else ABSENT}


def _state(scene: Scene, namespace: str, pod: str) -> str:
    try:
        found = scene.rest.request("GET", f"/api/v1/namespaces/{name(namespace)}/pods/{name(pod)}")
    except RestError as error:
        if error.status == 404:
            return ABSENT
        raise
    return _said(msgspec.json.decode(found))


def _said(pod: Mapping[str, Any]) -> str:
    metadata = pod["metadata"]
    if not any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()):
        return ALONE
    return ENDED if metadata.get("deletionTimestamp") else ADOPTED


@undoes
def remove_surplus(cluster: Cluster | None, namespace: str, pod: str) -> None:
    """End the pod without grace and let its object go; gone already is fine."""
    assert cluster is not None
    rest = Rest.of(cluster)
    path = f"/api/v1/namespaces/{name(namespace)}/pods/{name(pod)}"
    rest.delete(path, body={"gracePeriodSeconds": 0})
    try:
        rest.merge(path, {"metadata": {"finalizers": None}})
    except RestError as error:
        if error.status != 404:
            raise ClusterError(f"pod {namespace}/{pod} keeps its finalizer {FINALIZER}: {error}") from error
