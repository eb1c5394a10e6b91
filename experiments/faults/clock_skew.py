"""F-22: the clock of one component is wrong. Elections must not depend on what anybody's clock says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from experiments.faults import elections
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.undo import Undo, undoes, way_back

TOLERANCE_S = 30  # of what is reported, which is as old as the last renewal, or as a busy machine's answer
SKEWS: Mapping[str, int] = {"leader-ahead": 3600, "leader-behind": -3600, "scheduler-ahead": 3600, "api-server": -600}
COMPONENTS: Mapping[str, str] = {
    "leader-ahead": "kube-controller-manager",
    "leader-behind": "kube-controller-manager",
    "scheduler-ahead": "kube-scheduler",
    "api-server": "kube-apiserver",
}


class ClockSkew(Fault):
    """Only what the component believes the time of day to be: the node's clock, and how fast time passes, stay as they
    are. Candidates count from when they *saw* a renewal, so its timestamp may say anything: the leader goes on leading,
    and nobody else begins."""

    id = "F-22"
    title = "let a component's clock be wrong"
    targets = {
        "leader-ahead": "the leading controller-manager, by an hour ahead",
        "leader-behind": "the leading controller-manager, by an hour behind",
        "scheduler-ahead": "the leading scheduler, by an hour ahead",
        "api-server": "the API server beside the leading controller-manager, by ten minutes behind",
    }
    needs = frozenset({Capability.CLOCK, Capability.NODE_EXEC})
    watches_leaders = True
    permissions = (
        Permission("get", "leases", "coordination.k8s.io", "kube-system"),
        Permission("list", "pods", namespace="kube-system"),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        component = COMPONENTS[target]
        led = component if component in elections.LEADERS else elections.LEADERS[0]
        node, holder, _ = elections.leader(scene, led)
        if not holder:
            raise NoVictimError(f"Lease kube-system/{led} has no holder; wait for a leader")
        why = f"leads, on {node}" if led == component else f"on {node}, beside the leading {led}"
        return Victim(kind="Process", name=component, node=node, uid=holder, why=why, target=target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        """Whoever can't bear it must have somebody who takes over."""
        return elections.no_successor(scenery, victim.name, victim.node)

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {victim} by {SKEWS[victim.target]:+d} s"

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"set the clock of {victim.name} on {victim.node} right"
        return way_back(set_right, text, scene.cluster, {"node": victim.node, "process": victim.name})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """By how much the component's own words are off: a renewal's timestamp, an answer's date."""
        if victim.name == "kube-apiserver":
            return {f"seconds that the date of {victim.name} on {victim.node} is off": _date_off(scene, victim.node)}
        lease = scene.lease(victim.name)
        renewed = datetime.fromisoformat(lease.spec.renew_time or "")
        off = (renewed - datetime.now(UTC)).total_seconds()
        return {f"seconds that the renewal by {lease.spec.holder_identity} is off": round(off)}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """The same component (a new leader is another key) is off now by what was asked for, and was not before."""
        keys = before.keys() & after.keys()
        return bool(keys) and all(
            abs(before[key]) <= TOLERANCE_S and any(abs(after[key] - s) <= TOLERANCE_S for s in SKEWS.values())
            for key in keys
        )

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.skew_clock(victim.node, victim.name, SKEWS[victim.target])
        if not any(scene.cluster.clock_skew(victim.node, victim.name).values()):
            raise ClusterError(f"node {victim.node} runs no process {victim.name}; is {victim.uid!r} on another node?")

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return elections.steps(changes, elections.LEADERS, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """Nothing has to recover: nothing may break."""
        return []

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        """Whoever led before leads on: a wrong clock alone is no reason to take over."""
        taken = [c for c in elections.LEADERS if elections.takeover(changes, c, injected) is not None]
        if taken:
            said = f"{', '.join(taken)} changed hands although only a clock was wrong"
            return [Check(name="leader-stays", verdict=FAIL, message=said)]
        return [Check(name="leader-stays", verdict=PASS, message="no leader changed")]


def _date_off(scene: Scene, node: str) -> int:
    """Asked of that very API server, on its node: the balanced address may lead to any. Raises `ClusterError`."""
    argv = ["kubectl", "--server=https://127.0.0.1:6443", "--request-timeout=4s", "get", "--raw=/readyz", "--v=8"]
    done = scene.cluster.exec(node, argv, timeout_s=8.0)
    date = re.search(r"\bDate: (.* GMT)", done.stderr)
    if date is None:
        raise ClusterError(f"the API server on {node} says no date: {(done.stderr or done.stdout).strip()[-200:]}")
    return round((parsedate_to_datetime(date[1]) - datetime.now(UTC)).total_seconds())


@undoes
def set_right(cluster: Cluster | None, node: str, process: str) -> None:
    """Let the process see the right time; one that ended, or whose node is off, has nothing to mend."""
    assert cluster is not None
    if any(n.name == node and n.power == "off" for n in cluster.nodes()):
        return
    cluster.skew_clock(node, process, 0)
