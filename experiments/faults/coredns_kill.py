"""F-19: the cluster's DNS loses one of its pods, or all of them."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.faults import inside, system_pods
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched, pods_of
from experiments.scene import Scene
from fixtures.prober.config import Target
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.rest import RestError

SELECTOR = "k8s-app=kube-dns"


class CorednsKill(Fault):
    """Without grace. Meanwhile a pod of the application is asked, through the API, to resolve a name as any program in
    the cluster would: by the resolver of its own container."""

    id = "F-19"
    title = "kill CoreDNS"
    targets = {"one": "one of its pods", "all": "all of its pods at once"}
    soaks = True
    permissions = (
        *(Permission(verb, "pods", "", system_pods.NAMESPACE) for verb in ("delete", "get", "list")),
        inside.PERMISSION,
    )

    def choose(self, scene: Scene, target: str) -> Victim:
        pods = system_pods.ready(scene, SELECTOR)
        if not pods:
            raise NoVictimError(
                f"no Ready pod with label {SELECTOR} in {system_pods.NAMESPACE}; is DNS named otherwise?"
            )
        try:
            answered = inside.answered(scene)
        except RestError as error:
            raise NoVictimError(
                f"how names are resolved inside can't be measured: {scene.app} does not answer /dial as agnhost's "
                f"netexec does ({error}); name one that does with --app"
            ) from error
        if not answered:
            raise NoVictimError(
                f"{inside.QUESTION['host']} can't be resolved before anything is broken; mend DNS first"
            )
        chosen = pods if target == "all" else pods[:1]
        return system_pods.victim(chosen, f"{len(chosen)} of {len(pods)} Ready")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        sick = [p.name for p in system_pods.every(scene, SELECTOR) if not p.ready]
        if not sick:
            return []
        return [Refusal(object=f"Pod {sick[0]}", value="not Ready", next="DNS is already reduced: wait for it")]

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [pods_of(scene, system_pods.NAMESPACE, SELECTOR)]

    def probes(self, scene: Scene) -> Sequence[Target]:
        """One pod of the application, which this fault leaves alone. None where it can't be asked: `choose` says so."""
        return inside.targets(scene)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return system_pods.evidence(scene, victim)

    def inject(self, scene: Scene, victim: Victim) -> None:
        system_pods.kill(scene, victim)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        return system_pods.steps(changes, SELECTOR, injected)

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        return [system_pods.recovery(changes, SELECTOR, injected)]
