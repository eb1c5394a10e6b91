"""Set-ups of the lab that are broken on purpose, each in one way that is met in the field, and mended afterwards.

What a control of recovery must see failing; `record.py --broken NAME` breaks, runs and records. A new one is a function
here, in the file of what it breaks, and a name in SETUPS.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from fixtures.clusters.lab.lab import Lab
from tests.lab.bad_subjects import Deployed
from tests.recovery.broken import applications, cluster, etcd, front

SetUp = Callable[[Lab], AbstractContextManager[Deployed | None]]
"""Breaks the lab and gives the application to aim at, where it made one of its own."""

SETUPS: dict[str, SetUp] = {
    "together": applications.together,
    "together-in-the-leaders-zone": applications.together_in_the_leaders_zone,
    "unprobed": applications.unprobed,
    "starts-in-75-s": applications.starts_in_75_s,
    "alive-while-the-api-is": applications.alive_while_the_api_is,
    "alive-while-one-master-is": applications.alive_while_one_master_is,
    "applied-smaller": applications.applied_smaller,
    "front-knows-the-leader-only": front.knows_the_leader_only,
    "front-knows-a-follower-only": front.knows_a_follower_only,
    "front-knows-the-last-master-only": front.knows_the_last_master_only,
    "front-does-not-check-itself": front.does_not_check_itself,
    "etcd-waits-10-s-for-its-leader": etcd.waits_10_s_for_its_leader,
    "proxy-cleans-up-when-it-starts": cluster.proxy_cleans_up_when_it_starts,
    "proxy-hangs": cluster.proxy_hangs,
    "webhook-is-put-back": cluster.webhook_is_put_back,
    "scaled-down-without-metrics": cluster.scaled_down_without_metrics,
    "busy-node-is-emptied": cluster.busy_node_is_emptied,
    "certificate-is-young": cluster.certificate_is_young,
}
