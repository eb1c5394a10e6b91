"""ELA-04: twice the pods, twice the throughput, when pods and not something they share are the limit."""

from __future__ import annotations

import time

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording
from experiments.loads.result import Figure
from experiments.loads.stage import SUBJECT, Stage
from fixtures.load.traffic import Traffic

FEW = 2
MILLICORES = 60  # that a pod may use: so small that the machine is never the limit
RATE = 150.0  # more than twice the pods can answer
MEASURED_S, SETTLE_S = 12.0, 4.0
ID = "ELA-04"


class TwiceThePods(Play):
    """Pods held at a CPU quota, asked for more than they can give: first N of them, then 2N."""

    name = "twice-the-pods"
    title = "Twice the pods answer twice as much"
    controls = (ID,)
    variants = {
        "reference": "each pod is limited by its own CPU quota",
        "no-room": "a ResourceQuota that has room for N pods only",
    }
    takes_s = 60

    def run(self, stage: Stage) -> None:
        deployment, service = stage.manifest()
        deployment["spec"]["replicas"] = FEW
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        container["resources"] = {
            "requests": {"cpu": f"{MILLICORES}m", "memory": "32Mi"},
            "limits": {"cpu": f"{MILLICORES}m", "memory": "128Mi"},
        }
        # A pod at its limit answers late, but it answers.
        container["readinessProbe"] |= {"timeoutSeconds": 5, "failureThreshold": 10}
        subject = stage.workload()
        if stage.variant == "no-room":
            stage.apply(
                {
                    "apiVersion": "v1",
                    "kind": "ResourceQuota",
                    "metadata": {"name": "tight"},
                    "spec": {"hard": {"pods": str(FEW)}},
                }
            )
        stage.apply(deployment, service)
        stage.wait_ready(subject, FEW)
        stage.wait_answering()
        stage.watch({"subject": subject})
        traffic = Traffic(
            user="cpu",
            shape="soak",
            host=stage.host(),
            peak=RATE,
            per_user=3,
            warm=0,
            hold=120,
            cool=0,
            parameters={"timeout": 15},
        )
        stage.knock("subject", traffic)
        stage.mark("load", f"{RATE:g} requests a second, more than the pods can answer")
        time.sleep(SETTLE_S)
        _measure(stage, "few", f"{FEW} pods")
        stage.mark("acted", f"scaled to {2 * FEW}")
        stage.scale(SUBJECT, 2 * FEW)
        if stage.variant == "reference":
            stage.wait_ready(subject, 2 * FEW)
            stage.mark("ready", f"{2 * FEW} pods Ready")
        time.sleep(SETTLE_S)
        _measure(stage, "many", f"{2 * FEW} pods")
        stage.mark("ended", "the load ends")

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track, rates = recording.subject, {}
        for size in ("few", "many"):
            start, end = recording.values.get(f"{size}_from"), recording.values.get(f"{size}_to")
            rates[size] = None if start is None or end is None else track.rate(start, end)
        few, many = rates["few"], rates["many"]
        ratio = many / few if few and many is not None else None
        said = f"{few:.0f} requests a second with {FEW} pods, {many:.0f} when {2 * FEW} were asked for" if ratio else ""
        return [
            Figure(
                control=ID,
                name="throughput-gain",
                what=f"{said}: {ratio:.2f} times as much" if ratio else "throughput at both sizes",
                value=ratio,
                budget=budgets.of(ID, "throughput-gain", 1.6),
                unit="×",
                at_least=True,
            ),
            Figure(
                control=ID,
                name="saturated",
                what=f"{few:.0f} of {RATE:g} requests a second were answered by {FEW} pods" if few else "throughput",
                value=few,
                budget=RATE / 2,
                unit="a second",
                why="" if few and few <= RATE / 2 else "the pods were not the limit: ask for more",
            ),
        ]


def _measure(stage: Stage, size: str, what: str) -> None:
    stage.values[f"{size}_from"] = stage.mark("acted", f"measuring {what}")
    time.sleep(MEASURED_S)
    stage.values[f"{size}_to"] = time.monotonic()
