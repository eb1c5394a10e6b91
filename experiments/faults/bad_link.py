"""F-18: a node's link is bad: slow, lossy, narrow or noisy. Nothing is down, so nobody takes the node out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.aftermath import Aftermath
from experiments.faults import workers
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.observer import Change
from experiments.result import FAIL, PASS, UNKNOWN, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, Netem
from fixtures.prober.latency import latency
from fixtures.safety.preflight import Permission, Refusal, Scenery, survivors
from fixtures.safety.undo import Undo, undoes, way_back

IMPAIRMENTS: Mapping[str, Netem] = {
    "loss": Netem(loss_percent=5),
    "bandwidth": Netem(rate_kbit=4000),
    "latency": Netem(delay_ms=100, jitter_ms=20),
    "corruption": Netem(corrupt_percent=2),
}
ENOUGH = 20  # packets that met it: fewer say nothing about a share
ONLY_WATCHED = ("control", "prometheus")


class BadLink(Fault):
    """Of the worker that runs most pods of the application, in both directions. Health checks mostly pass, so the
    access layer goes on sending there: what is judged is how many requests fail, and how late the others are."""

    id = "F-18"
    title = "make a node's link bad"
    targets = {
        "loss": "5 % of the packets are lost, each way",
        "bandwidth": "4 Mbit/s each way",
        "latency": "100 ms more each way, 20 ms more or less",
        "corruption": "in 2 % of the frames one bit is wrong, each way",
    }
    needs = frozenset({Capability.NETEM})
    permissions = (Permission("list", "nodes"), Permission("list", "pods"))

    def choose(self, scene: Scene, target: str) -> Victim:
        node, count, total = workers.busiest(scene)
        by = scene.cluster.impaired_by(IMPAIRMENTS[target])
        why = f"runs {count} of {total} Ready pods of {scene.app}; made by {by}"
        return Victim(kind="Link", name=node, node=node, why=why, target=target)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        """A link bad enough is no link."""
        return survivors(scenery, [victim.node]) + workers.alone(scene, {victim.node})

    def plan(self, victim: Victim) -> str:
        return f"{self.title}: {victim}: {self.targets[victim.target]}"

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        return way_back(mend, f"mend the link of {victim.node}", scene.cluster, {"node": victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """What the link did to packets, as whoever does it counts them."""
        return dict(scene.cluster.impaired(victim.node))

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Enough packets met it, and of loss and noise some were hit: a rule that touches nothing is no fault."""
        hits = [after[key] for key in ("lost", "corrupted", "delayed", "held back") if key in after]
        met = sum(int(after.get(key, 0)) for key in ("met", "sent", "carried"))
        return met >= ENOUGH and (not hits or any(hits))

    def inject(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.impair(victim.node, IMPAIRMENTS[victim.target])

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        losses = workers.Losses(scene, changes, {victim.node}, injected)
        return [*workers.noticed(changes, {victim.node}, injected), *losses.steps()]

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """Nothing has to recover: it is borne, not repaired."""
        return []

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        judged = [name for name in aftermath.samples if not name.startswith(ONLY_WATCHED)]
        return [check for name in judged for check in _borne(name, aftermath)]


def _borne(target: str, aftermath: Aftermath) -> list[Check]:
    """Share of failed requests and 99th percentile of the good ones while it lasted, each against its budget; the
    percentile before and after is said beside it."""
    during = aftermath.during(target)
    if not during:
        return [Check(name=f"{target}-failed-percent", verdict=UNKNOWN, message=f"{target} was not probed meanwhile")]
    failed = 100 * sum(not s.ok for s in during) / len(during)
    allowed, slowest = aftermath.budget("failed-percent"), aftermath.budget("p99")
    every = aftermath.samples[target]
    now = latency(during).p99_s
    before = latency(s for s in every if s.scheduled < aftermath.injected).p99_s
    after = latency(s for s in every if s.scheduled >= aftermath.healed).p99_s
    said = f"{failed:.2f} % of {len(during)} requests to {target} failed while it lasted, budget {allowed:g} %"
    late = f"99 % of the answers of {target} within {_ms(now)} while it lasted, budget {1000 * slowest:g} ms"
    return [
        Check(name=f"{target}-failed-percent", verdict=PASS if failed <= allowed else FAIL, message=said),
        Check(
            name=f"{target}-p99",
            verdict=PASS if now is not None and now <= slowest else FAIL,
            message=f"{late}; before {_ms(before)}, after {_ms(after)}",
        ),
    ]


def _ms(seconds: float | None) -> str:
    return "no time known" if seconds is None else f"{1000 * seconds:.0f} ms"


@undoes
def mend(cluster: Cluster | None, node: str) -> None:
    """Mend the node's link; not bad, or off, is fine."""
    assert cluster is not None
    cluster.unimpair(node)
