"""F-11: an API server is killed; the others serve on behind the balancer, and its kubelet restarts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from experiments.faults import static_pods
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, ClusterError
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Permission, Refusal, Scenery

COMPONENT = "kube-apiserver"


class ApiServerKill(Fault):
    """SIGKILL to the process of the static pod, in its node."""

    id = "F-11"
    title = "kill an API server"
    targets = {"any": "the one with the fewest restarts", "leader": "that of the node whose controller-manager leads"}
    soaks = True
    needs = frozenset({Capability.NODE_EXEC})
    watches_leaders = True
    permissions = (Permission("list", "pods", namespace="kube-system"),)
    proof_within_s = 60.0

    def choose(self, scene: Scene, target: str) -> Victim:
        pods = sorted((p for p in scene.scenery().component(COMPONENT) if p.ready), key=_restarts)
        if target == "leader":
            from experiments.faults.elections import leader

            node = leader(scene, "kube-controller-manager")[0]
            pods = [p for p in pods if p.spec.node_name == node]
        if not pods:
            raise NoVictimError(f"no Ready pod of {COMPONENT} in kube-system; is the control plane visible here?")
        pod = pods[0]
        return Victim(
            kind="Pod",
            name=pod.name,
            namespace=pod.namespace,
            node=pod.spec.node_name,
            uid=pod.container_id(COMPONENT),
            why=f"on {pod.spec.node_name}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        others = [p for p in scenery.component(COMPONENT) if p.ready and p.name != victim.name]
        if others:
            return []
        return [
            Refusal(
                object=COMPONENT,
                value=f"{victim.name} is the only Ready one",
                next="nobody could serve meanwhile: use a cluster with several API servers",
            )
        ]

    def restarts(self, victim: Victim) -> Collection[str]:
        return {victim.name}

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        pod = scene.pod(victim.namespace, victim.name)
        if pod is None:
            raise ClusterError(f"pod {victim.namespace}/{victim.name} has no mirror in the API at the moment")
        container = next((c for c in pod.status.container_statuses or () if c.name == COMPONENT), None)
        if container is None or not container.container_id:
            raise ClusterError(f"pod {victim.namespace}/{victim.name} has no container {COMPONENT} at the moment")
        return {"container id": container.container_id, "restarts": container.restart_count}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return bool(before["container id"] != after["container id"] and after["restarts"] > before["restarts"])

    def inject(self, scene: Scene, victim: Victim) -> None:
        if not scene.cluster.kill(victim.node, COMPONENT):
            raise ClusterError(f"node {victim.node} runs no process {COMPONENT}; see `evenkeel lab status`")

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return static_pods.steps(changes, victim.name, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return [static_pods.restarted(changes, victim.name, injected)]


def _restarts(pod: Pod) -> tuple[int, str]:
    """The kubelet waits longer before every further restart: one that was killed lately would come back late."""
    return sum(c.restart_count for c in pod.status.container_statuses or ()), pod.name
