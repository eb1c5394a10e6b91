"""One pod of the watched application, as a victim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiments.faults.fault import NoVictimError, Victim
from experiments.scene import Scene
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Refusal, budgets, room


def ready(scene: Scene, order: Callable[[Pod], Any]) -> list[Pod]:
    """Those that may be chosen from, in order. Raises `NoVictimError` when there is none."""
    found = sorted((p for p in scene.app_pods() if p.ready), key=order)
    if not found:
        raise NoVictimError(f"{scene.app} has no Ready pod; deploy it or wait for it")
    return found


def victim(pod: Pod, why: str) -> Victim:
    return Victim(
        kind="Pod",
        name=pod.name,
        namespace=pod.namespace,
        node=pod.spec.node_name,
        uid=pod.metadata.uid,
        why=why,
    )


def needed(scene: Scene, chosen: Victim) -> list[Refusal]:
    """What speaks against losing it: a disruption budget without room, or no other one that serves."""
    pods = scene.app_pods()
    refusals = room(budgets(scene.rest, chosen.namespace), [p for p in pods if p.metadata.uid == chosen.uid])
    if sum(p.ready for p in pods) < 2:
        alone = Refusal(object=scene.app, value="1 Ready pod", next="killing it is an outage: run at least 2 replicas")
        refusals.append(alone)
    return refusals
