"""Runs one play safely: preflight, watchdog, Lease, a namespace of its own; then judges what was recorded."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from experiments import watch
from experiments.loads import catalogue, result, series, stage
from experiments.loads.play import OWN, Budgets, Play
from experiments.loads.recording import Recording
from experiments.loads.result import Result
from experiments.loads.stage import AbsentError, Stage, StageError
from experiments.result import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, timestamp
from experiments.settings import Settings
from fixtures.clusters import open_cluster
from fixtures.clusters.cluster import Cluster
from fixtures.load.traffic import TrafficError
from fixtures.profiles import profile as profiles
from fixtures.profiles.profile import Profile
from fixtures.safety import ground, lease, preflight
from fixtures.safety.guard import GuardError
from fixtures.safety.journal import JournalError
from fixtures.safety.lease import LeaseBusyError, RunLease
from fixtures.safety.preflight import Permission, RefusedError
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.state import state_directory
from fixtures.safety.undo import UndoError, undoes, way_back

logger = logging.getLogger("evenkeel.loads")

PREFIX = "evenkeel-load-"
NAMESPACE_GONE_S = 90.0
LOOKING = (
    Permission("get", "deployments", "apps"),
    Permission("list", "horizontalpodautoscalers", "autoscaling"),
    Permission("list", "pods"),
    Permission("list", "pods", "metrics.k8s.io"),
    Permission("create", "leases", "coordination.k8s.io", ground.NAMESPACE),
)
PERMISSIONS = (
    Permission("create", "namespaces"),
    Permission("delete", "namespaces"),
    Permission("create", "deployments", "apps"),
    Permission("patch", "deployments", "apps"),
    Permission("list", "replicasets", "apps"),
    Permission("create", "services"),
    Permission("create", "horizontalpodautoscalers", "autoscaling"),
    Permission("list", "pods"),
    Permission("list", "pods", "metrics.k8s.io"),
    Permission("create", "leases", "coordination.k8s.io", ground.NAMESPACE),
)


class UsageError(Exception):
    """The request makes no sense; the text says what would."""


def run(id_: str, settings: Settings, variant: str = "") -> Result:
    """Play it once. What could not be judged is a result with that verdict; raises `UsageError`, `ClusterError` and
    `ProfileError` for what the user must mend."""
    try:
        play = catalogue.play(id_)
    except catalogue.UnknownPlayError as error:
        raise UsageError(str(error)) from error
    variant = variant or next(iter(play.variants))
    if variant not in play.variants:
        raise UsageError(f"{play.name}: no variant {variant!r}; there are {', '.join(play.variants)}")
    if not settings.allow_disruption:
        raise UsageError("a load test changes the cluster and loads it: allow it with --allow-disruption")
    cluster = open_cluster(
        settings.cluster, Path(settings.kubeconfig) if settings.kubeconfig else None, settings.context or None
    )
    profile = profiles.load(settings.profile_name)
    began = time.time()
    made = Result(
        name=play.name,
        title=play.title,
        variant=variant,
        controls=list(play.controls),
        driver=cluster.provider,
        started=timestamp(began),
    )
    own = variant == OWN
    if own and not settings.app_url:
        raise UsageError("a service of yours needs --host URL and --app NAMESPACE/DEPLOYMENT")
    if not own and cluster.door(stage.NODE_PORTS[0]) is None:
        made.verdict, made.reason = NOT_APPLICABLE, f"cluster {cluster.name!r} has no way in for a service of the run's"
        made.finished = timestamp(time.time())
        return made
    recording: Recording | None = None
    try:
        with staged(cluster, settings, profile, f"{play.name}-{variant}", own=own) as on:
            on.variant = variant
            made.target = settings.app if own else f"{on.namespace}/{stage.SUBJECT}"
            try:
                play.run(on)
            finally:
                on.stop()
                recording = on.recording()
                stage.save(recording, _kept(settings) / f"{on.namespace}.{play.name}.json")
    except AbsentError as error:
        made.verdict, made.reason = NOT_APPLICABLE, str(error)
    except (
        *(StageError, TrafficError, RestError, RefusedError, LeaseBusyError),
        *(GuardError, JournalError, UndoError),
    ) as error:
        made.reason = f"{type(error).__name__.removesuffix('Error')}: {error}"
    if recording is not None:
        conclude(made, play, recording, profile)
    made.finished = timestamp(time.time())
    return made


def conclude(made: Result, play: Play, recording: Recording, profile: Profile) -> None:
    """Judge a recording: figures, series, verdict."""
    zero = series.zero(recording)
    made.zero = timestamp(time.time() - time.monotonic() + zero)
    made.series = series.series(recording)
    made.moments = series.moments(recording)
    if made.reason:
        return  # it was not played to its end: nothing to judge
    budgets = Budgets(profile.budgets)
    made.series[0].latency_target_s = play.latency_target(budgets)
    made.figures = play.judge(recording, made.variant, budgets)
    made.moments = series.moments(recording, made.figures)
    made.verdict, made.reason = result.verdict(made.figures)
    if recording.bottleneck and made.verdict in (PASS, FAIL):
        made.verdict, made.reason = UNKNOWN, f"{recording.bottleneck} (otherwise: {made.verdict}, {made.reason})"


@contextmanager
def staged(cluster: Cluster, settings: Settings, profile: Profile, title: str, *, own: bool = False) -> Iterator[Stage]:
    """A namespace of its own under the run's watchdog and Lease; everything is gone again afterwards, but for what the
    experiments of a run share (`experiments.watch.end`). With `own` none is made: the user's service is only loaded."""
    rest = Rest.of(cluster)
    _allowed(cluster, rest, settings, profile, LOOKING if own else PERMISSIONS)
    token = secrets.token_hex(3)
    holder = f"load-{title}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{token}"
    namespace = f"{PREFIX}{token}"
    watching = watch.over(cluster)
    journal = watching.journal
    held: RunLease | None = None
    try:
        ground.make(rest)
        journal.record("", way_back(lease.release, "give the Lease back", cluster, {"holder": holder}))
        held = RunLease(rest, holder)
        held.take()
        if not own:
            undo = way_back(remove_namespace, f"remove namespace {namespace}", cluster, {"namespace": namespace})
            journal.record("", undo)
            rest.post("/api/v1/namespaces", _namespace(namespace))
        record = state_directory() / "loads" / holder
        yield Stage(cluster, rest, settings, profile, journal, watching.guard, namespace, record, "")
    finally:
        if held is not None:
            held.stop_renewing()
        left = watching.tidy(NAMESPACE_GONE_S)
    if left.failed:
        raise UndoError(f"not undone: {'; '.join(left.failed)}; run `evenkeel chaos heal`")


def _allowed(cluster: Cluster, rest: Rest, settings: Settings, profile: Profile, needed: Sequence[Permission]) -> None:
    named = settings.confirmed or profile.may_disrupt(cluster.context or cluster.name)
    refusals = preflight.confirmed(cluster.disposable, cluster.provider, cluster.context, named)
    refusals += preflight.permissions(rest, needed)
    deadline = time.monotonic() + 30.0
    while not refusals and (sick := preflight.health(preflight.Scenery.read(rest))):
        if time.monotonic() > deadline:
            refusals = sick
        time.sleep(0.5)
    if refusals:
        raise RefusedError(refusals)


def _namespace(namespace: str) -> dict[str, object]:
    labels = {"app.kubernetes.io/managed-by": "evenkeel", ground.MADE_BY: "true"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}


def _kept(settings: Settings) -> Path:
    directory = Path(settings.run_directory) / "loads" if settings.run_directory else state_directory() / "loads"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@undoes
def remove_namespace(cluster: Cluster | None, namespace: str) -> None:
    """Remove a play's namespace with all that is in it; returns when it is gone. Raises `UndoError`, `RestError`."""
    assert cluster is not None
    if not namespace.startswith(PREFIX):
        raise UndoError(f"namespace {namespace!r} was not made by a load test")
    rest, where = Rest.of(cluster), name(namespace)
    now = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    for kind in ("/apis/autoscaling/v2/{}/horizontalpodautoscalers", "/apis/apps/v1/{}/deployments", "/api/v1/{}/pods"):
        rest.delete(kind.format(f"namespaces/{where}"), body=now)
    rest.delete(f"/api/v1/namespaces/{where}")
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        try:
            rest.request("GET", f"/api/v1/namespaces/{where}")
        except RestError as error:
            if error.status == 404:
                return
        time.sleep(0.25)
    raise UndoError(f"namespace {namespace} is still there 60 s after its deletion: see its conditions")
