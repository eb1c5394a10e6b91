"""F-20: the balancer in front of the API servers and the application dies; another must take its address over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import Change, Watched
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.rest import RestError
from fixtures.safety.undo import Undo, undoes, way_back

SUBJECT = "balanced-address"
MACHINE, PROCESS = "Balancer", "Proxy"
LOOK_S = 0.1


class BalancerKill(Fault):
    """The one that has the balanced address. Every client's connection goes through it and is lost; what is judged is
    when the next one succeeds."""

    id = "F-20"
    title = "kill the active balancer"
    targets = {
        "machine": "the machine that has the balanced address: its neighbours must miss it",
        "process": "the proxy on that machine, for good: its machine must notice and give the address up",
    }
    needs = frozenset({Capability.LOAD_BALANCER})
    watches_leaders = True
    permissions = (Permission("list", "nodes"),)

    def choose(self, scene: Scene, target: str) -> Victim:
        name = _holder(scene.cluster)
        kind = MACHINE if target == "machine" else PROCESS
        return Victim(kind=kind, name=name, node=name, why="has the balanced address")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        others = [b for b in scene.cluster.balancers() if b.name != victim.name]
        if any(b.power == "on" and b.serves for b in others):
            return []
        return [
            Refusal(
                object=str(victim),
                value=f"no other balancer serves: {', '.join(b.name for b in others) or 'there is none'}",
                next="nobody could take the address over: start a second one",
            )
        ]

    def watches(self, scene: Scene) -> Sequence[Watched]:
        def look() -> Mapping[str, Any]:
            try:
                return {SUBJECT: tuple(scene.cluster.balanced_by())}
            except ClusterError as error:
                raise RestError(f"the balancers can't be looked at: {error}") from error

        return [Watched(name=SUBJECT, look=look, every_s=LOOK_S)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        return way_back(start_again, f"start {victim.name} again", scene.cluster, {"balancer": victim.name})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """What became of the victim. Whether anybody takes the address over is the question, not the proof."""
        found = next(b for b in scene.cluster.balancers() if b.name == victim.name)
        state = found.power if victim.kind == MACHINE else ("runs" if found.serves else "dead")
        return {f"{victim.kind.lower()} {victim.name}": state}

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.stop_balancer(victim.name, whole=victim.kind == MACHINE)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        taken = _taken(changes, victim, injected)
        if taken is None:
            return []
        return [Step(kind="acted", at=taken.at, what=f"{taken.new[-1]} has the balanced address")]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        taken = _taken(changes, victim, injected)
        seconds = None if taken is None else taken.at - injected
        return [Recovery(name="takeover", seconds=seconds, what="another balancer has the balanced address")]


def _holder(cluster: Cluster) -> str:
    """The one balancer that has the address. Raises `NoVictimError` when none has it, or two."""
    holders = cluster.balanced_by()
    if len(holders) != 1:
        raise NoVictimError(f"the balanced address of {cluster.name} is held by {holders or 'nobody'}, not by one")
    return holders[0]


def _taken(changes: Sequence[Change], victim: Victim, injected: float) -> Change | None:
    """The first look after the injection at which only others had the address."""
    for change in changes:
        if change.subject == SUBJECT and change.at > injected and change.new and victim.name not in change.new:
            return change
    return None


@undoes
def start_again(cluster: Cluster | None, balancer: str) -> None:
    """Switch the balancer on and start what it runs; running already is fine."""
    assert cluster is not None
    cluster.start_balancer(balancer)
