"""ELA-06: a service is updated while it is loaded: well, badly, back, again, and twice at once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from experiments.loads.play import Budgets, Play
from experiments.loads.recording import Recording, Track, texts
from experiments.loads.result import Figure
from experiments.loads.stage import SUBJECT, Stage
from experiments.loads.unready import carelessly
from fixtures.load.sampler import Look, Workload
from fixtures.load.traffic import Traffic

REPLICAS = 3
SURGE, UNAVAILABLE = 1, 0
RATE = 100.0
SETTLE_S = 1.5
WATCH_S = 8.0  # how long a version that must not come up is watched
NOWHERE = "registry.invalid/none/such:1"
ID = "ELA-06"


class RollingUpdate(Play):
    """Three replicas at 100 requests a second; at every look the promised number serves, and never too many exist."""

    name = "rolling-update"
    title = "A service is updated under load"
    controls = (ID,)
    variants = {
        "reference": "update, restart, two updates at once, a bad image, a version that never gets ready, and back",
        "naive": "all pods at once, without readiness probe and graceful end: requests are lost",
    }
    takes_s = 120

    def run(self, stage: Stage) -> None:
        deployment, service = stage.manifest()
        deployment["spec"]["replicas"] = REPLICAS
        deployment["spec"]["progressDeadlineSeconds"] = 6
        if stage.variant == "naive":
            carelessly(deployment, service)
            # Whatever proxies hear in time, until a new container runs there is nobody to send to.
            deployment["spec"]["strategy"] = {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 0}}
        subject = stage.workload(service=SUBJECT, sets=True)
        stage.apply(deployment, service)
        stage.wait_ready(subject, REPLICAS)
        stage.wait_answering()
        stage.watch({"subject": subject}, interval_s=0.25)
        traffic = Traffic(user="plain", shape="soak", host=stage.host(), peak=RATE, warm=0, hold=240, cool=0)
        stage.knock("subject", traffic)
        time.sleep(3)
        stage.mark("load", f"{RATE:g} requests a second")
        _good(stage, subject, "update", _template(version="2"))
        if stage.variant == "reference":
            self._others(stage, subject)
        stage.mark("ended", "the load ends")

    def _others(self, stage: Stage, subject: Workload) -> None:
        _good(stage, subject, "restart", _template(restarted="now"))
        stage.mark("acted", "overlapping: update to version 3")
        stage.patch("Deployment", SUBJECT, _template(version="3"))
        time.sleep(1.0)
        _good(stage, subject, "overlapping: update to version 4", _template(version="4"))
        good = stage.manifest()[0]["spec"]["template"]["spec"]["containers"]
        # no path of netexec's answers 404, so it is a port that nobody listens at
        unready = [{**good[0], "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1}}]
        for name, containers in (("bad image", [{**good[0], "image": NOWHERE}]), ("never ready", unready)):
            stage.mark("acted", name)
            stage.patch("Deployment", SUBJECT, _containers(containers))
            time.sleep(WATCH_S)
            _good(stage, subject, f"back from {name}", _containers(good))

    def judge(self, recording: Recording, variant: str, budgets: Budgets) -> list[Figure]:
        track = recording.subject
        start, end = recording.mark("load"), recording.mark("ended")
        if start is None or end is None:
            return [Figure(control=ID, name="errors", what="the play did not come to its end", budget=0)]
        phases = _phases(recording, start, end)
        made = [_errors(track, name, begin, until, budgets) for name, begin, until in phases]
        made += _bounds(track.seen(start, end))
        for name, begin, until in phases:
            if name in ("bad image", "never ready"):
                made.append(_kept_out(track, name, begin, until))
        return made


def _good(stage: Stage, subject: Workload, what: str, patch: dict[str, Any]) -> None:
    stage.mark("acted", what)
    stage.patch("Deployment", SUBJECT, patch)
    stage.wait_ready(subject, REPLICAS, 60)
    stage.mark("ready", f"{what}: complete")
    time.sleep(SETTLE_S)


def _template(**annotations: str) -> dict[str, Any]:
    """A new version of the pods, that differs in nothing but its annotations, as `kubectl rollout restart` makes it."""
    named = {f"evenkeel.dev/{name}": value for name, value in annotations.items()}
    return {"spec": {"template": {"metadata": {"annotations": named}}}}


def _containers(containers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def _phases(recording: Recording, start: float, end: float) -> list[tuple[str, float, float]]:
    """From each action to the next."""
    acted = [(m.what, m.at) for m in recording.marks if m.kind == "acted" and start <= m.at <= end]
    until = [at for _, at in acted[1:]] + [end]
    return [(what, at, later) for (what, at), later in zip(acted, until, strict=True)]


def _errors(track: Track, name: str, start: float, end: float, budgets: Budgets) -> Figure:
    failed, requests = track.failed(start, end), track.requests(start, end)
    return Figure(
        control=ID,
        name="errors",
        what=f"{name}: {failed} of {requests} requests failed",
        value=failed if requests else None,
        budget=budgets.of(ID, "errors", 0),
        unit="",
        why=texts(track.errors(start, end)),
    )


def _bounds(looks: Sequence[Look]) -> list[Figure]:
    """At every look: Ready pods ≥ replicas - maxUnavailable, pods ≤ replicas + maxSurge."""
    fewest, most = min((k.ready for k in looks), default=None), max((k.total for k in looks), default=None)
    return [
        Figure(
            control=ID,
            name="least-ready",
            what=f"at least {fewest} pods were Ready at each of {len(looks)} looks",
            value=fewest,
            budget=REPLICAS - UNAVAILABLE,
            unit="pods",
            at_least=True,
        ),
        Figure(
            control=ID,
            name="most-pods",
            what=f"at most {most} pods existed at each of {len(looks)} looks",
            value=most,
            budget=REPLICAS + SURGE,
            unit="pods",
        ),
    ]


def _kept_out(track: Track, name: str, start: float, end: float) -> Figure:
    """No pod of the bad version is ever among the Service's endpoints, nor more of them than may be missing."""
    looks = [look for look in track.seen(start, end) if look.serving is not None]
    before = {p.name for look in track.seen(start - 1.0, start) for p in look.pods}
    new = {p.name for look in looks for p in look.pods} - before
    served = {pod for look in looks for pod in look.serving or ()} & new
    return Figure(
        control=ID,
        name="kept-out",
        what=f"{name}: {len(served)} of {len(new)} new pod(s) got traffic in {len(looks)} looks",
        value=len(served) if new else None,
        budget=0,
        unit="pods",
        why=", ".join(sorted(served)),
    )
