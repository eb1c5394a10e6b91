"""What becomes of an application while it is updated, and when the update was a mistake."""

from __future__ import annotations

from experiments.measured import Measured
from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-26",
    "An update under load loses no request, and a bad one goes no further than its bounds allow",
    severity="high",
    reason="Releases are the most frequent disturbance there is: if one can be felt, releases become rare and large.",
    remedy="RollingUpdate with maxUnavailable 0 or a replica to spare, a readiness probe that tells the truth, "
    "minReadySeconds, and a graceful end: preStop, or a server that goes on serving after SIGTERM.",
    source="F-26; S0-26, S0-27, S0-31",
    live=True,
)
def test_an_update_under_load_loses_no_request(run: Run, profile: Profile, expect: Expect) -> None:
    """The watched application gets another revision three times, each taken back afterwards: one like its own, which
    must take over; one that is never Ready; one that is never Ready and rolled back soon. Of the application's requests
    not one may fail. At every look at least replicas - maxUnavailable pods must be Ready, and at most replicas +
    maxSurge be there. The bad revisions must stop at so many pods as may be missing or too many, and none of them may
    be in a list of endpoints."""
    for target in ("good", "bad", "rollback"):
        measured = run("rolling-update", target=target)
        judge(measured, "F-26", profile, expect)
        if measured.known:
            _nothing_failed(measured, expect)


def _nothing_failed(measured: Measured, expect: Expect) -> None:
    for outage in measured.outages():
        if outage.kind == "app":
            expect(outage, outage.failed == 0, outage.explain())
