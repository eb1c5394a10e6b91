"""ELA-07: nobody asks and nothing runs; somebody asks, and is served by what was not there when they began to."""

from __future__ import annotations

from experiments.loads import keda
from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, since, texts
from experiments.loads.result import Figure
from experiments.loads.stage import NODE_PORTS, Stage
from fixtures.load.traffic import Traffic
from fixtures.subjects import sleeper

CONTROL = "ELA-07"
TRACK = "sleeper"
RATE, HOLD_S = 4.0, 12.0


class ScaleToZero(Play):
    """KEDA takes a quiet service to zero, requests come, and it goes back to zero after them."""

    name = "scale-to-zero"
    title = "A service at zero pods is asked for"
    controls = (CONTROL,)
    variants = {
        sleeper.HOLDING: "the gateway holds requests until a pod is Ready",
        sleeper.REFUSING: "the gateway passes the refusal on: whoever comes first is turned away",
    }
    takes_s = 90

    def run(self, stage: Stage) -> None:
        keda.require(stage)
        stage.put(
            sleeper.sleeper(NODE_PORTS[0], holding=stage.variant == sleeper.HOLDING),
            sleeper.by_keda(keda.prometheus(stage), least=0, per_pod=50),
        )
        service = stage.workload(sleeper.SERVICE, scaler=sleeper.SCALER, service=sleeper.SERVICE)
        gateway = stage.workload(sleeper.GATEWAY, service=sleeper.GATEWAY)
        stage.wait_ready(gateway, 2)
        keda.scraped(stage, sleeper.GATEWAY, sleeper.METRICS_PORT)
        stage.wait_answering(path="/gateway-alive")
        stage.watch({TRACK: service}, 0.25)
        stage.wait_ready(service, 0, 60)
        stage.mark("ready", "0 pods: nobody asked")
        knocking = stage.knock(
            TRACK,
            Traffic(
                user="plain",
                shape="soak",
                host=stage.host(),
                peak=RATE,
                per_user=1,
                warm=0,
                hold=HOLD_S,
                cool=0,
                parameters={"timeout": sleeper.HELD_S},
            ),
        )
        knocking.wait()
        stage.mark("ended", "nobody asks any more")
        stage.wait_ready(service, 0, 60)
        stage.cluster.scrape(stage.namespace, [])
        stage.mark("recovered", "0 pods again")

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track = recording.subject
        zero = recording.mark("ready")
        began = next((float(s.t) for s in track.seconds if s.asked), None)
        ended, again = recording.mark("ended"), recording.mark("recovered")
        slept = zero is not None and began is not None and not any(look.ready for look in track.seen(zero, began))
        ready = track.first(began or 0.0, lambda look: look.ready > 0) if began else None
        failed, asked = track.failed(), track.requests()
        cold = track.latency(1.0) if track.requests() > failed else None

        def figure(key: str, what: str, value: float | None, budget: float, unit: str = "s") -> Figure:
            allowed = budgets.of(CONTROL, key, budget)
            return Figure(
                control=CONTROL, name=key, what=what, value=value if slept else None, budget=allowed, unit=unit
            )

        return [
            figure(
                "lost", f"{failed} of {asked} requests lost: {texts(track.errors())}", failed if asked else None, 0, ""
            ),
            figure("cold-start", f"the slowest request, one that woke the service, took {cold or 0:.2f} s", cold, 15),
            Figure(
                control=CONTROL,
                name="first-pod-ready",
                what=f"a pod was Ready {since(began, ready)} s after the first request",
                value=since(began, ready),
            ),
            figure("back-to-zero", f"{since(ended, again)} s after the last request", since(ended, again), 60),
            Figure(
                control=CONTROL, name="errors", what=texts(track.errors()) or "no errors", value=float(failed), unit=""
            ),
        ]
