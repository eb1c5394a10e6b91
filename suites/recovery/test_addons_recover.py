"""What becomes of a cluster when something goes that it asks: for measurements, or for permission."""

from __future__ import annotations

from experiments.faults.catalogue import fault
from experiments.plugin import Run
from fixtures.clusters.cluster import Cluster
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-24",
    "A dead admission webhook stops what it is asked about and nothing else, and was found before",
    severity="high",
    reason="With failurePolicy Fail a webhook is a part of the control plane that nobody runs like one: when it dies, "
    "so does every deployment, and the repair of the webhook itself.",
    remedy="Two servers on two nodes, a short timeout, a namespaceSelector that leaves out kube-system and the "
    "webhook's own namespace, or failurePolicy Ignore.",
    source="F-24; Kubernetes: Admission Webhook Good Practices",
    live=True,
    set="complete",
)
def test_a_dead_webhook_was_found_before(run: Run, profile: Profile, expect: Expect) -> None:
    """A webhook of our own with failurePolicy Fail and one server is asked about pods of our own namespace. SYS-23 must
    name it; then its server ends. No pod may be made there from then on until the webhook is removed, and any right
    after it, within the profile's budget `return` for F-24; the API and the application must not notice."""
    judge(run("webhook-dead"), "F-24", profile, expect)


@control(
    "REC-25",
    "Nothing shrinks and nothing stops while nobody measures",
    severity="medium",
    reason="What measures fails when everything is busy, which is when what it led to is needed most.",
    remedy="minReplicas that carry the usual load by themselves, two metrics servers, and an alert on an autoscaler "
    "whose ScalingActive is not True.",
    source="F-25; S0-5, S0-7, S4-25",
    live=True,
    set="complete",
)
def test_nothing_shrinks_while_nobody_measures(run: Run, cluster: Cluster, profile: Profile, expect: Expect) -> None:
    """A small workload of our own is scaled by an autoscaler on CPU; then whatever serves the metrics API is scaled to
    nothing. The workload must stay as large as it was, and the autoscaler's condition ScalingActive say why it does not
    act. Where a Prometheus runs beside the cluster, it is stopped too: no node, leader, endpoint or pod may change. In
    both, outages must stay within the profile's budgets for F-25."""
    gone = fault("F-25")
    for target in gone.targets:
        lacking = gone.also_needs.get(target, frozenset()) - cluster.capabilities
        if lacking:
            expect.note(f"target {target} was left out: {'; '.join(cluster.why_not(c) for c in sorted(lacking))}")
        else:
            judge(run("metrics-gone", target=target), "F-25", profile, expect)
