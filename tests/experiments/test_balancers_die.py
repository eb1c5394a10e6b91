"""What proves that a balancer died, who took its address over, and when. Synthetic changes, no cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from experiments.faults.balancer_kill import BalancerKill
from experiments.faults.fault import NoVictimError, Victim
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Balancer, Cluster
from fixtures.safety.preflight import Scenery
from fixtures.safety.undo import resolve

MACHINE = Victim(kind="Balancer", name="lb-1", node="lb-1")
PROCESS = Victim(kind="Proxy", name="lb-1", node="lb-1")
SCENE = cast(Scene, None)


class Pair:
    """Two balancers in memory; killing the active one moves the address."""

    provider, name = "pair", "pair"

    def __init__(self) -> None:
        self.dead: dict[str, bool] = {}
        self.holders = ["lb-1"]

    def reference(self) -> dict[str, str]:
        return {"provider": "pair"}

    def balancers(self) -> list[Balancer]:
        return [
            Balancer(name=name, address="", power="off" if self.dead.get(name) else "on", serves=name not in self.dead)
            for name in ("lb-1", "lb-2")
        ]

    def balanced_by(self) -> list[str]:
        return self.holders

    def stop_balancer(self, balancer: str, *, whole: bool) -> None:
        self.dead[balancer] = whole
        self.holders = ["lb-2"]

    def start_balancer(self, balancer: str) -> None:
        self.dead.pop(balancer, None)


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.fixture
def scene(pair: Pair) -> Scene:
    return cast(Scene, SimpleNamespace(cluster=pair))


def moved(at: float, old: tuple[str, ...], new: tuple[str, ...]) -> Change:
    return Change(at=at, since=at - 0.1, subject="balanced-address", old=old, new=new)


@pytest.mark.parametrize("target", ["machine", "process"])
def test_it_is_proven_by_the_victims_death_and_undone_by_a_start(pair: Pair, scene: Scene, target: str) -> None:
    fault = BalancerKill()
    victim = fault.choose(scene, target)
    before = fault.evidence(scene, victim)
    assert not fault.proven(before, fault.evidence(scene, victim))
    fault.inject(scene, victim)
    assert fault.proven(before, fault.evidence(scene, victim))
    back = fault.way_back(scene, victim)
    assert back is not None
    resolve(back.function)(cast(Cluster, pair), **back.args)
    assert pair.dead == {}


@pytest.mark.parametrize("target", ["machine", "process"])
def test_it_is_proven_where_nobody_takes_the_address_over(pair: Pair, scene: Scene, target: str) -> None:
    fault = BalancerKill()
    victim = fault.choose(scene, target)
    before = fault.evidence(scene, victim)
    fault.inject(scene, victim)
    pair.holders = [victim.name]
    assert fault.proven(before, fault.evidence(scene, victim))


def test_an_address_that_moved_by_itself_proves_nothing(pair: Pair, scene: Scene) -> None:
    before = BalancerKill().evidence(scene, MACHINE)
    pair.holders = ["lb-2"]
    assert not BalancerKill().proven(before, BalancerKill().evidence(scene, MACHINE))


@pytest.mark.parametrize("holders", [[], ["lb-1", "lb-2"]])
def test_without_exactly_one_holder_there_is_no_active_balancer(pair: Pair, scene: Scene, holders: list[str]) -> None:
    pair.holders = holders
    with pytest.raises(NoVictimError, match="not by one"):
        BalancerKill().choose(scene, "machine")


def test_the_last_serving_balancer_is_spared(pair: Pair, scene: Scene) -> None:
    assert BalancerKill().blast(scene, cast(Scenery, None), MACHINE) == []
    pair.dead["lb-2"] = False
    [refusal] = BalancerKill().blast(scene, cast(Scenery, None), MACHINE)
    assert "no other balancer serves" in str(refusal)


def test_the_address_is_taken_over_when_only_another_has_it() -> None:
    changes: list[Any] = [
        moved(0.5, ("lb-2",), ("lb-1",)),  # before the fault
        moved(1.2, ("lb-1",), ()),
        moved(2.9, (), ("lb-2",)),
    ]
    [taken] = BalancerKill().recoveries(SCENE, MACHINE, changes, 1.0)
    assert (taken.name, round(taken.seconds or 0, 3)) == ("takeover", 1.9)
    assert [s.what for s in BalancerKill().steps(SCENE, MACHINE, changes, 1.0)] == ["lb-2 has the balanced address"]
    assert not BalancerKill().over(SCENE, PROCESS, changes[:2], 1.0)
