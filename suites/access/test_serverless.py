"""Serverless: what wakes services up must itself never sleep, and not everything may."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.budgets import Budgets
from fixtures.snapshot.serverless import PARTS, Serverless
from fixtures.snapshot.snapshot import Snapshot


@control(
    "ACC-40",
    "Knative's activator, autoscaler, controller and webhook run twice, and can be drained",
    severity="high",
    reason="The activator holds the requests for services that are asleep: with one, all of those fail together.",
    remedy="Set high-availability.replicas to 2 in KnativeServing (or the HPAs' minReplicas), and the budgets to "
    "maxUnavailable 1: 80 % of one or two pods, rounded up, is all of them.",
    source="S3-5, S0-34",
)
def test_knative_is_redundant(
    serverless: Serverless, budgets: Budgets, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """The four Deployments of knative-serving: the fewest pods, an autoscaler's minimum included, are at least the
    profile's `min_replicas`, and on a cluster as many are Ready; there all four exist. Each PodDisruptionBudget that
    selects one of them lets at least one pod go, counted as in APP-13. Where no Deployment is to be seen, a
    KnativeServing's high-availability.replicas; where it is silent its operator decides, which is unknown.
    """
    parts = serverless.parts()
    for name in PARTS:
        part = parts.get(name)
        if part is None:
            if parts and snapshot.live:
                expect(f"Deployment knative-serving/{name}", False, "it is not there", path="metadata.name")
            continue
        count = part.effective_replicas
        path, value = part.replicas_evidence
        message = f"{count} replica(s), wanted {profile.min_replicas}"
        expect(part, count >= profile.min_replicas, message, path=path, value=value)
        if snapshot.live and part.observed is not None:
            ready = part.observed.ready_replicas
            message = f"{ready} Ready pod(s), wanted {profile.min_replicas}"
            expect(part, ready >= profile.min_replicas, message, path="status.readyReplicas", value=ready)
    for budget in serverless.budgets():
        room = budgets.room(budget)
        if room is not None:
            expect(budget, not room.wrong, room.wrong, path=room.path, value=room.value)
    if parts:
        return
    for installation in serverless.installations():
        given = installation.spec.get("high-availability")
        replicas = given.get("replicas") if isinstance(given, dict) else None
        path = "spec.high-availability.replicas"
        if not isinstance(replicas, int):
            wrong = "is not set: some operators choose 1, some 2" if replicas is None else f"is no number: {replicas!r}"
            expect.uncertain(installation, f"{path} {wrong}")
            continue
        message = f"{replicas} replica(s) of each part, wanted {profile.min_replicas}"
        expect(installation, replicas >= profile.min_replicas, message, path=path, value=replicas)


@control(
    "ACC-41",
    "Knative services are Ready, keep two pods unless they may sleep, and say how much one pod takes",
    severity="medium",
    reason="A service that sleeps, or has one pod, answers late or not at all when that pod or its node goes.",
    remedy="Set the annotation autoscaling.knative.dev/min-scale to 2, or name the service in the profile's "
    "serverless.scale_to_zero; set containerConcurrency or autoscaling.knative.dev/target.",
    source="S0-34, S3-5",
)
def test_knative_services(serverless: Serverless, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Each Knative Service in scope: on a cluster its Ready condition is True; its revisions' min-scale (config-
    autoscaler's where it says nothing, 0 where that doesn't either) is at least the profile's `min_replicas`, unless
    the profile's `serverless.scale_to_zero` names it; and containerConcurrency is above 0 or a target is set.
    """
    for service in serverless.services():
        if snapshot.live:
            ready = next((c for c in service.status.conditions or () if c.type == "Ready"), None)
            status = ready.status if ready else "absent"
            why = f": {ready.reason} {ready.message}".rstrip() if ready else ""
            path = "status.conditions[Ready]"
            expect(service, status == "True", f"it is not Ready{why}", path=path, value=status)
        count, path, value = serverless.min_scale(service)
        if count is None:
            expect(service, False, f"min-scale {value!r} is no number", path=path, value=value)
        elif not serverless.may_sleep(service):
            message = f"it may shrink to {count} pod(s), wanted {profile.min_replicas}"
            expect(service, count >= profile.min_replicas, message, path=path, value=value)
        concurrency = service.spec.template.spec.container_concurrency or 0
        target = service.setting("target")
        path = "spec.template.spec.containerConcurrency"
        expect(service, concurrency > 0 or target, "nothing says how many requests a pod takes", path=path)
