"""Takeovers of the control plane's leaders, as their Leases show them."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults.fault import Recovery, Step
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.safety.preflight import Refusal, Scenery
from fixtures.safety.rest import RestError

LEADERS = ("kube-controller-manager", "kube-scheduler")


def leader(scene: Scene, component: str) -> tuple[str, str, int]:
    """Who leads: the node, the whole holder identity, and how often leadership has changed. Raises `RestError`."""
    lease = scene.lease(component)
    holder = lease.spec.holder_identity or ""
    return holder.rpartition("_")[0] or holder, holder, lease.spec.lease_transitions or 0


def leads(scene: Scene, node: str) -> list[str]:
    """Which components have their leader on a node; none that can't be read."""
    found = []
    for component in LEADERS:
        try:
            if leader(scene, component)[0] == node:
                found.append(component)
        except RestError:
            continue
    return found


def takeover(changes: Sequence[Change], component: str, injected: float) -> Change | None:
    """The change that put somebody else into the Lease."""
    for change in changes:
        if change.subject == f"lease/{component}" and change.at > injected and change.old and change.new:
            (old, _), (new, _) = change.old, change.new
            if new and new != old:
                return change
    return None


def steps(changes: Sequence[Change], components: Sequence[str], injected: float) -> list[Step]:
    """One `acted` step for each takeover."""
    found = []
    for component in components:
        change = takeover(changes, component, injected)
        if change is not None:
            node = change.new[0].rpartition("_")[0] or change.new[0]
            found.append(Step(kind="acted", at=change.at, what=f"{component} on {node} took over"))
    return found


def recoveries(changes: Sequence[Change], components: Sequence[str], injected: float) -> list[Recovery]:
    """One `takeover` for each component that lost its leader."""
    found = []
    for component in components:
        change = takeover(changes, component, injected)
        seconds = None if change is None else change.at - injected
        found.append(Recovery(name="takeover", seconds=seconds, what=f"another {component} leads"))
    return found


def no_successor(scenery: Scenery, component: str, node: str) -> list[Refusal]:
    """A refusal where nobody could take over from the instance of a component on a node."""
    if any(p.ready and p.spec.node_name != node for p in scenery.component(component)):
        return []
    return [
        Refusal(
            object=component,
            value=f"no other instance than the one on {node}",
            next="nobody could take over: use a cluster with several control-plane nodes",
        )
    ]
