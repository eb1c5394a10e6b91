"""etcd: the one place where the cluster's state is, so its quorum is the cluster's."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.etcd import Etcd


@control(
    "SYS-09",
    "etcd has an odd number, at least three, of started voting members",
    severity="high",
    live=True,
    reason="A majority must live: three members survive one loss, four no more than three, and a learner doesn't vote.",
    remedy="Add or remove members until they are odd and three or more; promote a learner, or remove it; start, or "
    "remove, a member that never joined.",
    source="S0-19",
)
def test_odd_quorum(etcd: Etcd, profile: Profile, expect: Expect) -> None:
    """`etcdctl member list`: every member has started (has a name) and votes (is no learner), and those that do are
    odd in number and at least the profile's `min_etcd_members`. Unknown where etcd may not be asked.
    """
    for member in etcd.members:
        expect(member, member.name, "was added and never started", path="name", value=member.name)
        expect(member, not member.is_learner, "is a learner: it follows, and has no vote", path="isLearner", value=True)
    voting = [m.name for m in etcd.members if m.name and not m.is_learner]
    enough = len(voting) >= profile.min_etcd_members
    message = f"{len(voting)} voting member(s), wanted {profile.min_etcd_members}"
    expect("etcd", enough, message, path="members", value=voting)
    message = f"{len(voting)} voting members: an even one more doesn't help, and makes a majority harder"
    expect("etcd", len(voting) % 2 == 1, message, path="members", value=voting)


@control(
    "SYS-10",
    "etcd's members all answer and agree on one leader and term, and none lags behind",
    severity="high",
    live=True,
    reason="Members that disagree, or fall behind, are no replacement: the next loss is a loss of quorum.",
    remedy="Look at the member named: is it up, is its disk slow, can it reach its peers' port 2380?",
    source="S0-16, S0-19",
)
def test_one_leader(etcd: Etcd, profile: Profile, expect: Expect) -> None:
    """`etcdctl endpoint status --cluster`: every started member answers, all name the same leader, which is a member,
    and the same raft term; each has applied all but the profile's `etcd.max_applied_lag` entries of the furthest log.
    """
    statuses = {m.id: status for m in etcd.members if (status := etcd.status(m)) is not None}
    furthest = max((status.raft_index for status in statuses.values()), default=0)
    for member in etcd.members:
        if not member.name:
            continue  # SYS-09 names it
        status = statuses.get(member.id)
        if not expect(member, status is not None, "does not answer", path="status") or status is None:
            continue
        expect(member, status.leader, "knows no leader", path="status.leader", value=status.leader)
        lag = furthest - status.raft_applied_index
        message = f"{lag} entries behind"
        expect(member, lag <= profile.etcd.max_applied_lag, message, path="status.raftAppliedIndex", value=lag)
    leaders = sorted({etcd.name(status.leader) for status in statuses.values() if status.leader})
    message = f"members follow {len(leaders)} leaders: {', '.join(leaders) or 'none'}"
    expect("etcd", len(leaders) == 1, message, path="status.leader", value=leaders)
    terms = sorted({status.raft_term for status in statuses.values()})
    expect("etcd", len(terms) == 1, f"members are in terms {terms}", path="status.raftTerm", value=terms)
