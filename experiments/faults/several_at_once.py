"""F-29: several nodes fail: a master and a worker in the same instant, or every worker in its turn."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from experiments.faults import elections, etcd, nodes_lost, workers
from experiments.faults.fault import NoVictimError, Recovery, Step, Victim
from experiments.faults.zone_outage import ZoneOutage
from experiments.observer import Change
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.preflight import Refusal, Scenery, survivors

PAIR, ROLLING = "pair", "rolling"
HEALTHY_WITHIN_S = 90.0
SETTLED_S = 3.0  # as long as a dead node may go unnoticed: what seems healthy before has not been looked at


class SeveralAtOnce(ZoneOutage):
    """The pair is a zone outage that no zone foresees: who would notice the dead worker falls together with it. In turn
    it is the update of all nodes: each comes back, and all is well, before the next one goes."""

    id = "F-29"
    title = "lose several nodes"
    targets = {
        PAIR: "the master that leads etcd and the worker that runs most pods of the application, at once",
        ROLLING: "every worker is rebooted, one after the other, each when all is well again",
    }
    soaks = True

    def choose(self, scene: Scene, target: str) -> Victim:
        if target == ROLLING:
            nodes = sorted(n.name for n in scene.nodes() if not n.control_plane)
            if len(nodes) < 2:
                raise NoVictimError(f"{scene.cluster.name} has {len(nodes)} worker(s): in turn needs two at least")
            why = "one after the other"
        else:
            leader = etcd.leadership(scene).leader
            worker, count, total = workers.busiest(scene)
            nodes = [leader, worker]
            also = [f"leads {c}" for c in elections.leads(scene, leader)]
            why = ", ".join(["leads etcd", *also, f"runs {count} of {total} Ready pods of {scene.app}"])
        return Victim(kind="Nodes", name=", ".join(nodes), node=",".join(nodes), why=why, target=target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        if victim.target == PAIR:
            return super().blast(scene, scenery, victim)
        return [r for n in nodes_lost.nodes(victim) for r in survivors(scenery, [n]) + workers.alone(scene, {n})]

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {victim}"

    def inject(self, scene: Scene, victim: Victim) -> None:
        """In turn: returns when the last one is back. Raises `ClusterError` when one does not get well."""
        if victim.target == PAIR:
            workers.cut(scene.cluster, nodes_lost.nodes(victim))
            return
        for node in nodes_lost.nodes(victim):
            scene.cluster.reboot(node)
            _wait_until_well(scene, node)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        if victim.target == PAIR:
            return super().steps(scene, victim, changes, injected)
        return workers.noticed(changes, nodes_lost.nodes(victim), injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return super().recoveries(scene, victim, changes, injected) if victim.target == PAIR else []

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        return victim.target == ROLLING or super().over(scene, victim, changes, injected)

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        return [one_at_a_time(changes, nodes_lost.nodes(victim), injected)] if victim.target == ROLLING else []


def one_at_a_time(changes: Sequence[Change], nodes: Collection[str], injected: float) -> Check:
    """Never two of the nodes not Ready together: then one had not been waited for. Pure."""
    down: set[str] = set()
    most: set[str] = set()
    for change in changes:
        kind, _, node = change.subject.partition("/")
        if kind == "node" and node in nodes and change.at > injected:
            (down.discard if change.new == "Ready" else down.add)(node)
            most = max(most, set(down), key=len)
    name = "one-at-a-time"
    if len(most) > 1:
        return Check(name=name, verdict=FAIL, message=f"{', '.join(sorted(most))} were not Ready at the same time")
    said = "of the nodes rebooted in turn never two were not Ready together"
    return Check(name=name, verdict=PASS, message=said)


def _wait_until_well(scene: Scene, node: str) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    since: float | None = None
    while since is None or time.monotonic() - since < SETTLED_S:
        troubles = scene.troubles()
        since = None if troubles else since or time.monotonic()
        if time.monotonic() > deadline:
            why = "; ".join(troubles) or "it was well for a moment only"
            raise ClusterError(f"not healthy {HEALTHY_WITHIN_S:.0f} s after the reboot of {node}: {why}")
        time.sleep(0.2)
