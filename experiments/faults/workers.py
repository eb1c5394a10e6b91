"""What faults that hit whole nodes have in common: which node, how it is mended, who noticed and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from experiments.faults.fault import NoVictimError, Step, first
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Cluster
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Refusal
from fixtures.safety.undo import undoes


def busiest(scene: Scene) -> tuple[str, int, int]:
    """The worker with the most Ready pods of the application: its name, how many it has, how many there are.

    Raises `NoVictimError`, `RestError`.
    """
    workers = {n.name for n in scene.nodes() if not n.control_plane}
    ready = [p for p in scene.app_pods() if p.ready]
    counted = Counter(p.spec.node_name for p in ready if p.spec.node_name in workers)
    if not counted:
        raise NoVictimError(f"no worker runs a Ready pod of {scene.app}: what its loss does could not be seen")
    node, count = min(counted.items(), key=lambda item: (-item[1], item[0]))
    return node, count, len(ready)


def alone(scene: Scene, nodes: Collection[str]) -> list[Refusal]:
    """The application must have a Ready pod elsewhere than on the nodes about to be lost."""
    ready = [p for p in scene.app_pods() if p.ready]
    if any(p.spec.node_name not in nodes for p in ready):
        return []
    return [
        Refusal(
            object=scene.app,
            value=f"all {len(ready)} Ready pods are on {', '.join(sorted(nodes))}",
            next="losing them is an outage: spread its replicas over nodes and zones",
        )
    ]


def on(pods: Sequence[Pod], nodes: Collection[str]) -> list[Pod]:
    """Those on some nodes, in order of name."""
    return sorted((p for p in pods if p.spec.node_name in nodes), key=lambda p: p.name)


def noticed(changes: Sequence[Change], nodes: Collection[str], injected: float) -> list[Step]:
    """When each node was seen not Ready, and Ready again."""
    found = []
    for node in sorted(nodes):
        lost = first(changes, injected, f"node/{node}")
        if lost is None or lost.new == "Ready":
            continue
        found.append(Step(kind="detected", at=lost.at, what=f"node {node} is not Ready"))
        back = first(changes, lost.at, f"node/{node}")
        if back is not None and back.new == "Ready":
            found.append(Step(kind="recovered", at=back.at, what=f"node {node} is Ready again"))
    return found


def left_service(changes: Sequence[Change], lost: Collection[str], injected: float) -> list[Step]:
    """When the last of the pods named had left every endpoint list that they were in."""
    found: dict[str, tuple[float, set[str]]] = {}
    for change in changes:
        if change.at > injected and change.subject.startswith("endpoints/"):
            gone = (set(change.old or ()) - set(change.new or ())) & set(lost)
            if gone:
                _, before = found.get(change.subject, (0.0, set()))
                found[change.subject] = (change.at, before | gone)
    return [
        Step(kind="detected", at=at, what=f"{len(gone)} pod(s) left {subject}")
        for subject, (at, gone) in found.items()
        if gone == set(lost)
    ]


class Losses:
    """What became of an application's pods after an injection, look by look."""

    def __init__(self, scene: Scene, changes: Sequence[Change], nodes: Collection[str], injected: float) -> None:
        self._nodes = nodes
        self.fallen: set[str] = set()  # uids on those nodes, seen not Ready, restarted, or no more
        self.lost: set[AppPod] = set()  # Ready there at the injection
        self.detected: float | None = None  # first of them seen not Ready
        self.emptied: float | None = None  # the last of them was gone for good
        self.acted: float | None = None  # first pod that is new
        self.restored: float | None = None  # as many Ready as before, without those that only seem so
        subject = f"pods/{scene.app_name}"
        looks = [c for c in changes if c.subject == subject and c.at > injected]
        if not looks:
            return
        begin: Collection[AppPod] = looks[0].old or ()
        known = {p.uid for p in begin}
        wanted = sum(p.ready for p in begin)
        self.lost = {p for p in begin if p.ready and p.node in nodes}
        for change in looks:
            self._look(change, known, wanted)

    @property
    def names(self) -> list[str]:
        return sorted(p.name for p in self.lost)

    def _look(self, change: Change, known: set[str], wanted: int) -> None:
        now = {p.uid: p for p in change.new or ()}
        for pod in self.lost:
            seen = now.get(pod.uid)
            if seen is None or not seen.ready or seen.restarts > pod.restarts:
                self.fallen.add(pod.uid)
        if self.fallen and self.detected is None:
            self.detected = change.at
        if self.acted is None and any(uid not in known for uid in now):
            self.acted = change.at
        if self.emptied is None and self.lost and not any(p.uid in now for p in self.lost):
            self.emptied = change.at
        waiting = {p.uid for p in self.lost} - self.fallen
        ready = sum(p.ready for uid, p in now.items() if uid not in waiting)
        if self.restored is None and self.lost and ready >= wanted:
            self.restored = change.at

    def steps(self) -> list[Step]:
        found = []
        if self.detected is not None:
            found.append(Step(kind="detected", at=self.detected, what="its pods are not Ready"))
        if self.acted is not None:
            found.append(Step(kind="acted", at=self.acted, what="the first replacement was created"))
        if self.restored is not None:
            found.append(Step(kind="recovered", at=self.restored, what="as many replicas are Ready as before"))
        return found


def cut(cluster: Cluster, nodes: Collection[str]) -> None:
    """Switch nodes off, all in the same instant. Every one is tried; raises the first error afterwards."""
    _together(cluster.power_off, nodes)


@undoes
def switch_on(cluster: Cluster | None, nodes: list[str]) -> None:
    """Switch nodes on; on already is fine. Every one is tried; raises the first error afterwards."""
    assert cluster is not None
    _together(cluster.power_on, nodes)


def _together(verb: Callable[[str], None], nodes: Collection[str]) -> None:
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        done = [pool.submit(verb, node) for node in nodes]
    for one in done:
        one.result()
