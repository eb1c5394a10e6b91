"""etcd: the one place where the cluster's state is, so its quorum is the cluster's."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.etcd import Etcd, percentile
from fixtures.snapshot.nodes import Nodes


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


@control(
    "SYS-11",
    "etcd raises no alarm",
    severity="high",
    live=True,
    reason="With NOSPACE every write to the cluster is refused; CORRUPT means that members hold different data.",
    remedy="NOSPACE: compact, defragment, raise --quota-backend-bytes, then `etcdctl alarm disarm`. CORRUPT: replace "
    "the member named.",
    source="etcd: Maintenance, Space quota",
)
def test_no_alarm(etcd: Etcd, expect: Expect) -> None:
    """`etcdctl alarm list` is empty, and no member's status reports an error."""
    for alarm in etcd.answer.alarms:
        named = ALARMS.get(alarm.alarm, alarm.alarm)
        expect(f"etcd {etcd.name(alarm.member_id)}", False, f"alarm {named}", path="alarms", value=named)
    for member in etcd.members:
        status = etcd.status(member)
        if status is not None:
            errors = "; ".join(status.errors or ())
            expect(member, not errors, errors, path="status.errors", value=status.errors)


ALARMS: dict[int | str, str] = {1: "NOSPACE", 2: "CORRUPT"}


@control(
    "SYS-12",
    "etcd's database is well below its quota, and not mostly empty space",
    severity="medium",
    live=True,
    reason="At the quota etcd refuses writes; a fragmented file gets there with little in it, and is slow to restore.",
    remedy="Find what fills it (events, old custom resources), compact and defragment one member at a time, or raise "
    "--quota-backend-bytes.",
    source="etcd: Maintenance, Defragmentation",
)
def test_database_has_room(etcd: Etcd, profile: Profile, expect: Expect) -> None:
    """Each member's dbSize against its quota (dbSizeQuota; 2 GiB where an older etcd does not say), at most the
    profile's `etcd.max_database_ratio`; and the unused part of the file, 1 - dbSizeInUse / dbSize, at most
    `etcd.max_fragmentation`, for files of 100 MiB and more.
    """
    bounds = profile.etcd
    for member in etcd.members:
        status = etcd.status(member)
        if status is None or not status.db_size:
            continue  # SYS-10 names a member that does not answer
        ratio = status.db_size / (status.db_size_quota or DEFAULT_QUOTA)
        message = f"the database takes {ratio:.0%} of its quota"
        expect(member, ratio <= bounds.max_database_ratio, message, path="status.dbSize", value=status.db_size)
        unused = 1 - status.db_size_in_use / status.db_size
        message = f"{unused:.0%} of the database file is unused"
        enough = unused <= bounds.max_fragmentation or status.db_size < SMALL
        expect(member, enough, message, path="status.dbSizeInUse", value=status.db_size_in_use)


DEFAULT_QUOTA = 2 * 2**30
SMALL = 100 * 2**20


@control(
    "SYS-13",
    "etcd's disks are fast enough",
    severity="medium",
    live=True,
    reason="Every write waits for a majority's fsync; slow ones delay everything and end in elections nobody needed.",
    remedy="Give etcd a disk of its own (SSD, provisioned IOPS), and nothing else on it.",
    source="etcd: Hardware recommendations; F-21",
)
def test_disks_are_fast(etcd: Etcd, profile: Profile, expect: Expect) -> None:
    """From each member's metrics since it started: at least 99 % of WAL fsyncs took no longer than the profile's
    `etcd.max_fsync_p99_s`, and of backend commits no longer than `etcd.max_commit_p99_s`. A histogram only knows its
    buckets: the percentile is taken within its bucket as if evenly spread, as Prometheus does. Fewer than
    `etcd.min_samples` observations are unknown.
    """
    limits = {
        "etcd_disk_wal_fsync_duration_seconds": ("WAL fsync", profile.etcd.max_fsync_p99_s),
        "etcd_disk_backend_commit_duration_seconds": ("backend commit", profile.etcd.max_commit_p99_s),
    }
    for pod, samples in etcd.metrics.items():
        for series, (what, limit) in limits.items():
            measured = percentile(samples, series, 0.99)
            if measured is None or measured[1] < profile.etcd.min_samples:
                seen = 0 if measured is None else measured[1]
                expect.uncertain(f"etcd {pod}", f"{what}: only {seen} observations yet")
                continue
            value = round(measured[0], 4)
            message = f"99th percentile of {what} is {1000 * value:.1f} ms, of {1000 * limit:.0f} ms allowed"
            expect(f"etcd {pod}", value <= limit, message, path=series, value=value)


@control(
    "SYS-14",
    "etcd's members are on different nodes, and no zone holds a majority of them",
    severity="high",
    live=True,
    reason="Members that share a machine or a zone are lost together, and the quorum with them.",
    remedy="Move members apart: one a machine, and with three zones one a zone.",
    source="S0-19, S4-13",
)
def test_members_are_apart(etcd: Etcd, nodes: Nodes, expect: Expect) -> None:
    """Each member's peer address belongs to a node, and no node has two. Where the cluster has zones, no zone holds a
    majority of the voting members; with only two zones, where one of them must, at least both hold some. Unknown for
    members on machines that are no nodes of the cluster.
    """
    where: dict[str, str] = {}
    by_address = {address: node for node in nodes.all() for address in node.addresses}
    for member in etcd.members:
        hosts = {url.partition("://")[2].rpartition(":")[0].strip("[]") for url in member.peer_urls}
        node = next((by_address[host] for host in hosts if host in by_address), None)
        if node is None:
            expect.uncertain(member, f"its peer address {', '.join(sorted(hosts)) or 'none'} is no node's")
            continue
        taken = next((other for other, name in where.items() if name == node.name), None)
        expect(member, taken is None, f"shares node {node.name} with {taken}", path="peerURLs", value=node.name)
        where[member.name] = node.name
    zones = [zone for name in where.values() if (zone := nodes.by_name()[name].zone)]
    if len(where) < 3 or not zones or len(nodes.zones()) < 2:
        return
    fullest = max(set(zones), key=zones.count)
    most = zones.count(fullest)
    bad = most == len(where) if len(nodes.zones()) == 2 else most > len(where) // 2
    message = f"zone {fullest} holds {most} of {len(where)} members"
    expect("etcd", not bad, message, path="members", value=sorted(zones))
