"""What was asked for is what there is: neither more nor less, and only what is ready is offered."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-43",
    "What is too many goes, what is missing comes, and applying again changes nothing",
    severity="medium",
    reason="Repair is a loop towards what was asked for. One that swings, or that the next apply disturbs, is none.",
    remedy="Let one controller own each object, and keep in the manifest only what is decided there: no replicas where "
    "an autoscaler sets them, no fields that defaults or webhooks rewrite.",
    source="F-43; S0-1, S1-5, S1-6, S1-7",
    live=True,
)
def test_surplus_and_missing_replicas_converge(run: Run, profile: Profile, expect: Expect) -> None:
    """A pod with the labels of the application's ReplicaSet is added: it must be ended, every other one stay Ready, and
    the manifest, applied again (the server's dry run), leave generation and spec as they are. Then a pod is deleted
    (F-01): it must be replaced. All within the profile's budgets for F-43 and F-01."""
    judge(run("surplus-pod"), "F-43", profile, expect)
    judge(run("pod-kill", target="delete"), "F-01", profile, expect)


@control(
    "REC-44",
    "A Service offers n, n-1, then n pods again, and traffic reaches none that is not ready",
    severity="high",
    reason="Health checks are worth what balancing makes of them: a pod that is known to be bad must get no request.",
    remedy="Readiness probes that tell the truth, endpoint slices that are watched by every proxy, and proxies that "
    "write their rules at once (kube-proxy: minSyncPeriod 1s or less).",
    source="F-44; S0-22, S0-24, S0-25, S4-16",
    live=True,
)
def test_traffic_follows_readiness(run: Run, profile: Profile, expect: Expect) -> None:
    """A Service with three pods is made in the namespace of the run. One pod is deleted, and in a second experiment one
    is made not ready for 4 s while its process goes on answering. The Service's list must go 3, 2, 3, and of the
    connections opened through the Service all the time none may reach a pod that left the list 1.5 s ago or longer."""
    judge(run("endpoint-loss", target="deleted"), "F-44", profile, expect)
    judge(run("endpoint-loss", target="unready"), "F-44", profile, expect)


@control(
    "REC-45",
    "While the whole control plane is down, whatever runs goes on serving",
    severity="high",
    reason="The control plane decides and does not serve: its outage must cost changes and repairs, never answers.",
    remedy="No call to the API in the path of a request, proxies and DNS that keep what they know, and static pods "
    "that start without help.",
    source="F-45; S0-13, S1-17",
    live=True,
    set="complete",
)
def test_services_outlive_the_control_plane(run: Run, profile: Profile, expect: Expect) -> None:
    """Every API server is stopped for 8 s. The application may not be out at all by the profile's budgets for F-45, no
    write may be acknowledged meanwhile, and reads and writes must return within budget once they may start."""
    judge(run("control-plane-down"), "F-45", profile, expect)
