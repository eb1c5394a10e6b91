"""What makes a situation, and unmakes it: each deed is a context manager over the lab."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from fixtures.clusters.lab.api import Api, ApiError
from fixtures.clusters.lab.lab import Lab

Object = dict[str, Any]
Deed = Callable[[Lab, Api], AbstractContextManager[None]]

PLURALS = {
    "APIService": "/apis/apiregistration.k8s.io/v1/apiservices",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "Namespace": "/api/v1/namespaces",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Pod": "/api/v1/namespaces/{}/pods",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}
MERGE = "application/merge-patch+json"
MANIFESTS, AWAY = "/etc/kubernetes/manifests", "/etc/kubernetes/evenkeel-away"
GONE_S = 90.0  # a namespace goes only when everything in it has
IMAGE = "${agnhost}"
"""Stands for the one image with programs that every node of the lab has."""
AT_ONCE = "?gracePeriodSeconds=0&propagationPolicy=Background"


def collection(each: Object) -> str:
    return PLURALS[each["kind"]].format(each["metadata"].get("namespace", ""))


@lru_cache(maxsize=1)
def image(api: Api) -> str:
    web = api.get("/apis/apps/v1/namespaces/reference/deployments/web")
    return str(web["spec"]["template"]["spec"]["containers"][0]["image"])


def filled(api: Api, each: Object) -> Object:
    """With the lab's image in place of `IMAGE`."""
    return dict(json.loads(json.dumps(each).replace(IMAGE, image(api))))


def create(api: Api, each: Object) -> None:
    """Make an object; one of an earlier test that is still going is waited for."""
    deadline = time.monotonic() + GONE_S
    while True:
        try:
            api.request("POST", collection(each), filled(api, each))
            return
        except ApiError as error:
            if error.status != 409 or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def delete(api: Api, each: Object, *, wait: bool = True) -> None:
    """Delete an object, if it is there, and wait until it is gone."""
    path = f"{collection(each)}/{each['metadata']['name']}"
    deadline = time.monotonic() + GONE_S
    try:
        api.request("DELETE", path + AT_ONCE)
        while wait and time.monotonic() < deadline:
            api.get(path)
            time.sleep(0.1)
    except ApiError as error:
        if error.status != 404:
            raise


def made(*objects: Object) -> Deed:
    """Objects that are there for a while."""

    @contextmanager
    def deed(_: Lab, api: Api) -> Iterator[None]:
        try:
            for each in objects:
                create(api, each)
            yield
        finally:
            for each in reversed(objects):
                delete(api, each)

    return deed


def patched(path: str, patch: Object) -> Deed:
    """An object changed for a while (JSON merge patch); afterwards every field is what it was."""

    @contextmanager
    def deed(_: Lab, api: Api) -> Iterator[None]:
        back = _back(api.get(path), patch)
        try:
            api.request("PATCH", path, filled(api, patch), kind=MERGE)
            yield
        finally:
            api.request("PATCH", path, back, kind=MERGE)

    return deed


def _back(found: Any, patch: Object) -> Object:
    """The merge patch that undoes another: null for what was not there."""
    found = found if isinstance(found, dict) else {}
    return {
        key: _back(found.get(key), value)
        if isinstance(value, dict) and isinstance(found.get(key), dict)
        else found.get(key)
        for key, value in patch.items()
    }


def deleted(each: Object) -> Deed:
    """An object whose deletion is asked for and held up by a finalizer, until we take that away."""

    @contextmanager
    def deed(_: Lab, api: Api) -> Iterator[None]:
        try:
            create(api, each)
            delete(api, each, wait=False)
            yield
        finally:
            path = f"{collection(each)}/{each['metadata']['name']}"
            api.request("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE)

    return deed


def without(component: str, *nodes: str) -> Deed:
    """A static pod's manifest taken away from nodes: their kubelets stop the component, and start it again after."""

    @contextmanager
    def deed(lab: Lab, _: Api) -> Iterator[None]:
        try:
            for node in nodes:
                _done(lab, node, "mkdir", "-p", AWAY)
                _done(lab, node, "mv", f"{MANIFESTS}/{component}.yaml", f"{AWAY}/{component}.yaml")
            yield
        finally:
            for node in nodes:
                lab.exec(node, ["mv", "-n", f"{AWAY}/{component}.yaml", f"{MANIFESTS}/{component}.yaml"])

    return deed


def _done(lab: Lab, node: str, *argv: str) -> None:
    done = lab.exec(node, argv)
    assert done.returncode == 0, f"{node}: {' '.join(argv)}: {done.stderr}"


def stopped(service: str, node: str) -> Deed:
    """A service of a node (kubelet, containerd) stopped for a while."""

    @contextmanager
    def deed(lab: Lab, _: Api) -> Iterator[None]:
        try:
            lab.stop_service(node, service)
            yield
        finally:
            lab.start_service(node, service)

    return deed


def both(*deeds: Deed) -> Deed:
    """One deed after the other, undone in the other direction."""

    @contextmanager
    def deed(lab: Lab, api: Api) -> Iterator[None]:
        with ExitStack() as stack:
            for each in deeds:
                stack.enter_context(each(lab, api))
            yield

    return deed
