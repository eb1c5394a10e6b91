"""From a trial to its result. What could not be shown to have happened, or to have been measured, is never a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments import leaders
from experiments.checks import shared_machine
from experiments.corroboration.corroborate import corroborate
from experiments.measurement import RESOLUTION_S, explain, targets
from experiments.phases import answering_again, by_time, phases
from experiments.result import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Check, Proof, Result
from experiments.trial import Injection, Trial
from fixtures.clusters.cluster import ClusterError
from fixtures.prober.sample import SamplesError
from fixtures.safety.rest import RestError


def conclude(trial: Trial, journal: Mapping[str, Any]) -> Result:
    """The result of a finished trial. `journal` is Chaos Toolkit's."""
    text = trial.clock.text
    first = trial.injections[0] if trial.injections else None
    result = Result(
        name=trial.name,
        fault=trial.meant or " + ".join(dict.fromkeys(i.fault.id for i in trial.injections)),
        title=trial.title,
        target=", ".join(str(i.victim) for i in trial.injections) or trial.aim,
        driver=trial.scene.cluster.provider if first and first.fault.needs else "any",
        proof=proof(trial.injections),
        started=text(trial.started),
        injected=text(trial.injected),
        proven=text(first.proven if first else None),
        healed=text(trial.healed),
        healthy=text(trial.healthy),
        finished=text(trial.clock.now()),
        checks=list(trial.checks),
    )
    if trial.injected is not None:
        result.phases = phases(trial)
        result.checks += budgeted(trial) + claimed(trial) + shared_machine.remark(trial.waits)
        try:
            result.targets = targets(trial)
            result.phases = sorted([*result.phases, *answering_again(trial, result.targets)], key=by_time)
        except (OSError, SamplesError) as error:
            trial.troubles.append(f"not measured: {error}")
        result.corroboration, said = corroborate(trial, result.targets)
        result.checks += said
        if any(one.fault.watches_leaders for one in trial.injections):
            result.leaders = leaders.of_leases(trial.elections, trial.injected, trial.clock.wall)
            result.leaders += leaders.of_etcd(*trial.raft, result.corroboration.statements)
    result.verdict, result.reason = verdict(trial, result, str(journal.get("status")))
    return result


def verdict(trial: Trial, result: Result, status: str) -> tuple[str, str]:
    """The one verdict, and why."""
    if trial.not_applicable:
        return NOT_APPLICABLE, trial.not_applicable
    if trial.refused:
        return UNKNOWN, "; ".join(trial.refused)
    if trial.injected is None:
        return UNKNOWN, "; ".join(trial.troubles) or f"nothing was injected (Chaos Toolkit says {status})"
    if not result.proof.proven:
        why = trial.troubles or [f"Chaos Toolkit ended it as {status}"]
        return UNKNOWN, "the fault could not be proven to have happened; " + "; ".join(why)
    failed = [explain(t) for t in result.targets if t.verdict == FAIL]
    failed += [f"{c.name}: {c.message}" for c in result.checks if c.judged and c.verdict == FAIL]
    if trial.healthy is None:
        failed += trial.troubles or ["not healthy again"]
    if failed:
        return FAIL, "; ".join(failed)
    unsure = [f"{c.name}: {c.message}" for c in result.checks if c.judged and c.verdict == UNKNOWN]
    unsure = [*trial.troubles, *unsure]
    unsure += [f"{t.name} was not measured" for t in result.targets if t.verdict == UNKNOWN]
    if status not in ("completed", "None"):
        unsure.append(f"Chaos Toolkit ended it as {status}")
    if unsure or not result.targets:
        return UNKNOWN, "; ".join(unsure) or "nothing was measured"
    worst = max((t for t in result.targets if t.budget_s is not None), key=lambda t: t.longest_outage_s, default=None)
    return PASS, f"within every budget; {explain(worst)}" if worst else "nothing had a budget"


def proof(injections: Sequence[Injection]) -> Proof:
    """All evidence of all injections; proven only when each is."""
    many = len(injections) > 1
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for number, one in enumerate(injections, 1):
        mark = f"{number}: " if many else ""
        before |= {mark + key: value for key, value in one.before.items()}
        after |= {mark + key: value for key, value in one.after.items()}
    return Proof(
        what=", ".join(before),
        before=before,
        after=after,
        proven=bool(injections) and all(i.proven is not None for i in injections),
    )


def budgeted(trial: Trial) -> list[Check]:
    """Takeovers, replacements, restarts: times with a budget beside the outages. What may have been in time, as far as
    two looks can tell, was in time."""
    changes = trial.changes
    checks = []
    for one in trial.injections:
        if one.injected is None:
            continue
        for recovery in one.fault.recoveries(trial.scene, one.victim, changes, one.injected):
            budget = trial.profile.budget(one.fault.id, recovery.name)
            if recovery.seconds is not None and not recovery.judged:
                said = f"{recovery.what} after {recovery.seconds:.2f} s"
                checks.append(Check(name=recovery.name, verdict=PASS, message=said, seconds=_short(recovery.seconds)))
            elif recovery.seconds is None:
                said = f"not seen: {recovery.what}"
                allowed = budget if recovery.judged else None
                checks.append(Check(name=recovery.name, verdict=FAIL, message=said, budget_s=allowed))
            else:
                kept = recovery.seconds - RESOLUTION_S <= budget
                said = f"{recovery.what} after {recovery.seconds:.2f} s ± {RESOLUTION_S:g}, budget {budget:g} s"
                checks.append(
                    Check(
                        name=recovery.name,
                        verdict=PASS if kept else FAIL,
                        message=said,
                        seconds=_short(recovery.seconds),
                        budget_s=budget,
                    )
                )
    return checks


def _short(seconds: float) -> float:
    return round(seconds, 3)


def claimed(trial: Trial) -> list[Check]:
    """What else each fault's observation had to show; what can't be read by then is unknown."""
    changes = trial.changes
    found: list[Check] = []
    for one in trial.injections:
        if one.injected is not None:
            try:
                found += one.fault.claims(trial.scene, one.victim, changes, one.injected)
            except (RestError, ClusterError) as error:
                said = f"what {one.fault.id} had to show could not be read: {error}"
                found.append(Check(name="claims", verdict=UNKNOWN, message=said))
    return found
