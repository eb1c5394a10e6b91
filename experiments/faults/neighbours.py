"""Who shares a node with a troublemaker, and whether it was harmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.safety.objects import Pods
from fixtures.safety.rest import ANSWER_S, FROM_CACHE, name

SYSTEM = "kube-system"
SUBJECT = "neighbour/"


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """A pod at one look."""

    node: str
    ready: bool
    restarts: int
    reason: str  # why it failed as a whole


def watched(scene: Scene) -> Watched:
    """Pods of the application's namespace and of the cluster's own; the subjects are `neighbour/NAMESPACE/NAME`."""

    def look() -> Mapping[str, Any]:
        found: dict[str, Any] = {"neighbours": ""}
        for namespace in dict.fromkeys((scene.app_namespace, SYSTEM)):
            path = f"/api/v1/namespaces/{name(namespace)}/pods"
            for pod in scene.rest.get(path, Pods, FROM_CACHE, timeout_s=ANSWER_S).items:
                found[f"{SUBJECT}{pod.namespace}/{pod.name}"] = Neighbour(
                    node=pod.spec.node_name, ready=pod.ready, restarts=pod.restarts, reason=pod.status.reason
                )
        return found

    return Watched(name="neighbours", look=look, every_s=0.5)


def count(scene: Scene, node: str) -> int:
    """How many of them there are on a node. Raises `RestError`."""
    here = {"fieldSelector": f"spec.nodeName={node}"}
    return sum(
        len(scene.rest.get(f"/api/v1/namespaces/{name(n)}/pods", Pods, here).items)
        for n in dict.fromkeys((scene.app_namespace, SYSTEM))
    )


def harms(changes: Sequence[Change], node: str, injected: float) -> list[tuple[float, str]]:
    """What became of pods on a node: gone, evicted, restarted, or not Ready any more. In order of time. Pure."""
    found = []
    for change in changes:
        old, new = change.old, change.new
        if not change.subject.startswith(SUBJECT) or change.at <= injected or old is None or old.node != node:
            continue
        pod = change.subject.removeprefix(SUBJECT)
        if new is None:
            found.append((change.at, f"{pod} is gone"))
        elif new.reason and new.reason != old.reason:
            found.append((change.at, f"{pod} was ended: {new.reason}"))
        elif new.restarts > old.restarts:
            found.append((change.at, f"{pod} was restarted"))
        elif old.ready and not new.ready:
            found.append((change.at, f"{pod} is not Ready"))
    return found


def unharmed(harmed: Sequence[tuple[float, str]], neighbours: int, node: str, injected: float) -> Check:
    """No neighbour may pay for it. Pure."""
    check = "neighbours-unharmed"
    if not neighbours:
        return Check(name=check, verdict=UNKNOWN, message=f"nothing else runs on {node}: nobody could be harmed")
    if harmed:
        said = "; ".join(f"{what} after {at - injected:.1f} s" for at, what in harmed)
        return Check(name=check, verdict=FAIL, message=f"of {neighbours} pods beside it on {node}: {said}")
    said = f"none of the {neighbours} pods beside it on {node} was ended, restarted or not Ready"
    return Check(name=check, verdict=PASS, message=said)
