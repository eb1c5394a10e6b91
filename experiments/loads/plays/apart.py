"""ELA-11: one service is scaled and released; its neighbour must not notice."""

from __future__ import annotations

import time
from typing import Any

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, texts
from experiments.loads.result import Figure
from experiments.loads.stage import SUBJECT, Stage
from fixtures.load.traffic import Traffic

NEIGHBOUR = "neighbour"
REPLICAS, MANY = 2, 4
RATE, QUIET = 80.0, 30.0
ID = "ELA-11"


class Apart(Play):
    """Two services side by side, each with its own clients; one is scaled and gets a new version."""

    name = "apart"
    title = "One service is scaled and released, its neighbour is left alone"
    controls = (ID,)
    variants = {
        "reference": "each service has manifests and versions of its own",
        "one-version": "a chart that stamps every release's version on every service: all are rolled",
    }
    takes_s = 60

    def run(self, stage: Stage) -> None:
        stage.apply(*stage.manifest(), *stage.manifest(NEIGHBOUR, door=1))
        subject, neighbour = stage.workload(), stage.workload(NEIGHBOUR)
        for door, workload in enumerate((subject, neighbour)):
            stage.wait_ready(workload, REPLICAS)
            stage.wait_answering(door)
        stage.watch({"subject": subject, "neighbour": neighbour}, interval_s=0.5)
        for track, door, rate in (("subject", 0, RATE), ("neighbour", 1, QUIET)):
            given: dict[str, Any] = {"user": "plain", "shape": "soak", "peak": rate}
            stage.knock(track, Traffic(host=stage.host(door), warm=0, hold=180, cool=0, **given))
        time.sleep(4)
        stage.mark("load", f"{RATE:g} requests a second at one, {QUIET:g} at its neighbour")
        stage.mark("acted", f"scaled to {MANY}")
        stage.scale(SUBJECT, MANY)
        stage.wait_ready(subject, MANY)
        stage.mark("acted", "released")
        version = {"spec": {"template": {"metadata": {"annotations": {"evenkeel.dev/version": "2"}}}}}
        stage.patch("Deployment", SUBJECT, version)
        if stage.variant == "one-version":
            stage.patch("Deployment", NEIGHBOUR, version)
        stage.wait_ready(subject, MANY)
        stage.mark("ready", "released: complete")
        stage.mark("acted", f"scaled to {REPLICAS}")
        stage.scale(SUBJECT, REPLICAS)
        stage.wait_ready(subject, REPLICAS)
        time.sleep(2)
        stage.mark("ended", "the load ends")

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        start, end = recording.mark("load"), recording.mark("ended")
        if start is None or end is None:
            return [Figure(control=ID, name="errors", what="the play did not come to its end", budget=0)]
        beside = recording.track("neighbour")
        looks = beside.seen(start, end)
        generations = {look.generation for look in looks}
        pods = {p.name for look in looks for p in look.pods}
        failed, requests = beside.failed(start, end), beside.requests(start, end)
        before, during = beside.latency(0.99, end=start), beside.latency(0.99, start, end)
        grown = max((look.ready for look in recording.subject.seen(start, end)), default=0)
        made = [
            Figure(
                control=ID,
                name="neighbour-errors",
                what=f"{failed} of {requests} requests at the neighbour failed",
                value=failed if requests else None,
                budget=budgets.of(ID, "neighbour-errors", 0),
                unit="",
                why=texts(beside.errors(start, end)),
            ),
            Figure(
                control=ID,
                name="neighbour-versions",
                what=f"the neighbour's Deployment had {len(generations)} generation(s)",
                value=len(generations) or None,
                budget=1,
                unit="",
            ),
            Figure(
                control=ID,
                name="neighbour-pods",
                what=f"{len(pods)} different pods of the neighbour were seen",
                value=len(pods) or None,
                budget=REPLICAS,
                unit="pods",
                why=", ".join(sorted(pods)) if len(pods) > REPLICAS else "",
            ),
            Figure(
                control=ID,
                name="subject-scaled",
                what=f"the service itself was scaled to {grown} and released",
                value=grown or None,
                budget=MANY,
                unit="pods",
                at_least=True,
            ),
        ]
        if before is not None and during is not None:
            said = f"p99 at the neighbour was {during * 1000:.0f} ms, before {before * 1000:.0f} ms"
            made.append(Figure(control=ID, name="neighbour-p99", what=said, value=round(during, 4)))
        return made
