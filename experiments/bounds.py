"""What a fault may touch: the application's namespace, and those that the profile names. Of the lab, everything."""

from __future__ import annotations

from fnmatch import fnmatchcase

from experiments.faults.fault import Fault, Victim
from experiments.trial import Trial
from fixtures.safety.ground import NAMESPACE
from fixtures.safety.preflight import Refusal


def refusals(trial: Trial, fault: Fault, victim: Victim) -> list[Refusal]:
    """Every reason not to break this victim now. How much goes with it is no reason where the profile lets this fault
    go beyond one failure's worth. Raises `RestError`."""
    found = outside(trial, victim)
    if found or fault.id in trial.profile.disruption.beyond:
        return found
    return fault.blast(trial.scene, trial.scene.scenery(), victim)


def outside(trial: Trial, victim: Victim) -> list[Refusal]:
    """A victim in a namespace that nobody named."""
    named = [trial.scene.app_namespace, NAMESPACE, *trial.profile.disruption.namespaces]
    if trial.scene.cluster.disposable or not victim.namespace:
        return []
    if any(fnmatchcase(victim.namespace, glob) for glob in named):
        return []
    return [
        Refusal(
            object=str(victim),
            value=f"namespace {victim.namespace} was not named as one that may be broken",
            next="list it in the profile under disruption.namespaces, or leave this fault out",
        )
    ]
