"""ELA-01 and ELA-02: load makes a service grow by its autoscaler, and it shrinks again when the load is gone."""

from __future__ import annotations

from typing import Any

from experiments.loads.play import OWN, Budgets, Play
from experiments.loads.recording import Recording, Track, since, texts
from experiments.loads.result import Figure
from experiments.loads.stage import SUBJECT, Stage
from fixtures.load.traffic import Traffic

LEAST, MOST = 2, 8
WINDOW_S = 10  # the scaler's stabilization window for shrinking
MILLICORES = 60  # of a pod, requested and allowed
UTILIZATION = 60  # per cent of it that the scaler aims at
PEAK, BASE = 40.0, 4.0  # requests a second
WORK = 10
TARGET_S = 0.5  # of p95
# Of a service of the user's, whose scaler is likely to have Kubernetes' own stabilization window of 300 s.
OWN_WARM_S, OWN_HOLD_S, OWN_COOL_S = 20.0, 240.0, 420.0
HOLD_S, WARM_S, COOL_S = 60.0, 6.0, 60.0


class Autoscaling(Play):
    """Requests that cost CPU, quiet, then many times as many for a minute, then quiet again."""

    name = "autoscaling"
    title = "A service grows under CPU load and shrinks after it"
    controls = ("ELA-01", "ELA-02")
    variants = {
        "reference": "pods with CPU requests, a scaler that grows at once and shrinks after 10 s",
        "no-requests": "pods without CPU requests: the scaler can't know how busy they are",
        OWN: "a service of yours with its own scaler, by --app and --host: loaded, and not changed otherwise",
        "hasty": "a scaler without a stabilization window under a load that comes and goes",
    }
    takes_s = 150

    own_service = True

    def run(self, stage: Stage) -> None:
        if stage.variant == OWN:
            self._own(stage)
            return
        deployment, service = stage.manifest()
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        container["resources"] = {
            "requests": {"cpu": f"{MILLICORES}m", "memory": "32Mi"},
            "limits": {"cpu": f"{MILLICORES}m", "memory": "128Mi"},
        }
        if stage.variant == "no-requests":
            container["resources"] = {}
        subject = stage.workload(scaler=SUBJECT)
        stage.apply(deployment, service, scaler(0 if stage.variant == "hasty" else WINDOW_S))
        stage.wait_ready(subject, LEAST)
        stage.wait_answering()
        stage.watch({"subject": subject}, interval_s=0.5)
        _load(stage, _traffic(stage))

    def _own(self, stage: Stage) -> None:
        settings = stage.settings
        subject, least = stage.own()
        stage.values["least"] = least
        stage.watch({"subject": subject})
        traffic = Traffic(
            user="plain",
            shape="step",
            host=settings.app_url,
            peak=settings.load_peak,
            base=settings.load_base,
            parameters={"path": settings.load_path},
            warm=OWN_WARM_S,
            hold=OWN_HOLD_S,
            cool=OWN_COOL_S,
        )
        _load(stage, traffic)

    def latency_target(self, budgets: Budgets) -> float | None:
        return budgets.of("ELA-01", "latency-target", TARGET_S)

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track = recording.subject
        peak = track.peaks_at()
        if peak is None or not track.seen():
            return [Figure(control=c, name="load", what="the load's peak", budget=0) for c in self.controls]
        calm = peak + recording.values.get("hold_s", HOLD_S)
        least = int(recording.values.get("least", LEAST))
        made = _growing(track, peak, calm, budgets) + _shrinking(track, peak, calm, least, budgets)
        # of a scaler that isn't ours nobody said how long it waits
        return [f for f in made if f.name != "window-kept" or "least" not in recording.values]


def _load(stage: Stage, traffic: Traffic) -> None:
    """All of the traffic, with a mark when it has risen."""
    knocking = stage.knock("subject", traffic)
    stage.wait("the load is at its peak", lambda: any(s.asked >= traffic.peak for s in knocking.seconds()), 60)
    risen = next(float(s.t) for s in knocking.seconds() if s.asked >= traffic.peak)
    stage.mark("load", f"{traffic.peak:g} requests a second instead of {traffic.base:g}", at=risen)
    knocking.wait()
    stage.mark("ended", "nothing more is watched")
    stage.values["hold_s"] = traffic.hold


def _growing(track: Track, peak: float, calm: float, budgets: Budgets) -> list[Figure]:
    before = track.seen(end=peak)
    size = before[-1].total if before else LEAST
    decided = track.first(peak, lambda look: (look.decided or 0) > size)
    first = track.first(peak, lambda look: look.ready > size)
    settled = max((look.wanted or 0 for look in track.seen(peak, calm)), default=size)
    final = next((look.wanted or 0 for look in reversed(track.seen(peak, calm))), size)
    enough = track.first(peak, lambda look: look.ready >= final > size)
    target = budgets.of("ELA-01", "latency-target", TARGET_S)
    back = None if enough is None else track.within_target(max(peak, (decided or peak)), target)
    failed, requests = track.failed(peak, calm), track.requests(peak, calm)
    made = [
        _time("ELA-01", "decision", "the scaler asked for more pods", peak, decided, budgets, 35),
        _time("ELA-01", "first-pod-ready", "a new pod was Ready", peak, first, budgets, 45),
        _time("ELA-01", "enough-pods", f"all {final} pods were Ready", peak, enough, budgets, 60),
        _time("ELA-01", "latency-back", f"p95 was within {target:g} s again", peak, back, budgets, 60),
        _errors("ELA-01", "while it grew", failed, requests, track, peak, calm, budgets),
    ]
    made.append(
        Figure(
            control="ELA-01",
            name="overshoot",
            what=f"at most {settled} pods were asked for, and {final} in the end",
            value=float(settled - final),
            budget=budgets.of("ELA-01", "overshoot", 2),
            unit="pods",
        )
    )
    return made


def _shrinking(track: Track, peak: float, calm: float, least: int, budgets: Budgets) -> list[Figure]:
    grown = next((look.wanted or 0 for look in reversed(track.seen(peak, calm))), 0)
    if grown <= least:
        return [Figure(control="ELA-02", name="shrunk", what="it had not grown, so it could not shrink", budget=0)]
    after = calm + 1.0
    decided = track.first(after, lambda look: (look.wanted or grown) < grown)
    small = track.first(after, lambda look: look.wanted == least and look.total == least)
    failed, requests = track.failed(calm), track.requests(calm)
    turns = track.turns(peak, float("inf"))
    made = [
        _time("ELA-02", "shrunk", f"it was back at {least} pods", calm, small, budgets, 60),
        _errors("ELA-02", "while it shrank", failed, requests, track, calm, float("inf"), budgets),
        Figure(
            control="ELA-02",
            name="turns",
            what=f"the number of replicas turned its direction {turns} time(s)",
            value=float(turns),
            budget=budgets.of("ELA-02", "turns", 1),
            unit="",
        ),
    ]
    waited = since(calm, decided)
    if waited is not None:
        made.append(
            Figure(
                control="ELA-02",
                name="window-kept",
                what=f"it began to shrink {waited:.1f} s after the load had gone",
                value=waited,
                budget=budgets.of("ELA-02", "window-kept", WINDOW_S - 1),
                at_least=True,
            )
        )
    return made


def _time(
    control: str, name: str, what: str, start: float, at: float | None, budgets: Budgets, default: float
) -> Figure:
    """Seconds until something was seen. What was watched for and never seen has failed."""
    value = since(start, at)
    said = f"{what} after {value:.1f} s" if value is not None else f"never: {what}"
    budget = budgets.of(control, name, default)
    kind = {"decision": "detected", "first-pod-ready": "acted"}.get(name, "recovered")
    return Figure(
        control=control, name=name, what=said, value=value, budget=budget, never=value is None, at=at, kind=kind
    )


def _errors(
    control: str, when: str, failed: int, requests: int, track: Track, start: float, end: float, budgets: Budgets
) -> Figure:
    return Figure(
        control=control,
        name="error-ratio",
        what=f"{failed} of {requests} requests failed {when}",
        value=failed / requests if requests else None,
        budget=budgets.of(control, "error-ratio", 0),
        unit="",
        why=texts(track.errors(start, end)),
    )


def scaler(window_s: int, target: str = SUBJECT) -> dict[str, Any]:
    """An autoscaler on CPU that doubles at once and shrinks after its window."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": target},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": LEAST,
            "maxReplicas": MOST,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": UTILIZATION},
                    },
                }
            ],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 5}],
                },
                "scaleDown": {
                    "stabilizationWindowSeconds": window_s,
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 5}],
                },
            },
        },
    }


def _traffic(stage: Stage) -> Traffic:
    given: dict[str, Any] = {"user": "cpu", "host": stage.host(), "peak": PEAK, "base": BASE}
    if stage.variant == "no-requests":
        return Traffic(shape="step", warm=4, hold=30, cool=1, parameters={"work": WORK}, **given)
    if stage.variant == "hasty":
        parameters = {"work": WORK, "teeth": 3}
        return Traffic(shape="sawtooth", warm=4, hold=120, cool=20, parameters=parameters, **given)
    return Traffic(shape="step", warm=WARM_S, hold=HOLD_S, cool=COOL_S, parameters={"work": WORK}, **given)
