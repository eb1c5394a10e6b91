"""What becomes of the services that a cluster runs for its applications: proxies and names."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-07",
    "Traffic goes on while a node's kube-proxy is down",
    severity="high",
    reason="It writes the rules that Services are made of; these must outlive it, or every update of it is an outage.",
    remedy="A proxy that leaves its rules in place when it ends, and a DaemonSet with the highest node priority.",
    source="F-07; S0-22",
    live=True,
)
def test_traffic_goes_on_without_kube_proxy(run: Run, profile: Profile, expect: Expect) -> None:
    """On the worker with most pods of the watched application kube-proxy is killed without grace, while a pod of that
    worker resolves a name and calls a Service ten times a second. No target may be out for longer than the profile's
    budgets for F-07, and its DaemonSet must replace it in time."""
    judge(run("kube-proxy-kill"), "F-07", profile, expect)


@control(
    "REC-19",
    "Names are resolved again within budget when DNS pods die, one or all",
    severity="high",
    reason="Everything in a cluster finds everything else by name: without DNS every other service is down too.",
    remedy="Two or more DNS pods on different nodes, a short readiness period, and resources they can count on.",
    source="F-19; S0-22",
    live=True,
)
def test_names_are_resolved_again_when_dns_pods_die(run: Run, profile: Profile, expect: Expect) -> None:
    """One pod of CoreDNS is killed without grace, and in a second experiment all of them, while a pod of the watched
    application resolves a name ten times a second. It must succeed again, and as many DNS pods as before be Ready,
    within the profile's budgets for F-19."""
    judge(run("coredns-kill", target="one"), "F-19", profile, expect)
    judge(run("coredns-kill", target="all"), "F-19", profile, expect)
