"""A small workload of our own under an autoscaler that has acted: it burns CPU, so more of it is wanted at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from experiments.faults import own_pods
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.preflight import Permission
from fixtures.safety.rest import ANSWER_S, Rest, name
from fixtures.snapshot.model.policy import HorizontalPodAutoscaler
from fixtures.snapshot.model.workload import Deployment

FEWEST, MOST = 1, 3
ACTED_WITHIN_S = 180.0
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
SCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
ROLE = "scaled"
PERMISSIONS = (
    *(Permission(verb, "deployments", "apps", NAMESPACE) for verb in ("create", "delete", "list")),
    *(Permission(verb, "horizontalpodautoscalers", "autoscaling", NAMESPACE) for verb in ("create", "delete", "list")),
)


class Scaled(msgspec.Struct, frozen=True, kw_only=True):
    """The autoscaler and what it scales, at one look."""

    size: int  # replicas wanted of the workload
    desired: int  # replicas that the autoscaler says it wants
    active: str  # "True", or "False: why"


def make(rest: Rest, workload: str) -> None:
    """The workload and its autoscaler. Every pod uses all of the little it may, twice what is aimed at.

    Raises `RestError`.
    """
    labels = {own_pods.LABEL: ROLE, "app": workload}
    burning = own_pods.spec(
        own_pods.RESOURCE_CONSUMER, [own_pods.STRESS, "--cpu", "1"], {"cpu": "60m", "memory": "32Mi"}
    )
    rest.post(
        DEPLOYMENTS,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": workload, "labels": labels},
            "spec": {
                "replicas": FEWEST,
                "selector": {"matchLabels": {"app": workload}},
                "template": {"metadata": {"labels": labels}, "spec": burning},
            },
        },
    )
    rest.post(
        SCALERS,
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": workload, "labels": {own_pods.LABEL: ROLE}},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
                "minReplicas": FEWEST,
                "maxReplicas": MOST,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 40}},
                    }
                ],
            },
        },
    )


def await_action(scene: Scene, workload: str) -> None:
    """Until the autoscaler has scaled by what it measured. Raises `ClusterError` with its own words."""
    deadline = time.monotonic() + ACTED_WITHIN_S
    while (seen := look(scene).get(_subject(workload))) is None or seen.size == FEWEST or seen.active != "True":
        if time.monotonic() > deadline:
            raise ClusterError(
                f"HorizontalPodAutoscaler {NAMESPACE}/{workload} did not act within {ACTED_WITHIN_S:.0f} s "
                f"({seen}): does the metrics API answer?"
            )
        time.sleep(1.0)


def look(scene: Scene) -> dict[str, Any]:
    """Every workload of this role with its autoscaler. Raises `RestError`."""
    selector = {"labelSelector": f"{own_pods.LABEL}={ROLE}"}
    workloads = scene.rest.get(DEPLOYMENTS, _Deployments, selector, timeout_s=ANSWER_S).items
    scalers = {s.name: s for s in scene.rest.get(SCALERS, _Scalers, selector, timeout_s=ANSWER_S).items}
    return {
        _subject(w.name): Scaled(
            size=w.spec.replicas or 0,
            desired=scalers[w.name].status.desired_replicas or 0,
            active=_active(scalers[w.name]),
        )
        for w in workloads
        if w.name in scalers
    }


def watched(scene: Scene) -> Watched:
    """The subjects are `scaled/NAME`."""

    def seen() -> Mapping[str, Any]:
        return {"scaled": "", **look(scene)}

    return Watched(name="scaled", look=seen, every_s=0.5)


def states(changes: Sequence[Change], workload: str, injected: float) -> list[tuple[float, Scaled]]:
    """What it was at the injection, and whatever it became after that as long as it was there. Pure."""
    of = [c for c in changes if c.subject == _subject(workload)]
    before = [(injected, c.new) for c in of if c.at <= injected and c.new is not None][-1:]
    return before + [(c.at, c.new) for c in of if c.at > injected and c.new is not None]


def kept(seen: Sequence[tuple[float, Scaled]]) -> Check:
    """Without metrics it must stay as large as it was. Pure."""
    check = "size-kept"
    if not seen:
        return Check(name=check, verdict=UNKNOWN, message="the autoscaled workload was never seen")
    begin, least = seen[0][1].size, min(s.size for _, s in seen)
    said = f"{begin} replicas when the metrics went, never fewer than {least} after that"
    return Check(name=check, verdict=PASS if least >= begin else FAIL, message=said)


def inactive(seen: Sequence[tuple[float, Scaled]]) -> tuple[float, str] | None:
    """When the autoscaler first said that it can't act, and why. Pure."""
    return next(((at, s.active) for at, s in seen if s.active != "True"), None)


def remove(rest: Rest, workload: str) -> None:
    """Both; gone already is fine. Raises `RestError`."""
    rest.delete(f"{SCALERS}/{name(workload)}")
    rest.delete(f"{DEPLOYMENTS}/{name(workload)}", body={"propagationPolicy": "Background"})


def _active(scaler: HorizontalPodAutoscaler) -> str:
    for condition in scaler.status.conditions or ():
        if condition.type == "ScalingActive":
            return "True" if condition.status == "True" else f"{condition.status}: {condition.reason}"
    return "not said"


def _subject(workload: str) -> str:
    return f"scaled/{workload}"


class _Deployments(msgspec.Struct):
    items: list[Deployment] = []


class _Scalers(msgspec.Struct):
    items: list[HorizontalPodAutoscaler] = []
