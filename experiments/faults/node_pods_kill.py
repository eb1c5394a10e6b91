"""F-03: all pods of the application on one node are killed at once."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import workers
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.safety.preflight import APP, Permission, Refusal, Scenery, budgets
from fixtures.safety.rest import name
from fixtures.snapshot.selectors import matches


class NodePodsKill(Fault):
    """Without grace: their processes end at once and their objects are gone at once, while the node is well."""

    id = "F-03"
    title = "kill all pods of the application on one node"
    targets = {"kill": "without grace, on the worker that runs most of them"}
    soaks = True
    permissions = (
        Permission("delete", "pods", "", APP),
        Permission("list", "poddisruptionbudgets", "policy", APP),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        here = [p for p in workers.on(scene.app_pods(), {node}) if p.ready]
        return Victim(
            kind="Pods",
            name=scene.app_name,
            namespace=scene.app_namespace,
            node=node,
            uid=",".join(p.metadata.uid for p in here),
            why=f"{count} of {total} Ready, those on {node}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        """A budget speaks of what is done on purpose, and this plays an accident: it may exceed one, as a node that
        dies would, but not when one is spent already."""
        pods = scene.app_pods()
        spent = [
            Refusal(
                object=f"PodDisruptionBudget {one.namespace}/{one.name}",
                value="allows no disruption at the moment",
                next="wait until all its pods are Ready, or add replicas",
            )
            for one in budgets(scene.rest, victim.namespace)
            if any(matches(one.spec.selector, p.labels) for p in pods)
            and not (one.status and one.status.disruptions_allowed)
        ]
        return spent + workers.alone(scene, {victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """Which of the pods chosen are there."""
        wanted = victim.uid.split(",")
        here = {p.metadata.uid: p.name for p in scene.app_pods()}
        return {f"pods chosen on {victim.node}": ", ".join(here[uid] for uid in wanted if uid in here) or "all gone"}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return super().proven(before, after) and "all gone" in after.values()

    def inject(self, scene: Scene, victim: Victim) -> None:
        wanted = victim.uid.split(",")
        for pod in scene.app_pods():
            if pod.metadata.uid in wanted:
                path = f"/api/v1/namespaces/{name(pod.namespace)}/pods/{name(pod.name)}"
                options = {"preconditions": {"uid": pod.metadata.uid}, "gracePeriodSeconds": 0}
                scene.rest.delete(path, body=options)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, {victim.node}, injected)
        return [*workers.left_service(changes, losses.names, injected), *losses.steps()]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        restored = workers.Losses(scene, changes, {victim.node}, injected).restored
        seconds = None if restored is None else restored - injected
        return [Recovery(name="replacement-ready", seconds=seconds, what="as many replicas are Ready as before")]
