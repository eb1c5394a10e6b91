"""ELA-09: pods that no node has room for bring a node, where an autoscaler for nodes exists."""

from __future__ import annotations

from pathlib import Path

import msgspec

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, since
from experiments.loads.result import Figure
from experiments.loads.stage import AbsentError, Stage, StageError
from fixtures import subjects
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.load.sampler import cores
from fixtures.safety.objects import Nodes
from fixtures.safety.rest import Rest, RestError, name
from fixtures.snapshot.model.base import Model
from fixtures.snapshot.model.cluster import Node
from fixtures.subjects.subject import Subject

CONTROL = "ELA-09"
SERVICE = "filler"
SHARE = 0.6  # of a node's CPU that a pod asks for: two never fit on one
GIVE_UP_S = 600.0
# Where each kind of autoscaler shows that it is there: its own API, or the status that it writes.
SIGNS = {
    "Karpenter": "/apis/karpenter.sh/v1/nodepools",
    "cluster-autoscaler": "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status",
}


class _Condition(Model):
    type: str = ""
    status: str = ""
    reason: str = ""


class _PodStatus(Model):
    conditions: list[_Condition] | None = None


class _Pod(Model):
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)

    @property
    def homeless(self) -> bool:
        """No node has room for it, as the scheduler says."""
        return any(c.type == "PodScheduled" and c.reason == "Unschedulable" for c in self.status.conditions or ())


class _Pods(Model):
    items: list[_Pod] = []


class NodeScaling(Play):
    """One pod more than nodes have room for, until it is Ready."""

    name = "node-scaling"
    title = "A pod that no node has room for"
    controls = (CONTROL,)
    variants = {"one-too-many": "pods as large as a node, one more than there are nodes"}
    takes_s = 300

    def run(self, stage: Stage) -> None:
        if autoscaler(stage.rest) is None:
            raise AbsentError("no autoscaler for nodes is known here (neither Karpenter nor cluster-autoscaler)")
        before = workers(stage.rest)
        stage.values["nodes-before"] = len(before)
        size = max((cores((n.status.allocatable or {}).get("cpu", "0")) for n in before), default=0.0)
        words = {"replicas": str(len(before) + 1), "cpu": f"{size * SHARE * 1000:.0f}m"}
        subject = Subject(
            manifest=Path(subjects.__file__).with_name("filler.yaml"),
            images={"agnhost": IMAGES["agnhost"]},
            words=words,
        )
        stage.put(subject)
        service = stage.workload(SERVICE)
        stage.watch({SERVICE: service})
        stage.wait("a pod finds no node", lambda: homeless(stage) > 0, 60)
        stage.mark("load", "a pod finds no node with room for it")
        try:
            stage.wait_ready(service, len(before) + 1, GIVE_UP_S)
        except StageError:
            stage.mark("ended", f"given up after {GIVE_UP_S:.0f} s")
        else:
            stage.mark("recovered", "every pod is Ready")
        stage.values["nodes-after"] = len(workers(stage.rest))

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        start, ready = recording.mark("load"), recording.mark("recovered")
        given_up = recording.mark("ended")
        added = recording.values.get("nodes-after", 0) - recording.values.get("nodes-before", 0)
        waited = since(start, ready or given_up)
        return [
            Figure(
                control=CONTROL,
                name="nodes-added",
                what=f"{added:.0f} node(s) more than before",
                value=added if start is not None else None,
                budget=budgets.of(CONTROL, "nodes-added", 1),
                unit="",
                at_least=True,
            ),
            Figure(
                control=CONTROL,
                name="pod-ready",
                what=f"{'Ready' if ready else 'not Ready'} {waited or 0:.0f} s after no node had room for it",
                value=waited,
                budget=budgets.of(CONTROL, "pod-ready", 300),
            ),
        ]


def autoscaler(rest: Rest) -> str | None:
    """Which there is. Raises `RestError` when that can't be told."""
    for kind, path in SIGNS.items():
        try:
            rest.request("GET", path)
        except RestError as error:
            if error.status == 404:
                continue
            raise
        return kind
    return None


def workers(rest: Rest) -> list[Node]:
    """Nodes that take users' pods now."""
    nodes = rest.get("/api/v1/nodes", Nodes).items
    return [n for n in nodes if n.ready and not n.control_plane and not n.spec.unschedulable]


def homeless(stage: Stage) -> int:
    """The stage's pods that no node has room for."""
    found = stage.rest.get(f"/api/v1/namespaces/{name(stage.namespace)}/pods", _Pods)
    return sum(pod.homeless for pod in found.items)
