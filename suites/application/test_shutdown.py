"""Shutdown: the last seconds of a pod, in which requests still arrive."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Application, Profile
from fixtures.snapshot.ports import serving_containers
from fixtures.snapshot.shutdown import End, end_of
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "APP-20",
    "Pods finish what they began before they are killed, and go on serving until nobody sends to them",
    severity="medium",
    reason="SIGTERM and the removal from the Service happen at the same time: a process that stops at once refuses the "
    "requests that are still on their way, at every rollout, drain and scale-down.",
    remedy="Add a preStop sleep of a few seconds to the serving container, and make terminationGracePeriodSeconds "
    "longer than that and the longest request together.",
    source="S0-26; Kubernetes: Pod Lifecycle",
)
def test_graceful_end(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """terminationGracePeriodSeconds (30 unless given) is more than the preStop hook's sleep. For containers behind a
    Service it is more than sleep, announced shutdown delay and time to drain together; the latter is what the container
    announces, else the profile's `application.drain_s`; and they delay by at least `application.deregister_s`. Read
    from preStop sleeps, and from flags and variables about shutdown or draining. Another hook, and an announced drain,
    count as handled. With none of these, only the program knows what it does on SIGTERM: unknown; ELA-06 measures it.
    """
    for workload in workloads.long_running():
        grace = workload.spec.grace_seconds
        behind = {place for place, _ in serving_containers(workload)} if workload.services else set()
        path = f"{workload.template_path}.spec.terminationGracePeriodSeconds"
        for place, container in workload.containers:
            end = end_of(container)
            if place not in behind:
                message = (
                    f"killed after {grace} s, while the preStop hook of {container.name} sleeps for {end.hook_s:g} s"
                )
                if end.hook or grace == 0:
                    expect(workload, grace > end.hook_s, message, path=path, value=grace)
                continue
            needed = _needed(end, profile.application)
            message = f"killed after {grace} s, but {container.name} needs more than {needed:g} s to end"
            if expect(workload, grace > needed, message, path=path, value=grace):
                _delays(workload, place, container.name, end, profile.application, expect)


def _needed(end: End, bounds: Application) -> float:
    drain = end.drain_s if end.drain_s else bounds.drain_s
    return end.hook_s + (end.delay_s or 0.0) + drain


def _delays(workload: Workload, place: str, name: str, end: End, bounds: Application, expect: Expect) -> None:
    if not end.announced:
        expect.uncertain(workload, f"what {name} does on SIGTERM can't be seen: no preStop hook, no flag about it")
        return
    seconds = end.hook_s + (end.delay_s or 0.0)
    enough = not end.measurable or seconds >= bounds.deregister_s
    message = f"{name} stops {seconds:g} s after it was told to, wanted {bounds.deregister_s:g} s"
    path = f"{place}.lifecycle.preStop"
    expect(workload, enough, message, path=path, value=seconds)
