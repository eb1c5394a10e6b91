"""A second reference application beside the lab's, for situations to happen to: nothing is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from fixtures.clusters.lab import addons
from fixtures.clusters.lab.api import Api
from fixtures.clusters.lab.readiness import wait_for, workload_missing
from tests.lab.situations import deeds
from tests.lab.situations.deeds import Object

SHOP = "situations"
MANIFEST = Path(addons.__file__).with_name("reference.yaml")
WEB = f"/apis/apps/v1/namespaces/{SHOP}/deployments/web"
SERVICE = f"/api/v1/namespaces/{SHOP}/services/web"
BUDGET = f"/apis/policy/v1/namespaces/{SHOP}/poddisruptionbudgets/web"
LABELS = {"app": "web"}
READY_S = 60.0


def named(kind: str, name: str, api_version: str = "v1", namespace: str = SHOP, **rest: Any) -> Object:
    """An object of the shop's namespace; of none when that is empty."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def objects() -> Iterator[Object]:
    """The lab's reference application with two replicas in a namespace of its own, called from inside only."""
    for each in yaml.safe_load_all(MANIFEST.read_text()):
        if each["kind"] == "PriorityClass":
            continue
        if each["kind"] == "Namespace":
            each["metadata"]["name"] = SHOP
        else:
            each["metadata"]["namespace"] = SHOP
        if each["kind"] == "Deployment":
            each["spec"]["replicas"] = 2
        if each["kind"] == "Service":
            each["spec"] = {"selector": LABELS, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
        if each["kind"] == "ResourceQuota":
            each["spec"]["hard"] = {"pods": "60", "requests.cpu": "9999", "requests.memory": "999Gi"}
        yield each


@contextmanager
def open_shop(api: Api) -> Iterator[None]:
    """The shop, with all of its pods Ready."""
    every = list(objects())
    try:
        for each in every:
            deeds.create(api, each)
        wait_for("the shop", lambda: workload_missing(api, WEB), READY_S)
        yield
    finally:
        deeds.delete(api, every[0])
