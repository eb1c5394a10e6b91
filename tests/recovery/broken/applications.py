"""Applications that can't survive what they should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from experiments.faults import members
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import API_PORT, BALANCED_ADDRESS
from fixtures.safety.rest import Rest
from tests.lab.bad_subjects import Deployed, Subject, deployed
from tests.recovery.broken.front import followers

SLOW_S = 8  # longer than any budget for replacing pods
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@contextmanager
def together(lab: Lab) -> Iterator[Deployed]:
    """Two replicas that both prefer one node and start slowly."""
    with deployed(lab, Subject(node="worker-2", start_s=SLOW_S)) as subject:
        yield subject


@contextmanager
def together_in_the_leaders_zone(lab: Lab) -> Iterator[Deployed]:
    """The same, on a worker in the zone of the master that leads etcd."""
    leader, _ = members.leader(lab)
    zone = next(n.zone for n in lab.nodes() if n.name == leader)
    worker = next(n.name for n in lab.nodes() if n.zone == zone and n.role == "worker")
    with deployed(lab, Subject(node=worker, start_s=SLOW_S)) as subject:
        yield subject


@contextmanager
def unprobed(lab: Lab) -> Iterator[Deployed]:
    """Two replicas without a readiness probe."""
    with deployed(lab, Subject(probed=False)) as subject:
        yield subject


@contextmanager
def starts_in_75_s(lab: Lab) -> Iterator[Deployed]:
    """Two replicas that serve late after every start."""
    with deployed(lab, Subject(start_s=75)) as subject:
        yield subject


@contextmanager
def alive_while_the_api_is(lab: Lab) -> Iterator[Deployed]:
    """Two replicas whose liveness probe asks the cluster's API through the balancer."""
    with deployed(lab, Subject(alive_while=f"{BALANCED_ADDRESS}:{API_PORT}", start_s=1)) as subject:
        yield subject


@contextmanager
def alive_while_one_master_is(lab: Lab) -> Iterator[Deployed]:
    """The same, but they ask the one API server that somebody wrote down: beside a member of etcd that follows."""
    address = next(n.address for n in lab.nodes() if n.name == followers(lab)[0])
    with deployed(lab, Subject(alive_while=f"{address}:{API_PORT}", start_s=1)) as subject:
        yield subject


@contextmanager
def applied_smaller(lab: Lab) -> Iterator[Deployed]:
    """Two replicas whose manifest, as it was applied last, says one: somebody else has set another number since."""
    with deployed(lab, Subject()) as subject:
        namespace, name = subject.app.split("/")
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        rest = Rest.of(lab)
        now = msgspec.json.decode(rest.request("GET", path))
        manifest = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {**now["spec"], "replicas": 1},
        }
        said = {LAST_APPLIED: msgspec.json.encode(manifest).decode()}
        rest.merge(path, {"metadata": {"annotations": said}})
        yield subject
