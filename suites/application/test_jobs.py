"""Jobs: they end, they try again, and they don't pile up."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.model.workload import CronJob, Job, JobSpec
from fixtures.snapshot.workloads import Workload, Workloads

CONTROLLER_S = 10  # the CronJob controller looks this often: a shorter window may pass unseen


@control(
    "APP-32",
    "Jobs end by a deadline, survive the loss of a pod, and don't overlap",
    severity="low",
    reason="A job that hangs holds its resources for ever, and each next run adds another; one that may not try again "
    "fails with every drained node.",
    remedy="Set activeDeadlineSeconds, a backoffLimit of a few, and concurrencyPolicy Forbid or Replace.",
    source="Kubernetes: Jobs; Kubernetes: CronJob",
)
def test_jobs_are_bounded(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For CronJobs and for Jobs that nothing owns, without suspended and finished ones: activeDeadlineSeconds is given;
    backoffLimit (6 unless given) is from 1 to the profile's `application.max_backoff_limit`, where 0 will do with a
    podFailurePolicy or a backoffLimitPerIndex. A CronJob's concurrencyPolicy is not Allow, and its
    startingDeadlineSeconds, where given, at least the 10 s at which its controller looks.
    """
    for workload in workloads.all():
        maker = workload.object
        if isinstance(maker, Job) and not maker.spec.suspend and not maker.ended:
            _bounded(workload, maker.spec, "spec", profile, expect)
        if isinstance(maker, CronJob) and not maker.spec.suspend:
            _bounded(workload, maker.spec.job_template.spec, "spec.jobTemplate.spec", profile, expect)
            policy, window = maker.spec.concurrency_policy, maker.spec.starting_deadline_seconds
            message = "a run that takes too long meets the next one"
            expect(workload, policy != "Allow", message, path="spec.concurrencyPolicy", value=policy)
            message = f"a window of {window} s may pass between two looks of the controller"
            enough = window is None or window >= CONTROLLER_S
            expect(workload, enough, message, path="spec.startingDeadlineSeconds", value=window)


def _bounded(workload: Workload, spec: JobSpec, root: str, profile: Profile, expect: Expect) -> None:
    deadline, limit = spec.active_deadline_seconds, spec.backoff_limit
    message = "no deadline: a run that hangs never ends"
    expect(workload, deadline is not None, message, path=f"{root}.activeDeadlineSeconds", value=deadline)
    most = profile.application.max_backoff_limit
    otherwise = spec.pod_failure_policy is not None or spec.backoff_limit_per_index is not None
    tries = 6 if limit is None else limit
    enough = tries <= most and (tries >= 1 or otherwise)
    message = f"tried again {tries} times, wanted 1 to {most}"
    expect(workload, enough, message, path=f"{root}.backoffLimit", value=limit)
