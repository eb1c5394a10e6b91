"""The one runner around all experiments: their files through Chaos Toolkit, in this process, rollbacks always.

What makes an experiment safe and measured is in its file (the controls), so that plain `chaos run` does the same;
this only chooses the file, hands over the settings and takes the result out of Chaos Toolkit's journal.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import yaml
from chaoslib.exceptions import ChaosException
from chaoslib.experiment import ensure_experiment_is_valid, run_experiment
from chaoslib.types import Strategy

from experiments import bounds, watch
from experiments.checks.audits import Audits, around
from experiments.controls import safety
from experiments.faults.catalogue import fault as find
from experiments.faults.fault import NoVictimError
from experiments.result import FAIL, PASS, Result
from experiments.settings import KEY, Settings
from experiments.trial import extension
from fixtures.clusters import open_cluster
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.journal import JournalError
from fixtures.safety.preflight import RefusedError
from fixtures.safety.rest import Rest, RestError
from fixtures.snapshot.reach import ReachError
from fixtures.wording import near

HERE = Path(__file__).parent
NOT_ALLOWED = safety.NOT_ALLOWED
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
logger = logging.getLogger("evenkeel.experiments")


class UsageError(Exception):
    """What was asked for makes no sense; the text says what would."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do, and what speaks against it."""

    name: str
    fault: str
    would: str  # empty when no victim could be chosen
    undo: str  # how it is mended
    refusals: list[str]


def names() -> list[str]:
    """Every experiment, by the name of its file."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


def every() -> dict[str, dict[str, Any]]:
    """Every experiment's file by its name, in order; read once, however many are asked for."""
    return {name: dict(yaml.load((HERE / f"{name}.yaml").read_bytes(), Loader=_Loader)) for name in names()}


def load(name: str) -> dict[str, Any]:
    """An experiment's file, by its name or the id of its fault. Raises `UsageError`, with what there is."""
    known = every()
    by_fault = {fault: one for one, experiment in known.items() for fault in _faults(experiment)}
    wanted = by_fault.get(name.upper(), name)
    if wanted not in known:
        everything = [*known, *by_fault]
        raise UsageError(f"no experiment {name!r}{near(name, everything)}; `evenkeel chaos list` shows all")
    return known[wanted]


def run(name: str, settings: Settings, target: str = "", audits: Audits | None = None) -> Result:
    """Run one experiment to its end, the audits before and after it where they are given. Raises `UsageError`;
    everything else is in the result's verdict and reason."""
    experiment = _ready(name, settings, target)
    if not settings.allow_disruption:
        raise UsageError(NOT_ALLOWED)
    if audits is None:
        return _run(name, experiment)
    audits.before()
    result = _run(name, experiment)
    if result.injected is not None:
        check = audits.after()
        result.checks.append(check)
        if check.verdict == FAIL and result.verdict == PASS:
            result.verdict, result.reason = FAIL, f"{check.name}: {check.message}"
    return result


def audits_for(settings: Settings) -> Audits:
    """The audits of the cluster that the settings name. Raises `ClusterError`, `ProfileError`."""
    try:
        return around(_open(settings), safety.profile_of(settings.profile_name))
    except ReachError as error:
        raise ClusterError(str(error)) from error


def _run(name: str, experiment: dict[str, Any]) -> Result:
    journal = run_experiment(
        experiment, settings={"runtime": {"rollbacks": {"strategy": "always"}}}, strategy=Strategy.DEFAULT
    )
    if "evenkeel" in journal:
        return msgspec.convert(journal["evenkeel"], Result)
    return Result(
        name=str(extension(experiment).get("experiment") or name),
        fault=" + ".join(_faults(experiment)),
        title=str(experiment["title"]),
        target=str(experiment["configuration"].get("target", "")),
        reason=f"not begun: {journal.get('evenkeel_refusal') or _why(journal)}",
    )


def plan(name: str, settings: Settings, target: str = "") -> Plan:
    """What would be done to which object; reads only. Raises `UsageError`, `ClusterError`, `ProfileError`."""
    experiment = _ready(name, settings, target)
    this = safety.prepare(experiment, settings)
    refusals: list[str] = []
    try:
        safety.check(this, experiment)
    except (RefusedError, NoVictimError, RestError) as error:
        refusals.append(str(error))
    would, undo = "", ""
    for id_ in _faults(experiment):
        kind = find(id_)
        if this.not_applicable:
            break
        try:
            victim = kind.choose(this.scene, str(experiment["configuration"]["target"]))
            would = kind.plan(victim)
            back = kind.way_back(this.scene, victim)
            undo = back.text if back else "the cluster mends it by itself"
            refusals += [str(r) for r in bounds.refusals(this, kind, victim)]
        except Exception as error:  # a dry run on a broken cluster says so and goes on
            refusals.append(f"{type(error).__name__}: {error}")
    return Plan(name=name, fault=" + ".join(_faults(experiment)), would=would, undo=undo, refusals=refusals)


def settings_for(cluster: Cluster, **others: Any) -> Settings:
    """The settings that lead to a cluster already open."""
    reference = cluster.reference()
    return Settings(
        cluster=reference["provider"],
        kubeconfig=reference.get("kubeconfig", ""),
        context=reference.get("context", ""),
        **others,
    )


def capabilities(settings: Settings) -> frozenset[Capability]:
    """What may be broken in the cluster beside its objects. Raises `ClusterError` when there is no such cluster."""
    return _open(settings).capabilities


def reach(settings: Settings) -> bool:
    """True when the API answers. Raises `ClusterError` when there is no such cluster or it doesn't."""
    cluster = _open(settings)
    try:
        Rest.of(cluster).request("GET", "/version")
    except RestError as error:
        raise ClusterError(f"cluster {cluster.name!r} does not answer: {error}") from error
    return True


def _open(settings: Settings) -> Cluster:
    return open_cluster(
        settings.cluster, Path(settings.kubeconfig) if settings.kubeconfig else None, settings.context or None
    )


def leave(settings: Settings) -> None:
    """After the last experiment: undo what they shared, dismiss the watchdog. Never raises."""
    try:
        watch.end(_open(settings))
    except (ClusterError, JournalError) as error:
        logger.warning("left to the watchdog: %s", error)


def _ready(name: str, settings: Settings, target: str) -> dict[str, Any]:
    experiment = load(name)
    configuration = experiment.setdefault("configuration", {})
    if target:
        for id_ in _faults(experiment):
            if target not in find(id_).targets:
                known = ", ".join(f"{t} ({what})" for t, what in find(id_).targets.items())
                raise UsageError(f"{name}: no target {target!r}; there are {known}")
        configuration["target"] = target
    configuration[KEY] = msgspec.to_builtins(settings)
    try:
        ensure_experiment_is_valid(experiment)
    except ChaosException as error:
        raise UsageError(f"{name}: {error}") from error
    return experiment


def _faults(experiment: dict[str, Any]) -> list[str]:
    return [str(one) for one in extension(experiment).get("faults") or ()]


def _why(journal: dict[str, Any]) -> str:
    return f"Chaos Toolkit ended it as {journal.get('status')}; its log says why"
