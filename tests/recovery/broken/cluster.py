"""Parts of the cluster that were set up carelessly, and automation that undoes what it should leave alone."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import yaml
from cryptography import x509

from experiments.faults import autoscaled, certificates, endpoints, members, own_pods, own_webhook, resource_hog
from experiments.faults.static_pods import shell
from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.safety.objects import Pods
from fixtures.safety.rest import Rest, RestError, name

PROXY = "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy"
SERVING = "/api/v1/namespaces/reference/pods"
WITHIN_S = 120.0


@contextmanager
def proxy_cleans_up_when_it_starts(lab: Lab) -> Iterator[None]:
    """kube-proxy takes all rules away before it starts, and is in no hurry to write new ones."""
    rest = Rest.of(lab)
    container = msgspec.json.decode(rest.request("GET", PROXY))["spec"]["template"]["spec"]["containers"][0]
    cleaning = {
        "name": "clean",
        "image": container["image"],
        "command": ["kube-proxy", "--cleanup"],
        "securityContext": container.get("securityContext"),
        "volumeMounts": container.get("volumeMounts"),
    }
    lines = ["logs-generator", "--log-lines-total=8", "--run-duration=8s"]
    waiting = {"name": "wait", "image": IMAGES["agnhost"], "args": lines}
    try:
        _patch_proxy(rest, {"initContainers": [cleaning, waiting]})
        yield
    finally:
        _patch_proxy(rest, {"initContainers": None})


@contextmanager
def proxy_hangs(lab: Lab) -> Iterator[None]:
    """As soon as the Service of F-44 has its pods, kube-proxy hangs on every node, and nobody looks after it."""
    rest, nodes = Rest.of(lab), [n.name for n in lab.nodes()]
    hanging = False

    def hang() -> None:
        nonlocal hanging
        pods = len(own_webhook.endpoints(rest, endpoints.SERVICE))
        if not hanging and pods == endpoints.REPLICAS:
            time.sleep(1.0)  # until every node has the rules
            _signal(lab, nodes, "STOP")
            hanging = True
        elif hanging and not pods:
            _signal(lab, nodes, "CONT")
            hanging = False

    try:
        with _all_the_time(hang, every_s=0.1):
            yield
    finally:
        _signal(lab, nodes, "CONT")


def _signal(lab: Lab, nodes: Sequence[str], signal: str) -> None:
    for node in nodes:
        lab.kill(node, "kube-proxy", signal)


@contextmanager
def webhook_is_put_back(lab: Lab) -> Iterator[None]:
    """Whatever deployed a webhook deploys it again when it is removed, without a server too."""
    rest, seen = Rest.of(lab), dict[str, Any]()

    def put_back() -> None:
        listed = msgspec.json.decode(rest.request("GET", own_webhook.CONFIGURATIONS))["items"]
        ours = {one["metadata"]["name"]: one for one in listed if one["metadata"]["name"].startswith("evenkeel-")}
        for gone in seen.keys() - ours.keys():
            seen[gone]["metadata"] = {"name": gone}
            rest.post(own_webhook.CONFIGURATIONS, seen[gone])
        seen.update(ours)

    try:
        with _all_the_time(put_back, every_s=0.1):
            yield
    finally:
        for webhook in seen:
            rest.delete(f"{own_webhook.CONFIGURATIONS}/{name(webhook)}")


@contextmanager
def scaled_down_without_metrics(lab: Lab) -> Iterator[None]:
    """Somebody's automation takes "no metrics" for "no load"."""
    rest = Rest.of(lab)
    ours = {"labelSelector": f"{own_pods.LABEL}={autoscaled.ROLE}"}

    def shrink() -> None:
        for scaler in msgspec.json.decode(rest.request("GET", autoscaled.SCALERS, ours))["items"]:
            status = scaler.get("status", {})
            blind = any(
                c["type"] == "ScalingActive" and c["status"] == "False" and c["reason"] != "ScalingDisabled"
                for c in status.get("conditions", ())
            )
            if blind and status.get("desiredReplicas", 0) > autoscaled.FEWEST:
                target = scaler["spec"]["scaleTargetRef"]["name"]
                rest.merge(f"{autoscaled.DEPLOYMENTS}/{name(target)}/scale", {"spec": {"replicas": autoscaled.FEWEST}})

    with _all_the_time(shrink, every_s=0.5):
        yield


@contextmanager
def busy_node_is_emptied(lab: Lab) -> Iterator[None]:
    """A descheduler takes a node with a hog for overloaded, and evicts whoever serves there instead of the hog."""
    rest, seen = Rest.of(lab), set[str]()

    def evict() -> None:
        hogs = rest.get(own_pods.PATH, Pods, {"labelSelector": f"{own_pods.LABEL}={resource_hog.HOG}"}).items
        for hog in hogs:
            if hog.status.phase != "Running" or hog.name in seen:
                continue
            seen.add(hog.name)
            for pod in rest.get(SERVING, Pods, {"fieldSelector": f"spec.nodeName={hog.spec.node_name}"}).items:
                rest.delete(f"{SERVING}/{name(pod.name)}")

    with _all_the_time(evict, every_s=0.2):
        yield


@contextmanager
def certificate_is_young(lab: Lab) -> Iterator[None]:
    """The client's certificate begins five minutes ago: for a clock that is ten minutes behind, in the future."""
    before = lab.kubeconfig.read_bytes()
    settings = yaml.safe_load(before)
    user = settings["users"][0]["user"]
    old = x509.load_pem_x509_certificate(base64.b64decode(user["client-certificate-data"]))
    master = members.masters(lab)[0]
    authority = certificates.read(lab, master, f"{certificates.PKI}/ca.crt")
    key = shell(lab, master, f"cat {certificates.PKI}/ca.key").encode()
    young = certificates.shortened(old, authority, key, 24 * 3600.0)
    user["client-certificate-data"] = base64.b64encode(young).decode()
    try:
        lab.kubeconfig.write_text(yaml.safe_dump(settings))
        yield
    finally:
        lab.kubeconfig.write_bytes(before)


@contextmanager
def _all_the_time(act: Callable[[], None], every_s: float) -> Iterator[None]:
    """In a thread of its own; what the API refuses is tried again."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(every_s):
            with suppress(RestError, ClusterError):
                act()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _patch_proxy(rest: Rest, spec: dict[str, Any]) -> None:
    """Roll kube-proxy out with something changed, all nodes at once; returns when every one is Ready."""
    stamp = {"annotations": {"evenkeel.dev/broken": datetime.now(UTC).isoformat()}}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}}
    rest.merge(PROXY, {"spec": {"updateStrategy": rolling, "template": {"metadata": stamp, "spec": spec}}})
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = msgspec.json.decode(rest.request("GET", PROXY))
        status, wanted = found["status"], found["status"]["desiredNumberScheduled"]
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        if current and status.get("updatedNumberScheduled") == status.get("numberReady") == wanted:
            return
        assert time.monotonic() < deadline, f"kube-proxy is not rolled out after {WITHIN_S:.0f} s: {status}"
        time.sleep(0.5)
