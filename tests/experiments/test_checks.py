"""Acknowledged writes and single leaders are judged from what was seen, and fail for the right reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.checks import acknowledged_writes, coupled_restarts, shared_machine, single_leader
from experiments.checks.acknowledged_writes import Written
from experiments.leases import Election
from experiments.observer import Change, StaticPod
from fixtures.prober.sample import Outcome, Sample


def write(seq: int, ok: bool = True, took: float = 0.01) -> Sample:
    return Sample(seq, seq * 0.05, seq * 0.05, seq * 0.05 + took, Outcome.OK if ok else Outcome.TIMEOUT)


def kept(*keys: int) -> list[Written]:
    return [Written(key, 100 + key) for key in keys]


@pytest.mark.parametrize("waits", [[], [(10.0, 5.0)], [(10.0, 5.0), (10.0, 5.0)]])
def test_where_nodes_are_machines_of_their_own_nothing_is_said_of_a_shared_one(
    waits: list[tuple[float, float]],
) -> None:
    assert shared_machine.remark(waits) == []


def test_how_short_of_processors_a_shared_machine_was_is_said_and_not_judged() -> None:
    [said] = shared_machine.remark([(10.0, 5.0), (12.0, 6.0), (20.0, 12.5)])
    assert "waited for a processor 75% of the time" in said.message
    assert (said.verdict, said.judged) == ("pass", False)


def test_all_acknowledged_writes_there_is_a_pass() -> None:
    check = acknowledged_writes.judge([write(i) for i in range(5)], kept(*range(5)))
    assert check.verdict == "pass"
    assert "all 5" in check.message


def test_an_acknowledged_write_that_is_gone_is_named() -> None:
    check = acknowledged_writes.judge([write(i) for i in range(5)], kept(0, 1, 2, 4))
    assert check.verdict == "fail"
    assert "1 acknowledged but lost (keys 3)" in check.message


def test_a_write_never_acknowledged_may_be_there_or_not() -> None:
    samples = [write(0), write(1, ok=False), write(2, ok=False)]
    check = acknowledged_writes.judge(samples, kept(0, 2))
    assert check.verdict == "pass"
    assert "1 more were made" in check.message


def test_a_doubled_write_fails() -> None:
    check = acknowledged_writes.judge([write(0), write(1)], [*kept(0, 1), Written(1, 300)])
    assert check.verdict == "fail"
    assert "1 doubled (keys 1)" in check.message


def test_a_version_that_went_back_fails() -> None:
    check = acknowledged_writes.judge([write(0), write(1)], [Written(0, 200), Written(1, 150)])
    assert check.verdict == "fail"
    assert "gone back (keys 1)" in check.message


def test_writes_under_way_together_may_be_in_either_order() -> None:
    samples = [write(0, took=0.2), write(1, took=0.2)]
    assert acknowledged_writes.judge(samples, [Written(0, 200), Written(1, 150)]).verdict == "pass"


def test_no_acknowledged_write_proves_nothing() -> None:
    assert acknowledged_writes.judge([write(0, ok=False)], []).verdict == "unknown"


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 0.3)), min_size=1, max_size=40), st.data())
def test_exactly_the_lost_ones_are_counted(raw: list[tuple[bool, float]], data: st.DataObject) -> None:
    samples = [write(i, ok, took) for i, (ok, took) in enumerate(raw)]
    acknowledged = [s.seq for s in samples if s.ok]
    lost = data.draw(st.sets(st.sampled_from(acknowledged))) if acknowledged else set()
    order = sorted(samples, key=lambda s: s.finished)
    there = [Written(s.seq, 100 + n) for n, s in enumerate(order) if s.seq not in lost]
    check = acknowledged_writes.judge(samples, there)
    assert (check.verdict == "fail") == bool(lost)
    if lost:
        assert f"{len(lost)} acknowledged but lost" in check.message


def look(at: float, holder: str, transitions: int, acquired: float, renewed: float) -> Election:
    return Election(
        at=at,
        name="kube-scheduler",
        holder=holder,
        transitions=transitions,
        duration_s=3,
        acquired=f"2026-01-01T00:00:{acquired:09.6f}Z",
        renewed=f"2026-01-01T00:00:{renewed:09.6f}Z",
    )


def looks(*changes: Election) -> list[Election]:
    steady = [look(i * 0.1, "a", 1, 0.0, 1.0) for i in range(10)]
    return [*steady, *changes]


def test_a_takeover_after_the_lease_ran_out_is_fine() -> None:
    check = single_leader.judge(looks(look(5.0, "b", 2, 4.2, 4.2)))
    assert check.verdict == "pass"
    assert "1 change(s) of leader" in check.message


def test_a_takeover_while_the_old_leader_may_still_act_fails() -> None:
    check = single_leader.judge(looks(look(3.0, "b", 2, 2.5, 2.5)))
    assert check.verdict == "fail"
    assert "b took over 1.50 s after a renewed for 3 s" in check.message


def test_who_waits_for_a_lease_tells_its_renewals_apart_by_the_second() -> None:
    """Seen on the lab: taken 2.74 s after the last renewal, of 3 s."""
    renewed = look(1.0, "a", 1, 0.0, 1.96)
    assert single_leader.judge(looks(renewed, look(5.0, "b", 2, 4.7, 4.7))).verdict == "pass"
    check = single_leader.judge(looks(renewed, look(5.0, "b", 2, 3.7, 3.7)))
    assert "b took over 1.74 s after a renewed for 3 s" in check.message


def test_an_answer_from_the_memory_of_a_server_cut_off_is_no_takeover() -> None:
    taken, stale = look(5.0, "b", 2, 4.2, 4.2), look(5.1, "a", 1, 0.0, 1.0)
    check = single_leader.judge(looks(taken, stale, look(5.2, "b", 2, 4.2, 5.0)))
    assert check.verdict == "pass", check.message
    assert "1 change(s) of leader" in check.message


def test_a_lease_given_back_may_be_taken_at_once() -> None:
    assert single_leader.judge(looks(look(2.0, "", 1, 0.0, 1.4), look(2.1, "b", 2, 1.5, 1.5))).verdict == "pass"


def test_who_is_asked_to_end_gives_its_lease_back_unseen() -> None:
    early = looks(look(3.0, "b", 2, 2.5, 2.5))
    assert single_leader.judge(early, asked_to_end=True).verdict == "pass"
    again = looks(look(3.0, "b", 2, 2.5, 2.5), look(4.0, "a", 3, 3.9, 3.9))
    assert single_leader.judge(again, asked_to_end=True).verdict == "fail"


def test_a_change_of_holder_that_was_not_counted_fails() -> None:
    assert single_leader.judge(looks(look(5.0, "b", 1, 4.5, 4.5))).verdict == "fail"


def test_too_few_looks_prove_nothing() -> None:
    assert single_leader.judge(looks()[:3]).verdict == "unknown"


def static(at: float, pod: str, old: int | None, new: int | None) -> Change:
    def state(restarts: int | None) -> StaticPod | None:
        return None if restarts is None else StaticPod(restarts, True)

    return Change(at=at, since=at - 0.25, subject=f"static/{pod}", old=state(old), new=state(new))


HIT = {"kube-apiserver-master-1"}


def test_a_restart_that_stays_alone_is_a_pass() -> None:
    changes = [static(12, "kube-apiserver-master-1", 0, 1)]
    check = coupled_restarts.judge(changes, HIT, injected=10, looked=20)
    assert check.verdict == "pass"
    assert "within 10.0 s" in check.message


def test_a_component_that_restarts_with_another_one_is_named() -> None:
    changes = [static(12, "kube-apiserver-master-1", 0, 1), static(13, "kube-scheduler-master-1", 2, 3)]
    check = coupled_restarts.judge(changes, HIT, injected=10, looked=20)
    assert check.verdict == "fail"
    assert "kube-scheduler-master-1 (1 time(s)) restarted" in check.message


def test_restarts_from_before_are_not_the_faults_even_when_an_old_cache_shows_them_late() -> None:
    changes = [
        static(5, "kube-scheduler-master-1", 0, 1),
        static(11, "kube-scheduler-master-1", 1, 0),  # another API server, whose cache is behind
        static(12, "kube-scheduler-master-1", 0, 1),
    ]
    assert coupled_restarts.judge(changes, HIT, injected=10, looked=20).verdict == "pass"


def test_a_pod_whose_mirror_was_away_for_a_moment_has_not_restarted() -> None:
    changes = [static(11, "etcd-master-2", 3, None), static(12, "etcd-master-2", None, 3)]
    assert coupled_restarts.judge(changes, HIT, injected=10, looked=20).verdict == "pass"


def test_a_leader_that_lost_its_lease_had_to_restart_and_a_follower_had_not() -> None:
    lost = Change(at=12, since=11.9, subject="lease/kube-scheduler", old=("master-1_uid", 3), new=("master-2_uid", 4))
    leader, follower = "kube-scheduler-master-1", "kube-scheduler-master-3"
    check = coupled_restarts.judge([lost, static(13, leader, 0, 1)], HIT, injected=10, looked=20)
    assert check.verdict == "pass"
    assert f"but {leader}, which could not renew its Lease and had to" in check.message
    check = coupled_restarts.judge([lost, static(13, follower, 0, 1)], HIT, injected=10, looked=20)
    assert check.verdict == "fail"


@pytest.mark.parametrize("looked", [None, 9.0, 12.0])
def test_without_a_look_after_the_injection_coupling_is_unknown(looked: float | None) -> None:
    assert coupled_restarts.judge([], HIT, injected=10, looked=looked).verdict == "unknown"
