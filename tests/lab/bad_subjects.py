"""Applications that are deployed badly on purpose, each in the one way its fields say."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.safety.objects import Pods
from fixtures.safety.rest import Rest, RestError

WITHIN_S = 90.0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """`node`: where the scheduler puts every pod as long as that node is there. `start_s`: before it serves. `probed`:
    whether it has a readiness probe. `alive_while`: address and port of the API server that its liveness probe asks."""

    replicas: int = 2
    node: str = ""
    start_s: int = 0
    probed: bool = True
    alive_while: str = ""
    max_unavailable: int | None = None  # of its disruption budget; None: it has none
    grace_s: int = 0
    node_port: int = 30089  # one of the lab's doors, of its own where several are there at once


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is, in the words of `--app` and `--app-url`."""

    app: str
    app_url: str


@contextmanager
def deployed(lab: Lab, subject: Subject) -> Iterator[Deployed]:
    """Deploy into a namespace of its own, wait until it serves, and take all of it away again."""
    rest = Rest.of(lab)
    namespace = f"bad-{secrets.token_hex(2)}"
    door = lab.door(subject.node_port)
    assert door is not None
    rest.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    try:
        for path, body in _objects(namespace, subject):
            _post(rest, path, body)
        _wait(rest, namespace, subject.replicas)
        yield Deployed(app=f"{namespace}/web", app_url=f"{door}/healthz")
    finally:
        _remove(rest, namespace)


def _objects(namespace: str, subject: Subject) -> Iterator[tuple[str, Any]]:
    labels = {"app": "web"}
    container: dict[str, Any] = {
        "name": "web",
        "image": IMAGES["agnhost"],
        "args": ["netexec", "--http-port=8080", f"--delay-shutdown={subject.grace_s}"],
        "ports": [{"containerPort": 8080}],  # where its pods are asked through the API
    }
    if subject.probed:
        container["readinessProbe"] = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    if subject.alive_while:
        host, port = subject.alive_while.split(":")
        ask = {"scheme": "HTTPS", "host": host, "port": int(port), "path": "/readyz"}
        container["livenessProbe"] = {"httpGet": ask, "periodSeconds": 1, "failureThreshold": 2}
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": subject.grace_s + 1}
    if subject.start_s:
        waits = ["logs-generator", f"--log-lines-total={subject.start_s}", f"--run-duration={subject.start_s}s"]
        spec["initContainers"] = [{"name": "starts-slowly", "image": IMAGES["agnhost"], "args": waits}]
    if subject.node:
        here = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [subject.node]}]}
        preferred = [{"weight": 100, "preference": here}]
        spec["affinity"] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    else:
        spread = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": labels},
        }
        spec["topologySpreadConstraints"] = [spread]
    template = {"metadata": {"labels": labels}, "spec": spec}
    yield (
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
        {
            "metadata": {"name": "web"},
            "spec": {"replicas": subject.replicas, "selector": {"matchLabels": labels}, "template": template},
        },
    )
    port = {"port": 80, "targetPort": 8080, "nodePort": subject.node_port}
    yield (
        f"/api/v1/namespaces/{namespace}/services",
        {"metadata": {"name": "web"}, "spec": {"type": "NodePort", "selector": labels, "ports": [port]}},
    )
    if subject.max_unavailable is not None:
        budget = {"maxUnavailable": subject.max_unavailable, "selector": {"matchLabels": labels}}
        yield (
            f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets",
            {"metadata": {"name": "web"}, "spec": budget},
        )


def _post(rest: Rest, path: str, body: Any) -> None:
    """A node port that the subject before has just given back may be taken for a moment."""
    deadline = time.monotonic() + 20
    while True:
        try:
            rest.post(path, body)
            return
        except RestError as error:
            if error.status != 422 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _wait(rest: Rest, namespace: str, replicas: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    ready = 0
    while time.monotonic() < deadline:
        with suppress(RestError):
            pods = rest.get(f"/api/v1/namespaces/{namespace}/pods", Pods).items
            ready = sum(p.ready for p in pods)
            if ready >= replicas:
                return
        time.sleep(0.3)
    raise AssertionError(f"{namespace}/web: {ready} of {replicas} Ready after {WITHIN_S:.0f} s")


def _remove(rest: Rest, namespace: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            rest.delete(f"/api/v1/namespaces/{namespace}", missing_ok=False)
        except RestError as error:
            if error.status == 404:
                return
        time.sleep(0.5)
    raise AssertionError(f"namespace {namespace} is still there after {WITHIN_S:.0f} s")
