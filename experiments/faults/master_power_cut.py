"""F-10: a control-plane node loses power: every process on it is gone at once."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import elections, etcd
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim, first
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum, survivors
from fixtures.safety.undo import Undo, undoes, way_back

CONTROL_PLANE = "control-plane"


class MasterPowerCut(Fault):
    """The node that leads etcd, or one that doesn't. Whatever else leads on it falls with it."""

    id = "F-10"
    title = "cut the power of a master"
    targets = {"leader": "the master that leads etcd", "follower": "a master that does not lead etcd"}
    soaks = True
    needs = frozenset({Capability.NODE_POWER})
    watches_leaders = True
    permissions = (
        Permission("create", "pods/exec", namespace="kube-system"),
        Permission("get", "leases", "coordination.k8s.io", "kube-system"),
        Permission("list", "nodes"),
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        masters = sorted(n.name for n in scene.cluster.nodes() if n.role == CONTROL_PLANE)
        state = etcd.leadership(scene)
        wanted = [m for m in masters if (m == state.leader) == (target == "leader")]
        if not wanted:
            raise NoVictimError(
                f"etcd is led by {state.leader!r}, which is no master of {scene.cluster.name}: {masters}"
            )
        also = elections.leads(scene, wanted[0])
        why = f"{'leads' if target == 'leader' else 'follows in'} etcd"
        return Victim(kind="Node", name=wanted[0], node=wanted[0], why=", ".join([why, *(f"leads {c}" for c in also)]))

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return quorum(scenery, [victim.node]) + survivors(scenery, [victim.node])

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        return way_back(switch_on, f"switch {victim.node} on again", scene.cluster, {"node": victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        boot = scene.cluster.boot_id(victim.node)
        state = etcd.leadership(scene, avoid=() if boot else [victim.node])
        seen: dict[str, object] = {
            f"boot id of {victim.node}": boot or "off",
            "etcd leader": state.leader,
            "etcd term": state.term,
        }
        for component in elections.LEADERS:
            seen[f"{component} leader"] = elections.leader(scene, component)[1]
        return seen

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """The boot id must differ; and where the node led etcd, somebody else must lead it in a later term."""
        boot = next(key for key in before if key.startswith("boot id"))
        if after[boot] == before[boot]:
            return False
        led = boot.endswith(f" {before['etcd leader']}")
        return not led or (after["etcd leader"] != before["etcd leader"] and after["etcd term"] > before["etcd term"])

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.power_off(victim.node)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        found = elections.steps(changes, elections.LEADERS, injected)
        node = f"node/{victim.node}"
        lost = first(changes, injected, node)
        if lost is not None and lost.new != "Ready":
            found.append(Step(kind="detected", at=lost.at, what=f"node {victim.node} is not Ready"))
            back = first(changes, lost.at, node)
            if back is not None and back.new == "Ready":
                found.append(Step(kind="recovered", at=back.at, what=f"node {victim.node} is Ready again"))
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return elections.recoveries(changes, [c for c in elections.LEADERS if f"leads {c}" in victim.why], injected)

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Also the new controller-manager must have noticed: with the old one its memory of the node is gone too."""
        noticed = any(s.kind == "detected" for s in self.steps(scene, victim, changes, injected))
        return noticed and super().over(scene, victim, changes, injected)


@undoes
def switch_on(cluster: Cluster | None, node: str) -> None:
    """Switch the node on; on already is fine."""
    assert cluster is not None
    cluster.power_on(node)
