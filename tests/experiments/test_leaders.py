"""Who led before and after, and when: no more exactly than it was looked at."""

from __future__ import annotations

from experiments import leaders
from experiments.corroboration import etcd_leader
from experiments.faults.etcd import Leadership as Raft
from experiments.leases import Election
from experiments.result import Statement, timestamp
from tests.experiments.test_corroboration import scraped, view

WALL = 1_700_000_000.0  # of the injection, which is at 10 on the monotonic clock
INJECTED = 10.0


def wall(monotonic: float) -> float:
    return WALL + monotonic - INJECTED


def look(at: float, holder: str, renewed: float, transitions: int = 4, name: str = "kube-scheduler") -> Election:
    return Election(
        at=at,
        name=name,
        holder=f"{holder}_0f3c" if holder else "",
        transitions=transitions,
        duration_s=3,
        acquired="",
        renewed=timestamp(wall(renewed)),
    )


def test_a_takeover_is_dated_with_the_look_that_showed_it_and_the_lease_it_waited_for() -> None:
    looks = [look(9.0, "a", 8.9), look(10.4, "a", 9.9), look(13.0, "a", 9.9), look(13.2, "b", 13.1, 5)]
    [said] = leaders.of_leases(looks, INJECTED, wall)
    assert (said.component, said.before, said.after, said.transitions) == ("kube-scheduler", "a", "b", 1)
    assert (said.takeover_s, said.error_bar_s, said.lease_s) == (3.2, 0.2, 3.0)
    assert said.ran_out_s == 2.9


def test_a_leader_that_stays_has_no_takeover() -> None:
    [said] = leaders.of_leases([look(9.0, "a", 8.9), look(12.0, "a", 11.9)], INJECTED, wall)
    assert (said.before, said.after, said.takeover_s, said.transitions) == ("a", "a", None, 0)


def test_a_lease_given_back_is_taken_over_by_the_next_holder_not_by_nobody() -> None:
    looks = [look(9.0, "a", 8.9), look(11.0, "", 8.9), look(11.5, "b", 11.4, 5)]
    [said] = leaders.of_leases(looks, INJECTED, wall)
    assert said.takeover_s == 1.5


def test_a_component_that_was_not_seen_before_the_fault_is_left_out() -> None:
    assert leaders.of_leases([look(11.0, "b", 10.9)], INJECTED, wall) == []


def test_etcds_term_is_its_own_and_the_instant_is_prometheus() -> None:
    seen = Statement(name="etcd leader", query="q", verdict="pass", message="m", resolution_s=2.0, back_s=2.4)
    before, after = Raft(leader="a", term=3, asked="x"), Raft(leader="b", term=4, asked="y")
    [said] = leaders.of_etcd(before, after, [seen])
    assert (said.before, said.after, said.term_before, said.term_after) == ("a", "b", 3, 4)
    assert (said.takeover_s, said.error_bar_s) == (2.4, 2.0)


def test_an_etcd_that_could_not_be_asked_is_left_out() -> None:
    assert leaders.of_etcd(None, None, []) == []


def test_another_member_leading_is_seen_in_the_metrics() -> None:
    found = [
        scraped(lambda t: 1, node="master-1", until=101),
        scraped(lambda t: 1 if t >= 103 else 0, node="master-2"),
        scraped(lambda t: 0, node="master-3"),
    ]
    said = etcd_leader.judge(view(), found)
    assert (said.verdict, said.back_s) == ("pass", 3.0)
    assert "master-2 leads, before it master-1" in said.message


def test_an_etcd_without_a_leader_is_no_recovery() -> None:
    assert etcd_leader.judge(view(), [scraped(lambda t: 1 if t < 101 else 0, node="master-1")]).verdict == "fail"
