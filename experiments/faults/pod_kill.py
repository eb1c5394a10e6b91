"""F-01: a pod of the application is killed without grace, or deleted as a rolling update would."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import app_pods
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.safety.preflight import APP, Permission, Refusal, Scenery
from fixtures.safety.rest import name


class PodKill(Fault):
    """Grace 0: the pod's processes end at once and its object is gone at once. The Deployment replaces it."""

    id = "F-01"
    title = "kill a pod"
    targets = {"kill": "without grace, as when its process crashes for good", "delete": "with its own grace period"}
    soaks = True
    permissions = (
        *(Permission(verb, "pods", "", APP) for verb in ("delete", "get")),
        Permission("list", "poddisruptionbudgets", "policy", APP),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        ready = app_pods.ready(scene, order=lambda p: p.name)
        how = "without grace" if target == "kill" else "gracefully"
        return app_pods.victim(ready[0], f"one of {len(ready)} Ready, {how}")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return app_pods.needed(scene, victim)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        pod = scene.pod(victim.namespace, victim.name)
        return {"pod UID": "gone" if pod is None else pod.metadata.uid}

    def inject(self, scene: Scene, victim: Victim) -> None:
        options: dict[str, object] = {"preconditions": {"uid": victim.uid}}
        if "without grace" in victim.why:
            options["gracePeriodSeconds"] = 0
        path = f"/api/v1/namespaces/{name(victim.namespace)}/pods/{name(victim.name)}"
        scene.rest.delete(path, body=options, missing_ok=False)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        found = []
        for change in changes:
            if change.at > injected and change.subject.startswith("endpoints/") and victim.name in (change.old or ()):
                if victim.name not in (change.new or ()):
                    found.append(Step(kind="detected", at=change.at, what=f"{victim.name} left {change.subject}"))
                break
        found += [
            Step(kind="acted" if not pod.ready else "recovered", at=at, what=f"replacement {pod.name} {state}")
            for at, pod, state in replacements(scene, changes, injected)
        ]
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        ready = next((at for at, pod, _ in replacements(scene, changes, injected) if pod.ready), None)
        seconds = None if ready is None else ready - injected
        return [Recovery(name="replacement-ready", seconds=seconds, what="a replacement pod is Ready")]


def replacements(scene: Scene, changes: Sequence[Change], injected: float) -> list[tuple[float, AppPod, str]]:
    """Pods that were not there at the injection: when each was first seen, and when it was first seen Ready."""
    subject = f"pods/{scene.app_name}"
    seen: set[str] | None = None
    waiting: set[str] = set()
    found: list[tuple[float, AppPod, str]] = []
    for change in changes:
        if change.subject != subject or change.at <= injected:
            continue
        if seen is None:
            seen = {p.uid for p in change.old or ()}
        for pod in sorted(change.new or (), key=lambda p: p.name):
            if pod.uid not in seen:
                seen.add(pod.uid)
                waiting.add(pod.uid)
                found.append((change.at, AppPod(pod.uid, pod.name, pod.node, False), "created"))
            if pod.ready and pod.uid in waiting:
                waiting.remove(pod.uid)
                found.append((change.at, pod, "Ready"))
    return found
