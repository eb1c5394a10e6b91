"""Pods of the cluster's own services: which there are, how they are killed, and when they were replaced."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from experiments.faults.fault import Evidence, Recovery, Step, Victim
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.safety.objects import Pod, Pods
from fixtures.safety.rest import name

NAMESPACE = "kube-system"


def every(scene: Scene, selector: str) -> list[Pod]:
    """All of a service, in order of name. Raises `RestError`."""
    pods = scene.rest.get(f"/api/v1/namespaces/{NAMESPACE}/pods", Pods, {"labelSelector": selector}).items
    return sorted(pods, key=lambda p: p.name)


def ready(scene: Scene, selector: str) -> list[Pod]:
    return [p for p in every(scene, selector) if p.ready]


def victim(pods: Sequence[Pod], why: str) -> Victim:
    """Of one pod or several: names and UIDs, with commas between them."""
    return Victim(
        kind="Pod" if len(pods) == 1 else "Pods",
        name=",".join(p.name for p in pods),
        namespace=NAMESPACE,
        node=",".join(sorted({p.spec.node_name for p in pods})),
        uid=",".join(p.metadata.uid for p in pods),
        why=why,
    )


def evidence(scene: Scene, victim: Victim) -> Evidence:
    """The UID of each pod chosen, as long as it has this name and this UID."""
    seen = {}
    for pod, uid in zip(victim.name.split(","), victim.uid.split(","), strict=True):
        found = scene.pod(victim.namespace, pod)
        seen[f"UID of {pod}"] = uid if found is not None and found.metadata.uid == uid else "gone"
    return seen


def kill(scene: Scene, victim: Victim) -> None:
    """Without grace, all at once: one after the other, the first is being replaced while the last still serves. Raises
    `RestError`."""

    def one(pod: str, uid: str) -> None:
        path = f"/api/v1/namespaces/{name(victim.namespace)}/pods/{name(pod)}"
        scene.rest.delete(path, body={"preconditions": {"uid": uid}, "gracePeriodSeconds": 0})

    pods, uids = victim.name.split(","), victim.uid.split(",")
    with ThreadPoolExecutor(max_workers=len(pods)) as pool:
        list(pool.map(one, pods, uids))


def steps(changes: Sequence[Change], selector: str, injected: float) -> list[Step]:
    """When replacements were first seen, and Ready."""
    seen = _seen(changes, selector, injected)
    return [
        Step(
            kind="recovered" if pod.ready else "acted", at=at, what=f"{pod.name} {'Ready' if pod.ready else 'created'}"
        )
        for at, pod in seen
    ]


def recovery(changes: Sequence[Change], selector: str, injected: float) -> Recovery:
    """When as many were Ready as before: the last of the replacements."""
    back: float | None = None
    wanted: int | None = None
    known: set[str] = set()
    for change in _looks(changes, selector, injected):
        if wanted is None:
            wanted = sum(p.ready for p in change.old or ())
            known = {p.uid for p in change.old or ()}
        new = any(p.uid not in known for p in change.new or ())
        if back is None and new and sum(p.ready for p in change.new or ()) >= wanted:
            back = change.at
    seconds = None if back is None else back - injected
    return Recovery(name="replacement-ready", seconds=seconds, what="as many of its pods are Ready as before")


def _looks(changes: Sequence[Change], selector: str, injected: float) -> list[Change]:
    return [c for c in changes if c.subject == f"pods/{selector}" and c.at > injected]


def _seen(changes: Sequence[Change], selector: str, injected: float) -> list[tuple[float, AppPod]]:
    """Pods that were not there before: at the look that first showed them, and at the one that showed them Ready."""
    looks = _looks(changes, selector, injected)
    known = {p.uid for p in looks[0].old or ()} if looks else set()
    found: list[tuple[float, AppPod]] = []
    told: set[tuple[str, bool]] = set()
    for change in looks:
        for pod in sorted(change.new or (), key=lambda p: p.name):
            if pod.uid not in known and (pod.uid, pod.ready) not in told:
                told.add((pod.uid, pod.ready))
                found.append((change.at, pod))
    return found
