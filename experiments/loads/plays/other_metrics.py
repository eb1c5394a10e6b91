"""ELA-03: an autoscaler that goes by memory, or by a metric that an adapter brings in from Prometheus."""

from __future__ import annotations

import time
from typing import Any

import urllib3

from experiments.loads import keda, standin
from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, since
from experiments.loads.result import Figure
from experiments.loads.stage import NODE_PORTS, Stage, StageError
from fixtures.load.sampler import Workload
from fixtures.load.traffic import Traffic
from fixtures.safety.rest import RestError
from fixtures.subjects import adapter, consumer, sleeper

CONTROL = "ELA-03"
TRACK = "subject"
MEGABYTES, CONSUME_S = 250, 35
PER_POD, RATE = 10.0, 25.0  # requests a second that a pod is sized for, and those that come
HOLD_S, GIVE_UP_S = 50.0, 75.0


class OtherMetrics(Play):
    """One pod, then a load that is not CPU; more pods, and one again when it is gone."""

    name = "other-metrics"
    title = "A service grows by memory, or by requests that Prometheus counts"
    controls = (CONTROL,)
    variants = {
        "external": "KEDA serves the gateway's requests a second, asked of Prometheus",
        "stand-in": "the same from a small adapter of our own, where there is no KEDA",
        "memory": "the metrics API serves memory; one pod takes 250 MB where 100 are aimed at",
        "unserved": "a metric that nobody serves: the scaler never acts",
    }
    takes_s = 130

    def run(self, stage: Stage) -> None:
        if stage.variant == "memory":
            stage.put(consumer.consumer(NODE_PORTS[0]))
            _consume(stage, _watched(stage, consumer.SERVICE))
            return
        stage.put(sleeper.sleeper(NODE_PORTS[0]))
        stage.wait_ready(stage.workload(sleeper.GATEWAY), 2)
        keda.scraped(stage, sleeper.GATEWAY, sleeper.METRICS_PORT)
        if stage.variant == "external":
            keda.require(stage)
            stage.put(sleeper.by_keda(keda.prometheus(stage), least=1, per_pod=PER_POD))
        else:
            if stage.variant == "stand-in":
                standin.install(stage, sleeper.query(stage.namespace))
            stage.put(sleeper.by_metric(adapter.METRIC, per_pod=PER_POD))
        service = _watched(stage, sleeper.SERVICE)
        stage.wait_answering()
        hold = HOLD_S / 2 if stage.variant == "unserved" else HOLD_S
        knocking = stage.knock(TRACK, _traffic(stage.host(), hold))
        stage.mark("load", f"{RATE:g} requests a second, {PER_POD:g} a pod aimed at")
        knocking.wait()
        stage.mark("ended", "the load is gone")
        _shrink(stage, service)

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track = recording.subject
        start, end = recording.mark("load"), recording.mark("ended")
        if start is None or end is None or not track.seen(start):
            return [Figure(control=CONTROL, name="grown", what="the play did not come to its end", budget=2)]
        most = max(look.ready for look in track.seen(start, end))
        grown = track.first(start, lambda look: look.ready > 1)
        decided = track.first(start, lambda look: (look.wanted or 0) > 1)
        back = recording.mark("recovered")
        watched = max(look.at for look in track.seen(start))

        def figure(key: str, what: str, value: float | None, budget: float | None, **more: Any) -> Figure:
            allowed = None if budget is None else budgets.of(CONTROL, key, budget)
            return Figure(control=CONTROL, name=key, what=what, value=value, budget=allowed, **more)

        made = [
            figure("grown", f"{most} pod(s) Ready at the most", most, 2, unit="", at_least=True),
            figure("decision", "until more were asked for", since(start, decided), None),
            # Never is at least as long as was watched.
            figure("first-pod-ready", "until a second pod was Ready", since(start, grown or watched), 60),
        ]
        if most > 1:
            made.append(figure("shrunk", "until one pod was left", since(end, back or watched), 60))
        if track.requests():
            made.append(figure("errors", f"{track.failed()} requests failed", track.failed(), 0, unit=""))
        return made


def _watched(stage: Stage, service: str) -> Workload:
    """One pod Ready, and looked at from now on."""
    found = stage.workload(service, scaler=service)
    stage.watch({TRACK: found}, 0.5)
    stage.wait_ready(found, 1)
    return found


def _consume(stage: Stage, service: Workload) -> None:
    """Take memory in the one pod there is, until the scaler has seen it, and let go of it."""
    pool = urllib3.PoolManager(retries=False, timeout=2.0)
    order = f"{stage.host()}/ConsumeMem?megabytes={MEGABYTES}&durationSec={CONSUME_S}"

    def asked() -> bool:
        try:
            return pool.request("POST", order).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    stage.wait("the consumer takes its order", asked, 20, every_s=0.5)
    began = stage.mark("load", f"{MEGABYTES} MB for {CONSUME_S} s, {consumer.TARGET_MB} a pod aimed at")
    time.sleep(max(0.0, began + CONSUME_S - time.monotonic()))
    stage.mark("ended", "the memory is given back")
    _shrink(stage, service)


def _shrink(stage: Stage, service: Workload) -> None:
    """Watch until one pod is left; that it never comes to that is for `judge` to say."""
    try:
        stage.wait_ready(service, 1, GIVE_UP_S)
    except (StageError, RestError):
        return
    finally:
        stage.cluster.scrape(stage.namespace, [])
    stage.mark("recovered", "one pod again")


def _traffic(host: str, hold_s: float) -> Traffic:
    return Traffic(user="plain", shape="soak", host=host, peak=RATE, warm=0, hold=hold_s, cool=0)
