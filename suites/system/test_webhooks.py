"""Admission webhooks: whoever the API server must ask can stop it."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import selectors
from fixtures.snapshot.endpoints import backing
from fixtures.snapshot.model.base import Object
from fixtures.snapshot.model.cluster import Namespace
from fixtures.snapshot.model.extension import Webhook
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.webhooks import webhooks

VITAL = frozenset({"", "apps", "batch", "coordination.k8s.io", "discovery.k8s.io", "*"})
"""API groups of what keeps a cluster running. A webhook about an operator's own kinds stops nobody else."""
NAME_LABEL = "kubernetes.io/metadata.name"
SYSTEM = "kube-system"


@control(
    "SYS-23",
    "Webhooks that must answer can, from two nodes, quickly, and not about what they themselves need",
    severity="high",
    reason="While a webhook with failurePolicy Fail is down, what it is asked about can't be created: with pods among "
    "it, not even its own.",
    remedy="Run two replicas on two nodes, set timeoutSeconds to 10 or less, exclude kube-system and the webhook's own "
    "namespace with namespaceSelector, or use failurePolicy Ignore.",
    source="F-24; Kubernetes: Admission Webhook Good Practices",
)
def test_failing_webhooks(snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For each webhook with failurePolicy Fail (the default): timeoutSeconds, 10 unless given, is at most the profile's
    `max_webhook_timeout_s`; where its rules touch core, apps, batch, Lease or EndpointSlice objects, its
    namespaceSelector leaves out kube-system and its own namespace (by kubernetes.io/metadata.name and, where they are
    known, the namespaces' labels; matchConditions may do the same and make it unknown). On a live cluster its Service
    has two Ready endpoints or more, on different nodes; a URL outside the cluster can't be looked behind.
    """
    labels = {n.name: {NAME_LABEL: n.name, **n.labels} for n in snapshot.of(Namespace)}
    for configuration, number, webhook in snapshot.derive(webhooks):
        if webhook.failure_policy == "Fail":
            _judge(configuration, number, webhook, labels, snapshot, profile, expect)


def _judge(
    configuration: Object,
    number: int,
    webhook: Webhook,
    labels: dict[str, dict[str, str]],
    snapshot: Snapshot,
    profile: Profile,
    expect: Expect,
) -> None:
    path = f"webhooks[{number}]"
    seconds = webhook.timeout_seconds
    message = f"{webhook.name}: the API server waits up to {seconds} s for it"
    expect(
        configuration, seconds <= profile.max_webhook_timeout_s, message, path=f"{path}.timeoutSeconds", value=seconds
    )
    service = webhook.client_config.service
    if any(VITAL.intersection(rule.api_groups or ()) for rule in webhook.rules or ()):
        needed = {SYSTEM, service.namespace} if service is not None else {SYSTEM}
        asked = sorted(
            n for n in needed if selectors.matches_all(webhook.namespace_selector, labels.get(n, {NAME_LABEL: n}))
        )
        if asked and (webhook.match_conditions or webhook.object_selector):
            expect.uncertain(configuration, f"{webhook.name}: whether its conditions leave out {' and '.join(asked)}")
        else:
            message = f"{webhook.name}: must also answer for {' and '.join(asked)}"
            expect(configuration, not asked, message, path=f"{path}.namespaceSelector", value=asked)
    if not snapshot.live:
        return
    if service is None:
        expect.note(f"{configuration.reference}: {webhook.name} is outside the cluster, its redundancy out of sight")
        return
    behind = backing(snapshot, service.namespace, service.name)
    where = f"{service.namespace}/{service.name}"
    message = f"{webhook.name}: {len(behind.addresses)} Ready endpoint(s) behind Service {where}"
    service_path = f"{path}.clientConfig.service"
    if expect(configuration, len(behind.addresses) >= 2, message, path=service_path, value=behind.addresses):
        message = f"{webhook.name}: all endpoints of Service {where} are on {', '.join(behind.nodes)}"
        expect(configuration, len(behind.nodes) != 1, message, path=service_path, value=behind.nodes)
