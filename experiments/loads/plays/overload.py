"""ELA-08: more comes than can be done. What may be refused is refused at once, so that the rest is served as always."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, Track
from experiments.loads.result import Figure
from experiments.loads.stage import NODE_PORTS, Stage
from fixtures.load.seconds import added, quantile
from fixtures.load.traffic import Traffic
from fixtures.safety.objects import Pod, Pods
from fixtures.safety.rest import name
from fixtures.subjects import kiosk

CONTROL = "ELA-08"
CORE, BULK, FRAGILE = "core", "bulk", "fragile"
REFUSED = (429, 503)
QUIET_S, FLOOD_S = 4.0, 14.0
CORE_RATE, BULK_RATE, FRAGILE_RATE = 20.0, 150.0, 10.0  # requests a second; the service can do about 25 of the bulk
REPLICAS = 2


class Overload(Play):
    """A flood of bulk requests, and a function that fails, beside core requests at their usual pace."""

    name = "overload"
    title = "A flood of bulk requests beside core ones"
    controls = (CONTROL,)
    variants: ClassVar[Mapping[str, str]] = {
        "haproxy": "HAProxy limits, sheds, degrades and breaks in front of the service",
        "envoy": "Envoy limits, sheds and breaks in front of it",
        "haproxy-without-limits": "HAProxy passes on whatever comes",
        "envoy-without-limits": "Envoy passes on whatever comes",
    }
    takes_s = 45

    def run(self, stage: Stage) -> None:
        gateway, _, without = stage.variant.partition("-")
        subject = kiosk.kiosk(NODE_PORTS[0], gateway, limited=not without)
        stage.put(subject)
        service = stage.workload(kiosk.SERVICE, service=kiosk.SERVICE)
        stage.watch({CORE: service}, 0.5)
        stage.wait_ready(service, REPLICAS, 60)
        stage.wait_answering(within_s=30, path="/core")
        core = stage.knock(CORE, _traffic(stage.host(), CORE_RATE, 5, FLOOD_S + 2 * QUIET_S, paths="/core,/core,/list"))
        time.sleep(QUIET_S)
        began = stage.mark("load", f"{BULK_RATE:g} bulk requests a second")
        bulk = stage.knock(BULK, _traffic(stage.host(), BULK_RATE, 2, FLOOD_S, path="/bulk"))
        fragile = stage.knock(FRAGILE, _traffic(stage.host(), FRAGILE_RATE, 2, FLOOD_S - 2, path="/fragile"))
        for knocking in (bulk, fragile):
            knocking.wait()
        stage.mark("ended", f"the flood, after {time.monotonic() - began:.0f} s")
        stage.values["restarts"] = float(sum(p.restarts for p in _pods(stage)))
        core.wait()

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        start, end = recording.mark("load") or 0.0, recording.mark("ended") or float("inf")
        core, bulk, fragile = (recording.track(t) for t in (CORE, BULK, FRAGILE))
        refused = sum(_statuses(bulk, status) for status in REFUSED)
        failed, asked = bulk.failed(), bulk.requests()
        slow = quantile(added(s.slow for s in bulk.seconds), 0.99)
        broken, tried = _statuses(fragile, *REFUSED), fragile.requests()
        calm, p99 = core.latency(0.99, 0, start), core.latency(0.99, start, end)
        lost, most = core.failed(start, end), core.requests(start, end)
        ready = min((look.ready for look in core.seen(start, end)), default=None)
        restarts = recording.values.get("restarts")

        def figure(
            key: str, what: str, value: float | None, budget: float, unit: str = "s", at_least: bool = False
        ) -> Figure:
            allowed = budgets.of(CONTROL, key, budget)
            return Figure(
                control=CONTROL, name=key, what=what, value=value, budget=allowed, unit=unit, at_least=at_least
            )

        return [
            figure(
                "refusal",
                f"{refused} of {asked} bulk requests refused with 429 or 503, 99 % of them within {slow or 0:.3f} s",
                slow if refused else None,
                0.05,
            ),
            figure(
                "bulk-broken",
                f"{failed - refused} bulk requests neither served nor refused: hung up on, or never answered",
                failed - refused,
                0,
                "",
            ),
            figure("core", f"99 % of core requests within {p99 or 0:.3f} s ({calm or 0:.3f} s before)", p99, 0.3),
            figure("core-failed", f"{lost} of {most} core requests failed", lost if most else None, 0, ""),
            figure("upstream-restarts", f"{restarts or 0:.0f} restart(s) of the service's containers", restarts, 0, ""),
            figure(
                "upstream-ready",
                f"{ready} of {REPLICAS} pods of the service Ready at the worst moment",
                ready,
                REPLICAS,
                "",
                at_least=True,
            ),
            figure(
                "broken-circuit",
                f"{broken} of {tried} requests to what always fails were refused without asking it",
                broken / tried if tried else None,
                0.5,
                "of them",
                at_least=True,
            ),
        ]


def _traffic(host: str, rate: float, per_user: float, hold_s: float, **parameters: str) -> Traffic:
    user = "core" if "paths" in parameters else "plain"
    return Traffic(
        user=user,
        shape="soak",
        host=host,
        peak=rate,
        per_user=per_user,
        warm=0.5,
        hold=hold_s,
        cool=0.5,
        parameters=parameters,
    )


def _statuses(track: Track, *statuses: int) -> int:
    return sum(second.statuses.get(status, 0) for second in track.seconds for status in statuses)


def _pods(stage: Stage) -> list[Pod]:
    path = f"/api/v1/namespaces/{name(stage.namespace)}/pods"
    return list(stage.rest.get(path, Pods, {"labelSelector": f"app={kiosk.SERVICE}"}).items)
