"""Nodes: somewhere for pods to go when one of them is lost."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.nodes import Nodes


@control(
    "SYS-19",
    "At least two nodes are Ready and take ordinary pods",
    severity="high",
    live=True,
    reason="When a node dies, its pods come back on another one, if there is another one.",
    remedy="Add workers, uncordon those that are cordoned for no reason, look at those that are NotReady.",
    source="S0-11",
)
def test_two_schedulable_workers(nodes: Nodes, profile: Profile, expect: Expect) -> None:
    """Nodes that are Ready, not cordoned, and without a NoSchedule or NoExecute taint, counted against the profile's
    `min_workers`. Control planes without such a taint count: pods run there.
    """
    found = [node.name for node in nodes.schedulable()]
    out = [node.name for node in nodes.all() if not node.control_plane and node.name not in found]
    message = f"{len(found)} node(s) take pods, wanted {profile.min_workers}"
    if out:
        message += f"; out of service: {', '.join(out)}"
    expect("cluster", len(found) >= profile.min_workers, message, path="nodes", value=found)
