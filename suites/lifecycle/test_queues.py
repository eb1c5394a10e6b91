"""Message queues: what was accepted is delivered, whichever member is lost."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import queues
from fixtures.snapshot.judged import tell
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-16",
    "Message queues keep several copies of every message, and a majority decides",
    severity="high",
    reason="A queue of one member, or of one copy, loses messages that producers were told are safe.",
    remedy="Three members (odd where they vote), three copies of which two are in sync, pause_minority, and claims.",
    source="S0-36",
)
def test_queues(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Kafka (Strimzi's objects, plain workloads): `lifecycle.min_quorum` brokers; controllers or ZooKeeper at least as
    many, and an odd number; default.replication.factor at least `min_replication`, min.insync.replicas at least
    `min_in_sync` and fewer than the copies (both 1 unless given); so do topics that have their own. RabbitMQ (its
    operator's object, plain workloads): an odd number of members, cluster_partition_handling pause_minority (the
    operator's default, not RabbitMQ's). NATS: an odd number. NSQ, which has neither votes nor copies: `min_replicas` of
    nsqd and nsqlookupd. All, except directories, on storage that outlives the pod. What an operator made of its object
    is not judged again; configuration that can't be seen is unknown.
    """
    tell(queues.everything(snapshot, list(workloads.all()), profile), profile, expect)
