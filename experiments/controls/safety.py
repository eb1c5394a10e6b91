"""The Chaos Toolkit control that makes an experiment safe. Nothing is changed without it.

Before: permission to disrupt, preflight, watchdog, Lease. After: everything undone, Lease given back, watchdog
dismissed. It also ends the method when an action failed, which Chaos Toolkit by itself would carry on from.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chaoslib.exceptions import InterruptExecution

from experiments import actions, aftermath, grafana, trial, verdict, watch
from experiments.checks import acknowledged_writes, coupled_restarts, single_leader
from experiments.faults import etcd
from experiments.faults.catalogue import fault as find
from experiments.faults.fault import Fault, NoVictimError
from experiments.result import UNKNOWN, Check
from experiments.scene import Scene
from experiments.settings import Settings, from_configuration
from experiments.trial import Trial
from fixtures.clusters import open_cluster
from fixtures.clusters.cluster import ClusterError
from fixtures.prober.sample import SamplesError
from fixtures.profiles import profile as profiles
from fixtures.profiles.profile import Profile
from fixtures.safety import ground, lease, preflight
from fixtures.safety.journal import JournalError
from fixtures.safety.lease import LeaseBusyError, RunLease
from fixtures.safety.preflight import APP, Permission
from fixtures.safety.rest import Rest, RestError
from fixtures.safety.undo import way_back
from fixtures.snapshot.snapshot import Unreadable

logger = logging.getLogger("evenkeel.experiments")

NOT_ALLOWED = (
    "nothing was changed: this experiment breaks things, and that is not allowed here. Allow it with "
    "--allow-disruption, or EVENKEEL_ALLOW_DISRUPTION=yes for plain `chaos run`"
)
USAGE = 4
COORDINATION = "coordination.k8s.io"
PATIENCE_S = 30.0  # how long a cluster that isn't healthy is waited for before it is refused
OWN = (
    *(Permission(verb, "leases", COORDINATION, ground.NAMESPACE) for verb in ("create", "get", "update", "patch")),
    Permission("delete", "leases", COORDINATION, ground.NAMESPACE),
    *(Permission(verb, "configmaps", "", ground.NAMESPACE) for verb in ("create", "list", "deletecollection")),
    Permission("get", "namespaces"),
    Permission("list", "nodes"),
    Permission("list", "pods", "", "kube-system"),
    *(Permission(verb, "leases", COORDINATION, "kube-system") for verb in ("list", "watch")),
    Permission("list", "pods", "", APP),
    Permission("get", "deployments", "apps", APP),
    Permission("list", "endpointslices", "discovery.k8s.io", APP),
)
"""What every experiment does beside its fault: hold its Lease, write and count what it wrote, look at the cluster."""


def configure_control(configuration: dict[str, Any] | None = None) -> None:
    """Chaos Toolkit calls it before anything else. Without permission to disrupt: exit code 4."""
    if not from_configuration(configuration).allow_disruption:
        sys.stderr.write(f"evenkeel: {NOT_ALLOWED}\n")
        raise SystemExit(USAGE)


def before_experiment_control(context: dict[str, Any], configuration: dict[str, Any] | None = None) -> None:
    """Preflight, then watchdog and Lease. A refusal interrupts the experiment before anything is changed."""
    trial.end()
    settings = from_configuration(configuration)
    try:
        this = prepare(context, settings)
    except (ClusterError, RestError, Unreadable, profiles.ProfileError) as error:
        trial.not_begun(f"preflight: {error}")
        raise InterruptExecution(f"preflight: {error}") from error
    trial.begin(this)
    try:
        check(this, context)
        guard(this)
    except Exception as error:
        this.refused.append(str(error))
        raise InterruptExecution(f"preflight: {error}") from error


def after_activity_control(context: dict[str, Any], state: dict[str, Any]) -> None:
    """A failed action of the method ends it; the rollbacks follow."""
    if context.get("type") == "action" and state.get("status") == "failed":
        this = trial.found()
        said = (state.get("exception") or ["failed"])[-1].strip()
        if this is not None:
            this.troubles.append(f"{context.get('name')}: {said}")
        raise InterruptExecution(f"{context.get('name')}: {said}")


def after_experiment_control(context: dict[str, Any], state: dict[str, Any]) -> None:
    """Undo what is left, make the result, and put it into Chaos Toolkit's own journal under `evenkeel`."""
    this = trial.found()
    if this is None:
        state["evenkeel_refusal"] = trial.why_not_begun()
        return
    for step in (lambda _: actions.heal(), look_back, tidy):
        try:
            step(this)
        except Exception as error:  # whatever it is, what follows must be done, and the result must say so
            logger.exception("ending the experiment")
            this.troubles.append(f"{type(error).__name__}: {error}")
    result = verdict.conclude(this, state)
    if this.settings.grafana_url:
        written = grafana.annotate(this.settings.grafana_url, result)
        result.checks += [written] if written else []
    state["evenkeel"] = result.as_dict()
    if result.verdict == "fail":
        state["deviated"] = True  # the exit code of plain `chaos run`
    trial.end()


def look_back(this: Trial) -> None:
    """What must hold of what was written and of who led, while the evidence is still there."""
    if this.prober is None or this.injected is None:
        return
    this.probed_until = this.clock.now()
    this.prober.stop()
    try:
        header, samples = this.prober.samples()
    except (OSError, SamplesError):
        return  # the verdict says so
    found = [
        (one, aftermath.of(one, header, samples, this.profile)) for one in this.injections if one.injected is not None
    ]
    forgotten = next((after.forgotten for one, after in found if one.fault.forgets), None)
    writes = samples.get("api-write", [])
    this.checks.append(acknowledged_writes.check(this.scene.rest, this.id, writes, forgotten))
    for one, after in found:
        try:
            this.checks += one.fault.examine(this.scene, one.victim, after)
        except (RestError, ClusterError) as error:
            this.checks.append(Check(name="afterwards", verdict=UNKNOWN, message=f"could not be looked at: {error}"))
    if any(one.fault.watches_leaders for one in this.injections):
        asked_to_end = any(one.fault.asks_to_end for one in this.injections)
        this.checks.append(single_leader.judge(this.elections, asked_to_end=asked_to_end))
        this.raft = (this.raft[0], etcd.known(this.scene) if this.raft[0] is not None else None)
    hit = {pod for one in this.injections for pod in one.fault.restarts(one.victim)}
    if hit and this.observer is not None:
        seen = this.observer.looked("static-pods")
        this.checks.append(coupled_restarts.judge(this.changes, hit, this.injected, seen))


def prepare(experiment: dict[str, Any], settings: Settings) -> Trial:
    """A trial on the cluster that the settings name; only reads. Raises `ClusterError`, `ProfileError`."""
    cluster = open_cluster(
        settings.cluster, Path(settings.kubeconfig) if settings.kubeconfig else None, settings.context or None
    )
    scene = Scene(cluster, Rest.of(cluster), settings.app_namespace, settings.app_name)
    block = trial.extension(experiment)
    name = str(block.get("experiment") or experiment["title"])
    this = Trial(name, str(experiment["title"]), settings, scene, profile_of(settings.profile_name))
    this.meant = " + ".join(str(one) for one in block.get("faults") or ())
    this.aim = str((experiment.get("configuration") or {}).get("target", ""))
    return this


@cache
def profile_of(name: str) -> Profile:
    """Read once: all experiments of one process are judged by the same budgets."""
    return profiles.load(name)


def check(this: Trial, experiment: dict[str, Any]) -> None:
    """Every reason not to start. Raises `RefusedError`, `NoVictimError`, `RestError`; changes nothing."""
    cluster, scene = this.scene.cluster, this.scene
    block = trial.extension(experiment)
    faults = [find(one) for one in block.get("faults") or ()]
    for one in faults:
        needed = one.needs | one.also_needs.get(this.aim, frozenset())
        for capability in sorted(needed - cluster.capabilities):
            this.not_applicable = f"{one.id} needs {capability}: {cluster.why_not(capability)}"
            raise NoVictimError(this.not_applicable)
    context = cluster.context or cluster.name
    named = this.settings.confirmed or this.profile.may_disrupt(context)
    refusals = preflight.confirmed(cluster.disposable, cluster.provider, cluster.context, named)
    refusals += [
        refusal
        for one in faults
        for refusal in preflight.deliberate(
            one.id, one.exceeds, cluster.disposable or one.id in this.profile.disruption.beyond
        )
    ]
    refusals += preflight.permissions(scene.rest, permissions(scene, faults))
    if not refusals:
        refusals = _sick(scene, float(block.get("patience_s", PATIENCE_S)))
    if refusals:
        raise preflight.RefusedError(refusals)


def permissions(scene: Scene, faults: Sequence[Fault]) -> list[Permission]:
    """Everything that an experiment with these faults will do to the API. Raises `RestError`."""
    asked = [*OWN, *(p for one in faults for p in one.permissions)]
    return [*ground.permissions(scene.rest), *(p.within(scene.app_namespace) for p in asked)]


def _sick(scene: Scene, patience_s: float) -> list[preflight.Refusal]:
    """What is not healthy, after a little patience: the experiment before may just have ended."""
    deadline = time.monotonic() + patience_s
    while (refusals := preflight.health(scene.scenery())) and time.monotonic() < deadline:
        time.sleep(0.5)
    return refusals


def guard(this: Trial) -> None:
    """From here on somebody else undoes everything if this process can't. Raises when that can't be had."""
    cluster, rest = this.scene.cluster, this.scene.rest
    this.watch = watch.over(cluster)
    this.journal, this.guard = this.watch.journal, this.watch.guard
    try:
        ground.make(rest)
        this.journal.record("", way_back(lease.release, "give the Lease back", cluster, {"holder": this.id}))
        this.lease = RunLease(rest, this.id)
        this.lease.take()
        writes = way_back(ground.remove_writes, "remove what the prober wrote", cluster, {"run": this.id})
        this.journal.record("", writes)
    except (JournalError, LeaseBusyError, RestError):
        tidy(this)
        raise


def tidy(this: Trial) -> None:
    """End prober, observer and Lease; undo whatever is still in the journal."""
    if this.prober is not None:
        this.prober.stop()
    if this.observer is not None:
        this.observer.stop()
    if this.lease is not None:
        this.lease.stop_renewing()
    if this.watch is not None:
        left = this.watch.tidy()
        this.troubles += [f"not undone: {text}; run `evenkeel chaos heal`" for text in left.failed]
