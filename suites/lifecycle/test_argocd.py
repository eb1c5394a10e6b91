"""Argo CD: what is in Git gets into the cluster, stays there, and comes from something that itself survives."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import argocd
from fixtures.snapshot.loose import at, mapping, text, whole
from fixtures.snapshot.model.delivery import ArgoApplication
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "LCM-01",
    "Argo CD delivers one fixed revision by itself, and takes back what was changed by hand",
    severity="medium",
    reason="What nobody reconciles drifts, and a moving revision delivers what nobody decided to deliver.",
    remedy="Set syncPolicy.automated with prune and selfHeal, and targetRevision to a tag, commit or chart version.",
    source="S3-13, S1-1, S1-2, S1-4",
)
def test_applications_reconcile(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For Applications, and the template of ApplicationSets: syncPolicy.automated is there and not disabled, with prune
    and selfHeal (both false unless given); retry.limit is not 0 (absent means 5); every source's targetRevision is
    fixed: none of the profile's `lifecycle.moving_revisions`, no range, for a chart one exact version. A revision that
    an ApplicationSet's generator fills in is not judged. On a cluster each Application is also Synced and Healthy; one
    that is being synchronized right now (Progressing) is unknown. Where the profile asks for an approval
    (`lifecycle.approvals`), a manual sync is that approval.
    """
    if "gitops" in profile.lifecycle.required and not snapshot.of(ArgoApplication):
        expect("cluster", False, "the profile requires GitOps, and there is no Argo CD Application")
    for subject, spec, path in argocd.delivered(snapshot):
        if not profile.lifecycle.approved(f"{subject.namespace}/{subject.name}"):
            _automated(subject, spec, path, expect)
        for source in argocd.sources(spec, path):
            message = f"revision {source.revision or 'HEAD'!r} moves by itself"
            moves = source.moves(profile.lifecycle.moving_revisions)
            expect(subject, not moves, message, path=source.path, value=source.revision)
    if snapshot.live:
        for application in snapshot.of(ArgoApplication):
            _settled(application, expect)


def _automated(subject: argocd.Delivered, spec: dict[str, object], path: str, expect: Expect) -> None:
    policy = mapping(spec, "syncPolicy")
    automated = policy.get("automated")
    here = f"{path}.syncPolicy.automated"
    on = isinstance(automated, dict) and automated.get("enabled") is not False
    if expect(subject, on, "nothing synchronizes it but a person", path=here, value=automated):
        for name, why in (("prune", "what Git no longer has stays"), ("selfHeal", "changes by hand stay")):
            value = at(automated, name)
            expect(subject, value is True, f"{name} is off: {why}", path=f"{here}.{name}", value=value)
    retry = policy.get("retry")
    limit = whole(retry, "limit") if isinstance(retry, dict) else argocd.DEFAULT_RETRIES
    message = "a sync that fails once is not tried again"
    expect(subject, limit != 0, message, path=f"{path}.syncPolicy.retry.limit", value=limit)


def _settled(application: ArgoApplication, expect: Expect) -> None:
    health = text(application.status, "health.status")
    if health == "Progressing":
        expect.uncertain(application, "it is being brought up to date right now")
        return
    sync = text(application.status, "sync.status")
    expect(application, sync == "Synced", f"is {sync or 'not judged yet'}", path="status.sync.status", value=sync)
    message = f"is {health or 'not judged yet'}: {text(application.status, 'health.message')}".rstrip(": ")
    expect(application, health == "Healthy", message, path="status.health.status", value=health)


@control(
    "LCM-02",
    "Argo CD itself is highly available",
    severity="high",
    live=True,
    reason="While its server, repository server or Redis is down nothing is delivered, mended or rolled back.",
    remedy="Install its HA manifests: two servers, two repository servers, Redis with Sentinel; number the shards.",
    source="S1-1",
)
def test_argocd_is_redundant(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """In every namespace with an Argo CD server: `server` and `repo-server` each have the profile's `min_replicas` of
    Ready pods; Redis has three Ready pods of a StatefulSet (Sentinel needs a majority), and its proxies, if any,
    `min_replicas`; ARGOCD_CONTROLLER_REPLICAS is the number of controllers, where there are several of a StatefulSet:
    otherwise they all work on every cluster at once. A Redis that is somewhere else is unknown.
    """
    for namespace, parts in argocd.parts(workloads.everywhere()).items():
        for part in ("server", "repo-server"):
            for workload in parts.get(part, ()):
                _ready(workload, profile.min_replicas, expect)
        if "repo-server" not in parts:
            expect(f"Argo CD {namespace}", False, "no repository server runs")
        stores = parts.get("redis", [])
        if not stores:
            expect.uncertain(f"Argo CD {namespace}", "its Redis is not in this namespace, so can't be judged")
        for workload in stores:
            if "haproxy" in workload.name:
                _ready(workload, profile.min_replicas, expect)
                continue
            message = "a Redis without Sentinel: its loss stops Argo CD until it is back"
            if expect(workload, workload.kind == "StatefulSet", message, path="kind", value=workload.kind):
                _ready(workload, profile.lifecycle.min_quorum, expect)
        for workload in parts.get("application-controller", ()):
            _sharded(workload, expect)


def _ready(workload: Workload, wanted: int, expect: Expect) -> None:
    ready = workload.observed.ready_replicas if workload.observed else 0
    message = f"{ready} Ready pod(s), wanted {wanted}"
    expect(workload, ready >= wanted, message, path="status.readyReplicas", value=ready)


def _sharded(workload: Workload, expect: Expect) -> None:
    if workload.kind != "StatefulSet":
        return  # a Deployment's controllers share the clusters out among themselves
    variables = [v for c in workload.spec.containers or () for v in c.env or ()]
    told = next((v.value for v in variables if v.name == "ARGOCD_CONTROLLER_REPLICAS"), "")
    shards = int(told) if told.isdigit() else 0
    message = f"{workload.replicas} controller(s), but told of {told or 'none'}"
    path = "spec.template.spec.containers[].env[ARGOCD_CONTROLLER_REPLICAS]"
    expect(workload, max(shards, 1) == workload.replicas, message, path=path, value=told)
