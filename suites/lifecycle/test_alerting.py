"""Alerts: rules that work, that mean the same for small and large services, and that tell of lost availability."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import alerts, monitoring, scraping
from fixtures.snapshot.model.policy import HorizontalPodAutoscaler, ScaledObject
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.workloads import Workloads

OF_THE_CLUSTER = ("node", "etcd-leader")
WORDS = {
    "node": "a node that is not Ready",
    "etcd-leader": "etcd without a leader, or changing it often",
    "errors": "failed requests (5xx)",
    "autoscaler-at-max": "an autoscaler at its maximum",
}


@control(
    "LCM-14",
    "Alert rules work, judge error ratios, and cover the loss of availability",
    severity="medium",
    reason="A rule that can't be read, watches what nobody measures, or forgets to divide, is silent when it matters.",
    remedy="Correct the expression; divide errors by all requests; alert on nodes, etcd's leader, 5xx, HPA at max.",
    source="S3-28, S4-25",
)
def test_alert_rules(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """All rules of PrometheusRules and of rule files in ConfigMaps: each expression can be read. No alert compares a
    rate of failed requests (a status label of 5xx, or a name that says so) with a number other than 0, unless it
    divides; recorded expressions are looked into. On a cluster every metric an alert uses is one that Prometheus has,
    or that a rule records: metrics in `absent()` and of `unless` need not be there. The subjects in `lifecycle.alerts`
    have an alert: nodes and etcd's leader where a Prometheus is in sight (etcd unless the control plane is hidden), an
    autoscaler at its maximum where there are autoscalers, errors everywhere.
    """
    every = snapshot.derive(alerts.rules)
    wanted = _wanted(workloads, snapshot, profile)
    if not every and not wanted:
        expect.not_applicable("no alert rules, and no Prometheus that would need any")
    known = alerts.recorded(every)
    covered: set[str] = set()
    for rule in every:
        message = f"{rule.name}: {rule.wrong}"
        expect(rule.object, not rule.wrong, message, path=rule.path, value=rule.text)
        if rule.tree is None or not rule.alert:
            continue
        covered |= alerts.subjects(rule.tree, known)
        for comparison in alerts.bare_error_rates(rule.tree, known):
            message = f"{rule.name} compares errors a second, not their share of all requests: {comparison}"
            expect(rule.object, False, message, path=rule.path, value=rule.text)
    for subject in wanted:
        expect("alert rules", subject in covered, f"nothing alerts on {WORDS[subject]}", path="expr", value=subject)
    if every and snapshot.live:
        _exist(every, set(known), workloads, snapshot, profile, expect)
    elif every:
        expect.note("whether their metrics exist can't be seen in manifests")


def _wanted(workloads: Workloads, snapshot: Snapshot, profile: Profile) -> list[str]:
    watched = bool(monitoring.customs(snapshot) or monitoring.plain(workloads.everywhere(), "prometheus"))
    found: list[str] = []
    for subject in profile.lifecycle.alerts:
        if subject in OF_THE_CLUSTER and not watched:
            continue
        if subject == "etcd-leader" and profile.control_plane == "hidden":
            continue
        scaled = bool(snapshot.of(HorizontalPodAutoscaler)) or bool(snapshot.of(ScaledObject))
        if subject == "autoscaler-at-max" and not scaled:
            continue
        if watched or snapshot.derive(alerts.rules):
            found.append(subject)
    return found


def _exist(
    every: list[alerts.Rule],
    recorded: set[str],
    workloads: Workloads,
    snapshot: Snapshot,
    profile: Profile,
    expect: Expect,
) -> None:
    try:
        if not scraping.exists(snapshot, profile, workloads.everywhere()):
            raise Unreadable("no Prometheus to be asked")
        there = set(scraping.ask(snapshot, profile).metrics) | recorded | alerts.SYNTHETIC
    except Unreadable as error:
        expect.uncertain("alert rules", f"whether their metrics exist: {error}")
        return
    for rule in every:
        if rule.tree is not None and rule.alert:
            missing = sorted(alerts.needed(rule.tree) - there)
            message = f"{rule.name} watches what Prometheus does not have: {', '.join(missing)}"
            expect(rule.object, not missing, message, path=rule.path, value=rule.text)
