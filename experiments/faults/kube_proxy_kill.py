"""F-07: kube-proxy is killed on a worker; the rules that it wrote stay in the kernel and go on working."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import inside, system_pods, workers
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched, pods_of
from experiments.scene import Scene
from fixtures.prober.config import Target
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.rest import RestError

SELECTOR = "k8s-app=kube-proxy"


class KubeProxyKill(Fault):
    """Without grace. Connections and new ones go on by the rules in place; only changes of Services wait for the
    replacement, which its DaemonSet makes. A pod of that very node is asked all the time: clients outside are led to
    other nodes as soon as this one fails, and would not notice."""

    id = "F-07"
    title = "kill kube-proxy"
    targets = {"worker": "that of the worker that runs most pods of the application"}
    soaks = True
    permissions = (
        *(Permission(verb, "pods", "", system_pods.NAMESPACE) for verb in ("delete", "get", "list")),
        inside.PERMISSION,
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        here = [p for p in system_pods.ready(scene, SELECTOR) if p.spec.node_name == node]
        if not here:
            raise NoVictimError(
                f"no Ready pod of kube-proxy ({SELECTOR}) in {system_pods.NAMESPACE} on {node}: something else "
                "serves Services here"
            )
        return system_pods.victim(here[:1], f"of {node}, which runs {count} of {total} Ready pods of {scene.app}")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return workers.alone(scene, {victim.node})

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [pods_of(scene, system_pods.NAMESPACE, SELECTOR)]

    def probes(self, scene: Scene) -> Sequence[Target]:
        """A pod on the worker that loses its proxy. None where it can't be asked; the rest is judged without it."""
        try:
            node, *_ = workers.busiest(scene)
        except (NoVictimError, RestError):
            return ()
        return inside.targets(scene, node)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return system_pods.evidence(scene, victim)

    def inject(self, scene: Scene, victim: Victim) -> None:
        system_pods.kill(scene, victim)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return system_pods.steps(changes, SELECTOR, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return [system_pods.recovery(changes, SELECTOR, injected)]
