"""F-26: the application is updated while it serves: a good revision, one that is never Ready, and its rollback."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from experiments.faults import revisions
from experiments.faults.fault import Evidence, Fault, Recovery, Step, Victim
from experiments.faults.revisions import Rolling
from experiments.observer import Change, Watched
from experiments.result import Check
from experiments.scene import Scene
from fixtures.clusters.cluster import ClusterError
from fixtures.safety.preflight import APP, Permission, Refusal, Scenery
from fixtures.safety.undo import Undo, way_back
from fixtures.snapshot.arithmetic import Malformed

GOOD, BAD, ROLLBACK = "good", "bad", "rollback"
SEEN_WITHIN_S = 60.0
BEFORE_ROLLBACK_S = 3.0  # somebody has to notice first


class RollingUpdate(Fault):
    """Releases are the most frequent disturbance there is, and the only one that is always somebody's own doing.

    The good revision differs from the one that runs by an annotation; the bad one also by readiness probes of a port
    that nobody listens at. Healing is a rollback under the same fire, after which nothing tells of ours.
    """

    id = "F-26"
    title = "roll out another revision of the application"
    targets = {
        GOOD: "one like the revision that runs",
        BAD: "one that is never Ready, left to itself",
        ROLLBACK: "one that is never Ready, rolled back soon after",
    }
    soaks = True
    permissions = (
        Permission("patch", "deployments", "apps", APP),
        *(Permission(verb, "replicasets", "apps", APP) for verb in ("list", "delete")),
    )
    proof_within_s = 60.0

    def choose(self, scene: Scene, target: str) -> Victim:
        deployment = scene.deployment()
        revision = deployment.annotations.get("deployment.kubernetes.io/revision", "?")
        return Victim(
            kind="Deployment",
            name=deployment.name,
            namespace=scene.app_namespace,
            uid=deployment.metadata.uid,
            why=f"{self.targets[target]}, after revision {revision}",
            target=target,
            mark=f"{target}-{secrets.token_hex(4)}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        deployment = scene.deployment()
        if deployment.spec.paused:
            wait = "nothing would be rolled out: `kubectl rollout resume` it first"
            return [Refusal(object=scene.app, value="is paused", next=wait)]
        try:
            wrong = revisions.bounds(deployment).wrong
        except Malformed as error:
            wrong = str(error)
        advice = "mend its strategy: an update now would be an outage, or never end"
        return [Refusal(object=scene.app, value=wrong, next=advice)] if wrong else []

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [revisions.watched(scene)]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        _, back = self._patches(scene, victim)
        return way_back(
            revisions.restore,
            f"roll {victim.namespace}/{victim.name} back to the template it had",
            scene.cluster,
            {"namespace": victim.namespace, "deployment": victim.name, "mark": victim.mark, "back": back},
        )

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """The ReplicaSet that only our template can have made."""
        found = revisions.replica_sets(scene.rest, victim.namespace, victim.mark)
        said = [f"{r.name}, {r.status.replicas} pod(s), {r.status.ready_replicas} Ready" for r in found]
        return {"ReplicaSet of the new revision": "; ".join(said) or "none"}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return super().proven(before, after) and "none" not in after.values()

    def inject(self, scene: Scene, victim: Victim) -> None:
        forth, back = self._patches(scene, victim)
        revisions.patch(scene.rest, victim.namespace, victim.name, forth)
        if victim.target == ROLLBACK:
            _wait_for_ours(scene)
            time.sleep(BEFORE_ROLLBACK_S)
            revisions.roll_back(scene.rest, victim.namespace, victim.name, back)

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        seen = revisions.looks(scene, changes, injected)
        found = []
        begun = next((at for at, r in seen if r.ours), None)
        if begun is not None:
            found.append(Step(kind="acted", at=begun, what="the first pod of the new revision was created"))
        if victim.target == GOOD:
            first_ready = next((at for at, r in seen if r.ours_ready), None)
            if first_ready is not None:
                found.append(Step(kind="acted", at=first_ready, what="the first pod of the new revision is Ready"))
        done = _done(victim, seen)
        if done is not None:
            found.append(Step(kind="recovered", at=done[1], what=_DONE[victim.target]))
        return found

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        """How long it takes is the application's business: how soon its pods are Ready, and how many may go at once."""
        done = _done(victim, revisions.looks(scene, changes, injected))
        seconds = None if done is None else done[1] - (done[0] if victim.target == ROLLBACK else injected)
        return [Recovery(name=f"{victim.target}-revision", seconds=seconds, what=_DONE[victim.target], judged=False)]

    def claims(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Check]:
        seen = revisions.looks(scene, changes, injected)
        allowed = revisions.bounds(scene.deployment())
        found = [revisions.within_bounds(seen, allowed)]
        if victim.target != GOOD:
            found += [revisions.stopped(seen, allowed), revisions.no_traffic(seen, changes, injected)]
        return found

    @staticmethod
    def _patches(scene: Scene, victim: Victim) -> tuple[revisions.Patch, revisions.Patch]:
        template = revisions.template(scene.rest, victim.namespace, victim.name)
        return revisions.patches(template, victim.mark, deaf=victim.target != GOOD)


_DONE = {
    GOOD: "every replica is of the new revision and Ready",
    BAD: "the bad revision has pods, and all others go on",
    ROLLBACK: "every replica is of the old revision again, none of the bad one is left",
}


def _done(victim: Victim, seen: Sequence[tuple[float, Rolling]]) -> tuple[float, float] | None:
    """When what was wanted began and when it was so; None while it isn't."""
    if not seen:
        return None
    begun = seen[0][0]
    if victim.target == ROLLBACK:
        asked = [at for (at, r), (_, old) in zip(seen[1:], seen, strict=False) if old.ours_wanted and not r.ours_wanted]
        if not asked:
            return None
        begun = asked[0]
    for at, look in seen:
        if at < begun:
            continue
        if victim.target == GOOD and look.ours_wanted and look.ours and not look.theirs:
            whole = look.ours_ready == len(look.ours)
        elif victim.target == ROLLBACK:
            whole = not look.ours and look.theirs_ready == look.theirs
        else:
            whole = victim.target == BAD and bool(look.ours)
        if whole:
            return begun, at
    return None


def _wait_for_ours(scene: Scene) -> None:
    """Raises `ClusterError` when no pod of ours is made in time, `RestError`."""
    deadline = time.monotonic() + SEEN_WITHIN_S
    while not any(revisions.MARK in p.annotations for p in scene.app_pods()):
        if time.monotonic() > deadline:
            raise ClusterError(f"{scene.app}: no pod of the new revision within {SEEN_WITHIN_S:.0f} s")
        time.sleep(0.2)
