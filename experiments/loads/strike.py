"""A fault in the middle of a load test: chosen, journalled, injected and proven as in an experiment of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from experiments.faults.catalogue import fault as find
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.loads.stage import Stage, StageError
from experiments.scene import Scene
from fixtures.clusters import reopen
from fixtures.safety import undo
from fixtures.safety.rest import RestError


def possible(stage: Stage, fault: str) -> bool:
    """Whether this cluster lets itself be broken so."""
    return find(fault).needs <= stage.cluster.capabilities


def strike(stage: Stage, fault: str, target: str, app: str) -> None:
    """Break something of an application in the stage's namespace; mended by the cluster itself.

    Raises StageError when it would break too much, or could not be proven to have happened.
    """
    with struck(stage, fault, target, app):
        pass


@contextlib.contextmanager
def struck(stage: Stage, fault: str, target: str, app: str) -> Iterator[Victim]:
    """The same, and mended at the end of the block where it does not mend by itself."""
    kind = find(fault)
    scene = Scene(stage.cluster, stage.rest, stage.namespace, app)
    try:
        victim = kind.choose(scene, target)
        refusals = kind.blast(scene, scene.scenery(), victim)
    except NoVictimError as error:
        raise StageError(f"{fault}: {error}") from error
    if refusals:
        raise StageError(f"{fault}: {'; '.join(map(str, refusals))}")
    before = kind.evidence(scene, victim)
    back = kind.way_back(scene, victim)
    if back is not None:
        stage.journal(back)
    stage.mark("acted", f"{fault} {kind.title}: {victim.name}")
    kind.inject(scene, victim)
    stage.wait(f"{fault} on {victim.name} is proven", lambda: _proven(kind, scene, victim, before), kind.proof_within_s)
    try:
        yield victim
    finally:
        if back is not None:
            undo.call(back, reopen)
            stage.mark("acted", f"{back.text}")


def _proven(kind: Fault, scene: Scene, victim: Victim, before: Evidence) -> bool:
    with contextlib.suppress(RestError):
        return kind.proven(before, kind.evidence(scene, victim))
    return False
