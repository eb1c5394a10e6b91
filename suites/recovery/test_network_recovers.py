"""What becomes of the cluster when packets vanish: nothing is refused, so everybody waits for their own timeout."""

from __future__ import annotations

from experiments.plugin import Run
from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from suites.recovery.judging import judge


@control(
    "REC-17",
    "A worker or the leading master may be cut off from the network",
    severity="high",
    reason="A machine that is off refuses nothing, and one that is cut off believes that it still leads: timeouts are "
    "the only way to notice, and everything that waits for one without a bound hangs.",
    remedy="A balancer that checks each server often and ends the sessions of one that does not answer, short leader "
    "leases, short HTTP/2 health checks of long connections, and replicas on several nodes.",
    source="F-17; S0-13, S0-16, S1-4",
    live=True,
)
def test_what_is_cut_off_is_bridged_and_does_not_lead(run: Run, profile: Profile, expect: Expect) -> None:
    """The worker with most pods of the watched application loses its cable, and in a second experiment nothing gets to
    or from the master that leads etcd. Every target must be back within the profile's budgets for F-17, takeovers and
    replacements come in time, no acknowledged write be lost, never two leaders be at once, and everything be healthy
    again within a minute after the packets flow."""
    judge(run("partition", target="worker"), "F-17", profile, expect)
    judge(run("partition", target="leader"), "F-17", profile, expect)


@control(
    "REC-34",
    "A network that falls apart leaves one side that decides, and heals by itself",
    severity="high",
    reason="Half a network is worse than none: both sides live, and packets that get through one way only make a dead "
    "node look alive. Only a majority may decide, and only one that can be heard.",
    remedy="Masters in three zones, so that one side has a majority; leases that a leader gives up when it can't "
    "renew them; a balancer that checks whether a server answers.",
    source="F-17; S0-13, S0-16, S1-4",
    live=True,
    set="complete",
)
def test_a_network_that_falls_apart_leaves_one_side_that_decides(run: Run, profile: Profile, expect: Expect) -> None:
    """The zone of the master that leads etcd is cut off from the other zones, its nodes going on talking to each other;
    in a second experiment what that master sends arrives, and what is sent to it does not; in a third a master that
    does not lead etcd is cut off from everybody. What is asked of the majority's side must answer within the profile's
    budgets for F-17, no acknowledged write be lost, never two leaders be at once, and everything be healthy again by
    itself when the packets flow."""
    for target in ("halves", "one-way", "minority-master"):
        judge(run("partition", target=target), "F-17", profile, expect)


@control(
    "REC-18",
    "A bad link of one node is borne: few requests fail, and the others are not late for long",
    severity="medium",
    reason="A link that loses some packets is worse than one that is down: checks pass, so clients still go there.",
    remedy="Time-outs and one retry elsewhere in the access layer, checks that measure what clients get, and several "
    "replicas on several nodes.",
    source="F-18; S0-13, S0-31",
    live=True,
    set="complete",
)
def test_a_bad_link_is_borne(run: Run, profile: Profile, expect: Expect) -> None:
    """The link of the worker with most pods of the watched application loses packets, is narrowed, delays, and breaks
    frames: four experiments. Outages, the share of failed requests and the 99th percentile must stay within the
    profile's budgets for F-18."""
    for target in ("loss", "bandwidth", "latency", "corruption"):
        judge(run("bad-link", target=target), "F-18", profile, expect)
