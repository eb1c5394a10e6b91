"""F-45: no API server runs any more; whatever serves must go on serving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.observer import Change
from experiments.result import Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission
from fixtures.safety.undo import Undo, undoes, way_back

if TYPE_CHECKING:
    from experiments.aftermath import Aftermath

COMPONENT = "kube-apiserver"
MANIFEST = f"/etc/kubernetes/manifests/{COMPONENT}.yaml"
ASIDE = f"/etc/kubernetes/{COMPONENT}.yaml.aside"  # on the same disk, and out of the kubelet's sight


class ControlPlaneDown(Fault):
    """The manifest of every API server is put aside, and its process killed: its kubelet has nothing to restart.

    What runs knows where its peers are: proxies keep their rules, kubelets their containers, DNS its last answers.
    """

    id = "F-45"
    title = "stop every API server"
    targets = {"api-servers": "all of them, at once"}
    needs = frozenset({Capability.NODE_EXEC})
    exceeds = "every API server stops: nothing can be changed, scheduled or repaired until they are back"
    stops = frozenset({"api-read", "api-write"})
    permissions = (Permission("list", "pods", namespace="kube-system"),)
    watches_leaders = True

    def choose(self, scene: Scene, target: str) -> Victim:
        nodes = sorted({p.spec.node_name for p in scene.scenery().component(COMPONENT)})
        if not nodes:
            raise NoVictimError(f"no pod of {COMPONENT} in kube-system; is the control plane visible here?")
        return Victim(kind="Nodes", name=",".join(nodes), why=f"the {len(nodes)} that run an API server")

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        nodes = victim.name.split(",")
        return way_back(put_back, f"start {COMPONENT} on {', '.join(nodes)} again", scene.cluster, {"nodes": nodes})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {f"{COMPONENT} on {node}": _running(scene.cluster, node) for node in victim.name.split(",")}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return set(before.values()) == {"runs"} and set(after.values()) == {"does not run"}

    def inject(self, scene: Scene, victim: Victim) -> None:
        nodes = victim.name.split(",")
        for node in nodes:
            _do(scene.cluster, node, ["mv", MANIFEST, ASIDE])
        for node in nodes:
            scene.cluster.kill(node, COMPONENT)

    def over(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> bool:
        """Nothing recovers before it is healed."""
        return True

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        return [aftermath.returned("api-read"), aftermath.returned("api-write"), aftermath.refused("api-write")]


def _running(cluster: Cluster, node: str) -> str:
    return "runs" if cluster.exec(node, ["pgrep", "-f", f"^{COMPONENT} "]).returncode == 0 else "does not run"


def _do(cluster: Cluster, node: str, argv: Sequence[str]) -> None:
    done = cluster.exec(node, argv)
    if done.returncode:
        raise ClusterError(f"{' '.join(argv)} on {node}: {done.stderr.strip() or done.returncode}")


@undoes
def put_back(cluster: Cluster | None, nodes: list[str]) -> None:
    """Let every kubelet find the manifest again; there already is fine. A node that is off is left to whoever switched
    it off. Every node is tried; raises the first error afterwards."""
    assert cluster is not None
    off = {n.name for n in cluster.nodes() if n.power == "off"}
    errors = []
    for node in nodes:
        if node in off:
            continue
        try:
            _do(cluster, node, ["sh", "-c", f"[ ! -e {ASIDE} ] || mv {ASIDE} {MANIFEST}"])
        except ClusterError as error:
            errors.append(error)
    if errors:
        raise errors[0]
