"""ELA-05: more replicas and fewer again, by hand, under load."""

from __future__ import annotations

import time

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, texts
from experiments.loads.result import Figure
from experiments.loads.stage import SUBJECT, Stage
from experiments.loads.unready import carelessly
from fixtures.load.traffic import Traffic

FEW, MANY = 2, 5
RATE = 100.0


class ManualScaling(Play):
    """2 → 5 → 2 replicas at 100 requests a second, with kept connections, as clients have them."""

    name = "manual-scaling"
    title = "A service is scaled up and down by hand under load"
    controls = ("ELA-05",)
    variants = {
        "graceful": "pods that say that they leave, and serve on for a while",
        "careless": "pods without readiness probe, killed at once, published until forgotten: requests are lost",
    }
    takes_s = 45

    def run(self, stage: Stage) -> None:
        deployment, service = stage.manifest()
        if stage.variant == "careless":
            carelessly(deployment, service)
        subject = stage.workload()
        stage.apply(deployment, service)
        stage.wait_ready(subject, FEW)
        stage.wait_answering()
        stage.watch({"subject": subject}, interval_s=0.5)
        stage.knock(
            "subject", Traffic(user="plain", shape="soak", host=stage.host(), peak=RATE, warm=0, hold=90, cool=0)
        )
        time.sleep(4)
        stage.mark("load", f"{RATE:g} requests a second")
        for size in (MANY, FEW):
            stage.mark("acted", f"scaled to {size}")
            stage.scale(SUBJECT, size)
            stage.wait_ready(subject, size)
            stage.mark("ready", f"{size} pods Ready")
            time.sleep(3)
        stage.mark("ended", "the load ends")

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track = recording.subject
        start, end = recording.mark("load"), recording.mark("ended")
        if start is None or end is None:
            return [Figure(control="ELA-05", name="errors", what="the play did not come to its end", budget=0)]
        failed, requests = track.failed(start, end), track.requests(start, end)
        sizes = sorted({look.ready for look in track.seen(start, end)})
        return [
            Figure(
                control="ELA-05",
                name="errors",
                what=f"{failed} of {requests} requests failed",
                value=failed if requests else None,
                budget=budgets.of("ELA-05", "errors", 0),
                unit="",
                why=texts(track.errors(start, end)),
            ),
            Figure(
                control="ELA-05",
                name="scaled-to",
                what=f"between {min(sizes, default=0)} and {max(sizes, default=0)} pods were Ready",
                value=float(max(sizes, default=0)),
                budget=MANY,
                unit="",
                at_least=True,
            ),
        ]
