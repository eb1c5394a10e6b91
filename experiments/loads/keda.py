"""KEDA for a play: the one that is installed, or one installed for as long as the play lasts where that is allowed."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from experiments.loads.stage import AbsentError, Stage, StageError
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.prometheus.client import Prometheus, PrometheusError
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import undoes, way_back
from fixtures.snapshot.model.base import Model, Object
from fixtures.subjects.apply import Applier

METRICS = "/apis/external.metrics.k8s.io/v1beta1"
_API = "/apis/keda.sh/v1alpha1"
_READY_S = 90.0
_SCRAPED_S = 30.0


class _PodStatus(Model):
    pod_ip: str = msgspec.field(default="", name="podIP")


class _Pod(Model):
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _Pods(Model):
    items: list[_Pod] = []


class _ScaledObjects(msgspec.Struct):
    items: list[Object] = []


def require(stage: Stage) -> None:
    """See to it that KEDA serves external metrics. Raises AbsentError where it is not there and may not be installed,
    or where its programs were never built: that takes minutes, so somebody must ask for it."""
    if served(stage.rest, _API) and served(stage.rest, METRICS):
        return
    if not stage.cluster.disposable:
        raise AbsentError(f"cluster {stage.cluster.name!r} has no KEDA (it serves no {_API})")
    _install(stage)


def prometheus(stage: Stage) -> str:
    """Where pods ask the Prometheus that KEDA is to go by. Raises StageError where none is known."""
    if stage.cluster.provider == "lab":
        from fixtures.clusters.lab.layout import FABRIC_ADDRESS

        return f"http://{FABRIC_ADDRESS}:9090"
    known = stage.profile.lifecycle.prometheus
    if known is None:
        raise StageError("KEDA needs a Prometheus that counts the gateway's requests: name it in lifecycle.prometheus")
    return known


def scraped(stage: Stage, app: str, port: int) -> None:
    """The metrics of an app's pods reach Prometheus, where it does not find them by itself; returns when they do: what
    was counted before its first look at a counter is no increase, and wakes nobody."""
    path = f"/api/v1/namespaces/{name(stage.namespace)}/pods"
    pods = stage.rest.get(path, _Pods, {"labelSelector": f"app={app}"}).items
    addresses = [f"{pod.status.pod_ip}:{port}" for pod in pods if pod.status.pod_ip]
    stage.cluster.scrape(stage.namespace, addresses)
    known = stage.cluster.entrances().prometheus
    if known is None:
        return
    server = Prometheus(known)

    def seen() -> bool:
        try:
            return server.value(f'sum(up{{namespace="{stage.namespace}"}})', time.time()) == len(addresses)
        except PrometheusError:
            return False

    stage.wait(f"Prometheus scrapes the {len(addresses)} pods of {stage.namespace}/{app}", seen, _SCRAPED_S, 0.5)


def _install(stage: Stage) -> None:
    from fixtures.clusters.lab.supply.extras import keda

    if not keda.built():
        raise AbsentError("KEDA is not built on this machine; `make keda` does it, in about ten minutes on 2 cores")
    try:
        stage.cluster.provide([keda.OPERATOR, keda.ADAPTER])
    except ClusterError as error:
        raise StageError(str(error)) from error
    objects = keda.manifests()
    applier = Applier(stage.rest)
    paths = [applier.path(one, keda.NAMESPACE) for one in objects]
    stage.journal(way_back(remove, "remove KEDA", stage.cluster, {"paths": paths}))
    applier.apply(objects, keda.NAMESPACE)
    for deployment in ("keda-operator", "keda-metrics-apiserver"):
        path = f"/apis/apps/v1/namespaces/{keda.NAMESPACE}/deployments/{deployment}"
        stage.wait(f"Deployment {deployment} is available", lambda path=path: _available(stage.rest, path), _READY_S)  # type: ignore[misc]
    stage.wait("external metrics are served", lambda: served(stage.rest, METRICS), _READY_S)


def served(rest: Rest, path: str) -> bool:
    """Whether the API has it, and answers. Raises `RestError` when that can't be told."""
    try:
        rest.request("GET", path)
    except RestError as error:
        if error.status in (404, 503):
            return False
        raise
    return True


def _available(rest: Rest, path: str) -> bool:
    found: dict[str, Any] = rest.get(path, dict)
    return bool(found.get("status", {}).get("availableReplicas"))


@undoes
def remove(cluster: Cluster | None, paths: list[str]) -> None:
    """Remove every object of an installation, last ones first. What KEDA had to finish for others is let go before:
    once it is gone nobody else would. Raises the first error after everything was tried."""
    assert cluster is not None
    rest = Rest.of(cluster)
    errors: list[RestError] = []
    try:
        for one in rest.get(f"{_API}/scaledobjects", _ScaledObjects).items:
            path = f"{_API}/namespaces/{name(one.namespace)}/scaledobjects/{name(one.name)}"
            rest.merge(path, {"metadata": {"finalizers": None}})
            rest.delete(path)
    except RestError as error:
        if error.status != 404:
            errors.append(error)
    for path in reversed(paths):
        try:
            rest.delete(path)
        except RestError as error:
            errors.append(error)
    if errors:
        raise errors[0]
