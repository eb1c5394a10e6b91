"""F-44: of a Service's three pods one is deleted, or stops being ready."""

from __future__ import annotations

import time
from collections.abc import Sequence

from experiments.faults import endpoints, own_pods
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.result import Check
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.objects import Pod
from fixtures.safety.preflight import Refusal, Scenery
from fixtures.safety.rest import name
from fixtures.safety.undo import Undo, way_back

DELETED, UNREADY = "deleted", "unready"
HELD_S = 4.0  # how long it is not ready: traffic has time to come, if it still comes
LEAVES_WITHIN_S = 30.0
WITHOUT = endpoints.REPLICAS - 1


class EndpointLoss(Fault):
    """The Service and its pods are ours, because ours can be told apart by their answers, and because a readiness gate
    closes without a word to the process: it would answer, so that traffic which still comes is seen."""

    id = "F-44"
    title = "take an endpoint from a Service"
    targets = {DELETED: "its pod is deleted", UNREADY: "its pod is not ready for a while"}
    permissions = endpoints.PERMISSIONS
    proof_within_s = 60.0

    def choose(self, scene: Scene, target: str) -> Victim:
        why = f"made for it with {endpoints.REPLICAS} pods, one of which is {target}"
        return Victim(kind="Service", name=endpoints.SERVICE, namespace=NAMESPACE, why=why, target=target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        if not endpoints.pods(scene):
            return []
        left = "a run that died left it: `evenkeel chaos heal`"
        return [Refusal(object=str(victim), value="is there already", next=left)]

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [endpoints.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"remove Service {NAMESPACE}/{victim.name} and its pods"
        return way_back(endpoints.remove, text, scene.cluster)

    def set_up(self, scene: Scene, victim: Victim) -> None:
        endpoints.make(scene)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """Which pods there are, and since when each is Ready: a moment of not being ready shows for good."""
        return {"pods of the Service": ", ".join(f"{p.name} {_since(p)}" for p in endpoints.pods(scene))}

    def inject(self, scene: Scene, victim: Victim) -> None:
        pod = endpoints.pods(scene)[0].name
        if victim.target == DELETED:
            scene.rest.delete(f"{own_pods.PATH}/{name(pod)}", missing_ok=False)
            return
        endpoints.gate(scene.rest, pod, open=False)
        deadline = time.monotonic() + LEAVES_WITHIN_S
        while pod in endpoints.listed(scene):
            if time.monotonic() > deadline:
                raise ClusterError(f"pod {NAMESPACE}/{pod} is not ready, and an endpoint after {LEAVES_WITHIN_S:.0f} s")
            time.sleep(0.1)
        time.sleep(HELD_S)
        endpoints.gate(scene.rest, pod, open=True)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        out, back = _out_and_back(changes, injected)
        found = []
        if out is not None:
            found.append(Step(kind="detected", at=out, what=f"the Service offers {WITHOUT} pods"))
        if back is not None:
            found.append(Step(kind="recovered", at=back, what=f"the Service offers {endpoints.REPLICAS} pods again"))
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        out, back = _out_and_back(changes, injected)
        held = HELD_S if victim.target == UNREADY else 0.0
        left = None if out is None else out - injected
        again = None if back is None or out is None else max(0.0, back - out - held)
        return [
            Recovery(name="left", seconds=left, what="it left the Service's list"),
            Recovery(name="complete", seconds=again, what="the Service's list was complete again"),
        ]

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        seen = endpoints.looks(changes, injected)
        return [endpoints.counted(seen), endpoints.reached(seen)]


def _out_and_back(changes: Sequence[Change], injected: float) -> tuple[float | None, float | None]:
    """When the list was first shorter, and then complete again."""
    seen = endpoints.looks(changes, injected)
    out = next((at for at, look in seen if at > injected and len(look.listed) < endpoints.REPLICAS), None)
    full = (at for at, look in seen if out is not None and at > out and len(look.listed) == endpoints.REPLICAS)
    return out, next(full, None)


def _since(pod: Pod) -> str:
    """When its readiness changed last."""
    return next((c.last_transition_time or "" for c in pod.status.conditions or () if c.type == "Ready"), "")
