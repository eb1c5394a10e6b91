"""A Service of ours with pods of ours behind it: who is in its list, who is Ready, and who is reached through it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from experiments.faults import own_pods
from experiments.observer import Change, Watched
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.objects import EndpointSlices, Pod, Pods
from fixtures.safety.preflight import Permission
from fixtures.safety.rest import ANSWER_S, Rest, RestError, name
from fixtures.safety.undo import undoes

REPLICAS = 3
PORT = 8080
SERVES = "evenkeel.dev/serves"  # a readiness gate: the process goes on answering whatever it says
SUBJECT = "own-service"
SERVICE = "endpoints"  # one run at a time, so there is one
MADE_WITHIN_S = 60.0
FOLLOWS_WITHIN_S = 1.5  # kube-proxy writes its rules once a second at most, unless it was told otherwise
TRIES = 6  # connections in one look: each pod of three is missed by all of them once in eleven looks
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SETS = f"/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"
PERMISSIONS = (
    *(Permission(verb, "pods", "", NAMESPACE) for verb in ("list", "get", "delete", "deletecollection")),
    *(Permission(verb, "services", "", NAMESPACE) for verb in ("create", "delete")),
    *(Permission(verb, "replicasets", "apps", NAMESPACE) for verb in ("create", "delete")),
    Permission("list", "endpointslices", "discovery.k8s.io", NAMESPACE),
    Permission("patch", "pods/status", "", NAMESPACE),
    Permission("get", "pods/proxy", "", NAMESPACE),
)


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `number` tells two looks that saw the same apart."""

    number: int
    listed: frozenset[str]  # pods that the Service's endpoints offer
    ready: frozenset[str]
    reached: frozenset[str]  # pods that answered through the Service


class _Dialled(msgspec.Struct):
    responses: list[str] = []


def make(scene: Scene) -> None:
    """The Service and its pods; returns when all are in its list. Raises `RestError`, `ClusterError`."""
    scene.cluster.provide([own_pods.AGNHOST])
    labels = {own_pods.LABEL: SERVICE}
    ports = [{"port": 80, "targetPort": PORT}]
    scene.rest.post(
        SERVICES,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE},
            "spec": {"selector": labels, "ports": ports},
        },
    )
    spec = own_pods.spec(
        own_pods.AGNHOST,
        ["/agnhost", "netexec", f"--http-port={PORT}"],
        {"cpu": "200m", "memory": "96Mi"},  # a limit, too: with 10m it starts for 18 s
        readinessProbe={"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1},
    )
    scene.rest.post(
        SETS,
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": SERVICE},
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {**spec, "readinessGates": [{"conditionType": SERVES}]},
                },
            },
        },
    )
    deadline = time.monotonic() + MADE_WITHIN_S
    seen = "no pod"
    while time.monotonic() < deadline:
        try:
            if len(listed(scene)) >= REPLICAS:
                return
            admit(scene)
            seen = ", ".join(f"{p.name} {own_pods.state(p)}" for p in pods(scene)) or seen
        except RestError as error:  # late once, it is asked again
            seen = str(error)
        time.sleep(0.3)
    raise ClusterError(f"Service {NAMESPACE}/{SERVICE} has no {REPLICAS} endpoints in time: {seen}")


def pods(scene: Scene) -> list[Pod]:
    """Those that are there to stay, in order of name. Raises `RestError`."""
    found = scene.rest.get(
        own_pods.PATH, Pods, {"labelSelector": f"{own_pods.LABEL}={SERVICE}"}, timeout_s=ANSWER_S
    ).items
    return sorted((p for p in found if not p.metadata.deletion_timestamp), key=lambda p: p.name)


def listed(scene: Scene) -> frozenset[str]:
    """Pods that the Service offers now. Raises `RestError`."""
    # Not from a cache: two API servers' caches differ for a moment, and the list would seem to go back and forth.
    query = {"labelSelector": f"kubernetes.io/service-name={SERVICE}"}
    slices = scene.rest.get(SLICES, EndpointSlices, query, timeout_s=ANSWER_S).items
    return frozenset(
        e.target_ref.name
        for one in slices
        for e in one.endpoints or ()
        if e.target_ref is not None and e.conditions.ready is not False
    )


def admit(scene: Scene) -> None:
    """Open the readiness gate of every pod that has none open. Raises `RestError`."""
    for pod in pods(scene):
        if not any(c.type == SERVES for c in pod.status.conditions or ()):
            gate(scene.rest, pod.name, open=True)


def gate(rest: Rest, pod: str, *, open: bool) -> None:  # noqa: A002 - a gate is open
    """Whether a pod of ours counts as ready; its process is not asked. Raises `RestError`."""
    condition = {"type": SERVES, "status": "True" if open else "False"}
    path = f"{own_pods.PATH}/{name(pod)}/status"
    body = {"status": {"conditions": [condition]}}
    rest.request("PATCH", path, body=body, content_type="application/strategic-merge-patch+json")


def watched(scene: Scene) -> Watched:
    """Every look is a change of `own-service`: its list, who is Ready, and who answered through it just then. Pods that
    replace others are let in."""
    number = 0

    def look() -> Mapping[str, Any]:
        nonlocal number
        number += 1
        here = pods(scene)
        if not here:
            return {SUBJECT: None}
        admit(scene)
        offered = listed(scene)
        ready = frozenset(p.name for p in here if p.ready)
        return {SUBJECT: Serving(number=number, listed=offered, ready=ready, reached=_dial(scene, here))}

    return Watched(name=SUBJECT, look=look, every_s=0.2)


def _dial(scene: Scene, here: Sequence[Pod]) -> frozenset[str]:
    """Who answers through the Service, asked from one of the pods behind it: the last one, which is left alone."""
    asking = max((p.name for p in here if p.ready), default="")
    if not asking:
        return frozenset()
    path = f"{own_pods.PATH}/{name(asking)}:{PORT}/proxy/dial"
    host = f"{SERVICE}.{NAMESPACE}.svc.cluster.local"
    query: dict[str, str | int] = {"host": host, "port": 80, "protocol": "http", "request": "hostname", "tries": TRIES}
    try:
        answer = scene.rest.request("GET", path, query, timeout_s=ANSWER_S)
    except RestError:
        return frozenset()
    return frozenset(msgspec.json.decode(answer, type=_Dialled).responses)


def looks(changes: Sequence[Change], injected: float) -> list[tuple[float, Serving]]:
    """In order of time, from the last one before the injection. Pure."""
    seen = [(c.at, c.new) for c in changes if c.subject == SUBJECT and isinstance(c.new, Serving)]
    before = [look for look in seen if look[0] <= injected]
    return before[-1:] + [look for look in seen if look[0] > injected]


def counted(seen: Sequence[tuple[float, Serving]]) -> Check:
    """The list goes n, n-1, n, and nothing else. Pure.

    It was complete when `make` returned, whatever a look that was going on then still says; and what follows the last
    look that saw it complete is its removal.
    """
    sizes = [len(look.listed) for _, look in seen[1:]]
    last = max((number for number, size in enumerate(sizes) if size == REPLICAS), default=len(sizes) - 1)
    sizes = [REPLICAS, *sizes[: last + 1]]
    steps = [size for number, size in enumerate(sizes) if number == 0 or size != sizes[number - 1]]
    said = " → ".join(map(str, steps))
    held = steps == [REPLICAS, REPLICAS - 1, REPLICAS]
    return Check(name="endpoints", verdict=PASS if held else FAIL, message=f"the Service's list went {said}")


def reached(seen: Sequence[tuple[float, Serving]], budget_s: float = FOLLOWS_WITHIN_S) -> Check:
    """Nobody is reached who has left the list more than `budget_s` seconds ago: so long proxies may take. Pure.

    A look reads the list first and asks then. Who came back in between is reached and not yet listed: the next look's
    list has it.
    """
    check = "only-ready-reached"
    if not any(look.reached for _, look in seen):
        return Check(name=check, verdict=UNKNOWN, message="nothing answered through the Service: nobody was asked")
    left: dict[str, float] = {}
    known: set[str] = set()
    late, worst = set(), 0.0
    following = [look.listed for _, look in seen[1:]] + [frozenset()]
    for (at, look), afterwards in zip(seen, following, strict=True):
        left = {pod: left.get(pod, at) for pod in known - look.listed}
        known |= look.listed
        for pod in (look.reached & left.keys()) - afterwards:
            worst = max(worst, at - left[pod])
            if at - left[pod] > budget_s:
                late.add(pod)
    if late:
        said = f"{', '.join(sorted(late))} was still reached {worst:.1f} s after it had left the Service's list"
        return Check(name=check, verdict=FAIL, message=said)
    said = f"who had left the Service's list was reached for {worst:.1f} s more at most, budget {budget_s:g} s"
    return Check(name=check, verdict=PASS, message=said)


@undoes
def remove(cluster: Cluster | None) -> None:
    """Take the Service and its pods away; gone already is fine."""
    assert cluster is not None
    rest = Rest.of(cluster)
    rest.delete(f"{SERVICES}/{name(SERVICE)}")
    rest.delete(f"{SETS}/{name(SERVICE)}", body={"propagationPolicy": "Background"})
    query = {"labelSelector": f"{own_pods.LABEL}={SERVICE}"}
    rest.delete(own_pods.PATH, query, {"gracePeriodSeconds": 0})
