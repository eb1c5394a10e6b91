"""Chaos Toolkit actions: what the `method` and the `rollbacks` of an experiment file call.

They work only inside a trial, which the safety control begins after preflight: without it nothing can be changed.
"""

from __future__ import annotations

import logging
import math
import time

from chaoslib.exceptions import InterruptExecution

from experiments import baseline
from experiments.bounds import refusals
from experiments.checks import seen_meanwhile
from experiments.faults.catalogue import fault as find
from experiments.result import PASS
from experiments.trial import Injection, current, found
from fixtures.prober.outage import GOOD_RUN
from fixtures.safety.heal import heal as heal_journal
from fixtures.safety.heal import reopen, undo_one
from fixtures.safety.preflight import RefusedError
from fixtures.safety.rest import RestError

logger = logging.getLogger("evenkeel.experiments")

LOOK_S = 0.2
REPORTS_S = 11.0
"""A kubelet that can't tell the API server of a pod's state tries again when the next pod changes, or every 10 s
(`syncPeriod` of pkg/kubelet/status in Kubernetes 1.36). Until then the API shows what was true before."""


class ActionError(Exception):
    """An action did not do what it should; the text says what and why."""


def inject(fault: str, target: str = "") -> str:
    """Choose a victim, write down the way back, break it. Returns what was done."""
    trial = current()
    kind = find(fault)
    victim = kind.choose(trial.scene, target or next(iter(kind.targets)))
    if refused := refusals(trial, kind, victim):
        raise RefusedError(refused)
    injection = Injection(fault=kind, victim=victim)
    if trial.guard is None or trial.journal is None:
        raise ActionError("no watchdog watches this trial; nothing was changed")
    trial.guard.check()
    back = kind.way_back(trial.scene, victim)
    if back is not None:
        injection.entry = trial.journal.record(kind.id, back)
    trial.injections.append(injection)
    kind.set_up(trial.scene, victim)
    if trial.injected is None and not baseline.kept(trial):
        trial.troubles.append(baseline.missed(trial))
        raise ActionError(trial.troubles[-1])
    trial.checks += [
        seen_meanwhile.look(trial.scene.cluster, trial.profile, control, victim.name, seen_meanwhile.BEFORE)
        for control in kind.foreseen_by
    ]
    injection.before = dict(kind.evidence(trial.scene, victim))
    _note_waiting()
    injection.injected = trial.clock.now()
    kind.inject(trial.scene, victim)
    injection.in_place = trial.clock.now()
    said = kind.plan(victim)
    logger.info("injected %s", said)
    return said


def prove() -> bool:
    """Wait until every injection is proven to have happened; False when one is not in time."""
    trial = current()
    proven = True
    for injection in trial.injections:
        deadline = trial.clock.now() + injection.fault.proof_within_s
        unseen = ""
        while injection.proven is None and trial.clock.now() < deadline:
            try:
                after = dict(injection.fault.evidence(trial.scene, injection.victim))
                injection.after, unseen = after, ""
                if injection.fault.proven(injection.before, after):
                    injection.proven = trial.clock.now()
                    break
            except InterruptExecution:  # SIGTERM, which came while the cluster was asked
                raise
            except Exception as error:  # the cluster is broken: asking may fail in any way, and is asked again
                unseen = f"; the last look failed: {error}"
            time.sleep(LOOK_S)
        if injection.proven is None:
            proven = False
            trial.troubles.append(
                f"{injection.fault.id} on {injection.victim} is not proven within "
                f"{injection.fault.proof_within_s:.0f} s: {dict(injection.before)} became {dict(injection.after)}"
                f"{unseen}"
            )
    return proven


def audit() -> bool:
    """Judge the cluster, while it is broken, by the controls that must find this fault; False when one does not."""
    trial = current()
    wanted = [(control, one.victim.node) for one in trial.injections for control in one.fault.seen_by]
    found = [seen_meanwhile.look(trial.scene.cluster, trial.profile, *one) for one in wanted]
    trial.checks += found
    return all(check.verdict == PASS for check in found)


def observe(least_s: float = 5.0, longest_s: float = 60.0) -> float:
    """Let it be broken: at least `least_s`, until everything that can recover has, at most `longest_s` seconds."""
    trial = current()
    began = trial.injected
    if began is None:
        return 0.0
    while (elapsed := trial.clock.now() - began) < longest_s:
        if elapsed >= least_s and _over() and _answering(trial.stops):
            break
        time.sleep(LOOK_S)
    _note_waiting()
    _look_again()
    return round(trial.clock.now() - began, 3)


def _note_waiting() -> None:
    """How long something has waited for a processor by now, where all nodes share one machine."""
    trial = current()
    waited = trial.scene.cluster.waited_s()
    if waited is not None:
        trial.waits.append((trial.clock.now(), waited))


def _look_again() -> None:
    """The evidence as it is at the end of the observation: leaders have moved since the fault was proven."""
    for injection in current().injections:
        if injection.proven is None:
            continue
        try:
            after = dict(injection.fault.evidence(current().scene, injection.victim))
        except InterruptExecution:
            raise
        except Exception as error:  # what is known suffices
            logger.debug("no further evidence: %s", error)
            continue
        if injection.fault.proven(injection.before, after):
            injection.after = after


def heal() -> list[str]:
    """Take back what was changed; harmless when there is nothing. Returns what was undone."""
    trial = found()
    if trial is None or trial.journal is None:
        return []
    undone: list[str] = []
    for injection in reversed(trial.injections):
        if injection.healed is not None:
            continue
        injection.healing = trial.clock.now()
        if injection.entry is not None:
            by = trial.journal.undone_by(injection.entry)
            if by is not None:
                trial.troubles.append(f"{injection.victim} was healed by the {by}, not by the runner")
            else:
                try:
                    undo_one(trial.journal, injection.entry, "runner", reopen)
                except Exception as error:
                    logger.warning("healing %s: %s; trying again", injection.victim, error)
                    # Only this: the run's Lease and its writes are still needed, to be looked at.
                    others = frozenset(e.id for e in trial.journal.entries() if e.id != injection.entry)
                    result = heal_journal(trial.journal, "runner", patience_s=60.0, keep=others)
                    if result.failed:
                        raise ActionError(
                            f"not healed: {'; '.join(result.failed)}; run `evenkeel chaos heal`"
                        ) from error
            undone.append(str(injection.victim))
        injection.healed = trial.clock.now()
    return undone


def wait_healthy(within_s: float = 120.0, settle_s: float = 2.0, reports_s: float = REPORTS_S) -> bool:
    """Wait until the cluster is as it should be, for `settle_s` in a row and until `reports_s` after the last time that
    the API did not answer: what the API shows before may be old. False when it isn't in time."""
    trial = current()
    deadline = trial.clock.now() + within_s
    since: float | None = None
    troubles: list[str] = ["not looked at yet"]
    while trial.clock.now() < deadline:
        troubles = trial.scene.troubles()
        if troubles:
            since = None
        else:
            since = since or trial.clock.now()
            settled = trial.clock.now() - since >= settle_s and _answering()
            if settled and trial.clock.now() - _api_failed() >= reports_s:
                trial.healthy = since
                return True
        time.sleep(LOOK_S)
    trial.troubles.append(f"not healthy again within {within_s:.0f} s: {'; '.join(troubles)}")
    return False


def _over() -> bool:
    trial = current()
    changes = trial.changes
    return all(i.injected is None or i.fault.over(trial.scene, i.victim, changes, i.injected) for i in trial.injections)


def _answering(without: frozenset[str] = frozenset()) -> bool:
    """Whether the last probes of every target were good ones; those of the kinds `without` are not asked for."""
    trial = current()
    if trial.prober is None:
        return True
    header, samples = trial.prober.samples()
    kinds = {str(t["name"]): str(t["kind"]) for t in header.targets}
    asked = [one for name, one in samples.items() if kinds[name] not in without]
    last = [[s for s in one if s.outcome.judged][-2 * GOOD_RUN :] for one in asked]
    return all(s.ok for one in last for s in one)


def _api_failed() -> float:
    """When a probe of the API failed last, monotonic seconds; long ago when none has."""
    trial = current()
    if trial.prober is None:
        return -math.inf
    header, samples = trial.prober.samples()
    asked = [samples[str(t["name"])] for t in header.targets if str(t["kind"]).startswith("api-")]
    failed = [s.scheduled for one in asked for s in one if s.outcome.judged and not s.ok]
    return header.monotonic_ns / 1e9 + max(failed, default=-math.inf)


def api_answers() -> bool:
    """Whether the API answers at all."""
    try:
        current().scene.rest.request("GET", "/readyz")
    except RestError:
        return False
    return True
