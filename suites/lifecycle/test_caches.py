"""Caches: losing one instance neither loses what they hold nor floods what is behind them."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import caches
from fixtures.snapshot.judged import tell
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-17",
    "Caches are really replicated, fail over by themselves, and bound their own memory",
    severity="high",
    reason="Two Redis behind one Service are two truths; one that is killed for its memory takes the database along.",
    remedy="Use three Sentinels, or a Redis Cluster of six; keep maxmemory below the memory limit.",
    source="S3-22, S0-36, S4-14",
)
def test_caches(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Redis and Valkey as plain workloads in scope: with `cluster-enabled yes` six members; else replication
    (replicaof, in its command line or ConfigMaps) with a Sentinel in its namespace; Sentinels are an odd number of at
    least `lifecycle.min_quorum`. Neither, however many replicas, is no replication. As operators' objects
    (RedisFailover, RedisReplication with RedisSentinel, RedisCluster): the same by their fields; a standalone Redis
    fails. Memcached, which shares nothing: `min_replicas`. maxmemory (memcached's -m, 64 MB unless given) is set, and
    below the container's memory limit; Redis' units: 1m is 10⁶, 1mb is 2²⁰. Argo CD's own Redis is LCM-02's.
    """
    tell(caches.everything(snapshot, list(workloads.all()), profile), profile, expect)
