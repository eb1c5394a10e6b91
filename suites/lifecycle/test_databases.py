"""Databases: the primary's node may go, and so may the data centre's good luck."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import databases, plain_databases
from fixtures.snapshot.judged import tell
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-18",
    "Every database has a standby, fails over by itself, and is backed up",
    severity="high",
    reason="A database alone is an outage until its volume is found again; copies without backup copy every mistake.",
    remedy="Use an operator (or Patroni, Galera, a replica set) with a standby, and a scheduled backup elsewhere.",
    source="S4-11, S4-8, S4-10",
)
def test_databases(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Operators' objects in scope (CloudNativePG, Zalando's and Crunchy's PostgreSQL, InnoDBCluster, Percona XtraDB,
    MariaDB, MongoDB): two instances, or `lifecycle.min_quorum` and an odd number where they vote; and a schedule of
    backups, as each of them has it (Zalando's stands with the operator: unknown). Plain workloads of database images:
    the same, if their configuration shows who copies and promotes (Patroni, repmgr, group replication, Galera, a
    replica set); without, several are as bad as one. Backed up is a namespace with a CronJob that names a backup tool,
    or one that Velero saves. Databases outside the cluster are out of sight.
    """
    tell(databases.operated(snapshot, profile), profile, expect)
    tell(plain_databases.plain(snapshot, list(workloads.all()), profile), profile, expect)
