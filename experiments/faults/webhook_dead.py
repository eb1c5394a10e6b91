"""F-24: an admission webhook that must answer is dead, and what it is asked about can't be made any more."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from experiments.aftermath import Aftermath
from experiments.faults import own_pods, own_webhook
from experiments.faults.fault import Evidence, Fault, Victim
from experiments.result import Check
from experiments.scene import Scene
from fixtures.prober.config import Target
from fixtures.safety.undo import Undo, way_back

CREATE = "pod-create"


class WebhookDead(Fault):
    """The webhook is our own, with one server, asked about pods of our own namespace only. It stands before, so that
    the audit can find it while all is well; then its server ends for good.

    Healing removes the webhook: a new server could not be made in a namespace whose pods the dead one must admit.
    """

    id = "F-24"
    title = "kill the server of an admission webhook"
    targets = {"own": "a webhook of our own with failurePolicy Fail, about pods of our own namespace"}
    soaks = True
    permissions = own_webhook.PERMISSIONS
    stops = frozenset({CREATE})
    foreseen_by = ("SYS-23",)
    proof_within_s = 30.0

    def choose(self, scene: Scene, target: str) -> Victim:
        name = f"evenkeel-webhook-{secrets.token_hex(4)}"
        return Victim(kind="ValidatingWebhookConfiguration", name=name, why="our own, with one server")

    def probes(self, scene: Scene) -> Sequence[Target]:
        """Pods that are asked for and, being dry runs, never made."""
        return [
            Target(
                name=CREATE,
                kind=CREATE,
                url=f"{scene.rest.host}{own_pods.PATH}?dryRun=All",
                method="POST",
                headers={**scene.rest.credentials(), "Content-Type": "application/json"},
                body=msgspec.json.encode(own_webhook.pod()).decode(),
                reuse=True,
                interval_s=0.2,
            )
        ]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"remove webhook {victim.name} and its server"
        return way_back(own_webhook.remove, text, scene.cluster, {"webhook": victim.name})

    def set_up(self, scene: Scene, victim: Victim) -> None:
        scene.cluster.provide([own_pods.AGNHOST])
        own_webhook.stand(scene, victim.name)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        return {
            f"endpoints of {victim.name}": ", ".join(own_webhook.endpoints(scene.rest, victim.name)) or "none",
            "creation of a pod": own_webhook.creation(scene.rest),
        }

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Nobody behind it, and refused for that reason and no other."""
        gone, refused = after.values()
        return super().proven(before, after) and gone == "none" and "failed calling webhook" in refused

    def inject(self, scene: Scene, victim: Victim) -> None:
        own_pods.remove(scene.cluster, victim.name)

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """None may slip through while it must answer, and all must be let in again once it is out of the way."""
        return [aftermath.refused(CREATE), aftermath.returned(CREATE)]
