"""Spread: replicas that fail together are one replica."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.arithmetic import Malformed
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.placement import Room, placement
from fixtures.snapshot.rollout import rollout
from fixtures.snapshot.snapshot import Snapshot, Unreadable
from fixtures.snapshot.spread import Rule, one_a_node, rules
from fixtures.snapshot.workloads import Workload, Workloads


@control(
    "APP-17",
    "The Ready replicas of every service are on at least two nodes",
    severity="high",
    live=True,
    reason="Replicas on one node are lost together with it, however many they are.",
    remedy="Add topologySpreadConstraints (or podAntiAffinity) on kubernetes.io/hostname, then restart the rollout.",
    source="S0-11",
)
def test_ready_on_two_nodes(workloads: Workloads, profile: Profile, expect: Expect) -> None:
    """For every workload that asks for two or more replicas: the nodes of its Ready pods, found through the owner
    chain, are at least the profile's `min_nodes_per_service`. A workload without any Ready pod is APP-02's finding.
    """
    for workload in workloads.serving():
        ready = workload.ready_pods
        if workload.replicas < 2 or not ready:
            continue
        nodes = sorted({pod.spec.node_name for pod in ready})
        message = f"{len(ready)} Ready pod(s), all on {', '.join(nodes)}"
        enough = len(nodes) >= profile.min_nodes_per_service
        expect(workload, enough, message, path="pods.spec.nodeName", value=nodes)


@control(
    "APP-18",
    "The Ready replicas of every service are in at least two zones, where the cluster has zones",
    severity="medium",
    live=True,
    reason="A zone is lost as a whole: power, network, or the provider's mistake. Replicas in one zone go with it.",
    remedy="Add a topologySpreadConstraint on topology.kubernetes.io/zone, then restart the rollout.",
    source="S4-13",
)
def test_ready_in_two_zones(workloads: Workloads, nodes: Nodes, profile: Profile, expect: Expect) -> None:
    """Where nodes that take ordinary pods, Ready or not, are in several zones: the zones of the Ready pods of every
    workload that asks for two or more replicas are at least the profile's `min_zones`, or as many as there are zones or
    replicas. A pod whose node names no zone makes it unknown when the others are too few.
    """
    zone_of = {node.name: node.zone for node in nodes.all()}
    zones = {node.zone for node in nodes.all() if node.schedulable and node.zone}
    wanted = min(profile.min_zones, len(zones))
    if wanted < 2:
        expect.not_applicable(f"the nodes are in {len(zones)} zone(s), wanted {profile.min_zones}: see SYS-20")
    for workload in workloads.serving():
        ready = workload.ready_pods
        if workload.replicas < 2 or not ready:
            continue
        found = {zone_of.get(pod.spec.node_name, "") for pod in ready}
        named = sorted(found - {""})
        if len(named) < min(wanted, workload.replicas) and "" in found:
            expect.uncertain(workload, "some of its pods are on nodes without a zone")
            continue
        message = f"{len(ready)} Ready pod(s), all in {', '.join(named)}"
        enough = len(named) >= min(wanted, workload.replicas)
        expect(workload, enough, message, path="pods.spec.nodeName", value=named)


@control(
    "APP-19",
    "Replicas are told to keep apart, by rules that still hold when a node is lost",
    severity="medium",
    reason="Without a rule the scheduler may put all replicas on one node. With one too hard, the replica of a lost "
    "node stays pending, and a rollout without room never ends.",
    remedy="Use topologySpreadConstraints on kubernetes.io/hostname and topology.kubernetes.io/zone, ScheduleAnyway or "
    "with nodeTaintsPolicy Honor; use required anti-affinity only with fewer replicas than nodes.",
    source="S0-11; Kubernetes: Pod Topology Spread Constraints",
)
def test_spread_declared(workloads: Workloads, snapshot: Snapshot, expect: Expect) -> None:
    """Every workload of two or more replicas has a topology spread constraint or a pod anti-affinity, hard or soft,
    that selects its own pods; two that ask for the same port of the node can't share one anyway. Where nodes can be
    seen, for each hard rule the worst single node is taken away: there must be room for all replicas of a Deployment,
    and for a majority of a StatefulSet, whose members wait for their node. Lost, cordoned and tainted nodes go on
    counting as empty for DoNotSchedule, unless nodeTaintsPolicy is Honor. A Deployment that updates by surge alone
    needs room for one more pod than it has replicas. Node selectors and affinity must leave a second node.
    """
    for workload in workloads.serving():
        if workload.effective_replicas < 2:
            continue
        found = list(rules(workload))
        apart = one_a_node(workload) or any(rule.own for rule in found)
        message = "its rules select other pods than its own" if found else "nothing keeps its pods apart"
        path, value = "spec.template.spec.topologySpreadConstraints", None
        if not apart and found:
            value = [rule.value for rule in found]
        expect(workload, apart, message, path=path, value=value)
        if snapshot.live:
            _still_satisfiable(workload, [rule for rule in found if rule.own and rule.hard], snapshot, expect)


def _still_satisfiable(workload: Workload, hard: list[Rule], snapshot: Snapshot, expect: Expect) -> None:
    """`hard`: its rules that a pod stays pending for."""
    bound = bool(workload.spec.node_selector or (workload.spec.affinity and workload.spec.affinity.node_affinity))
    if not hard and not bound:
        return
    try:
        where = snapshot.derive(placement)
    except Unreadable as error:
        expect.uncertain(workload, str(error))
        return
    replicas = max(workload.effective_replicas, workload.replicas)
    needed = replicas if workload.kind != "StatefulSet" else replicas // 2 + 1
    if bound and len(where.nodes) > 1:
        names = [node.name for node in where.usable(workload.spec)]
        message = f"it may only run on {len(names)} Ready node(s): {', '.join(names) or 'none'}"
        expect(workload, len(names) >= 2, message, path="spec.template.spec.nodeSelector", value=names)
    for rule in hard:
        room = rule.room(workload, where)
        message = _wrong(room, workload, needed, replicas, updating=rule.old_ones)
        expect(workload, not message, f"{rule.text} {message}", path=rule.path, value=rule.value)


def _wrong(room: Room, workload: Workload, needed: int, replicas: int, *, updating: bool) -> str:
    if room.after_loss is not None and room.after_loss < needed:
        of = "" if needed == replicas else f" (a majority of {replicas})"
        return f"leaves room for {room.after_loss} pods when a node is lost; {needed} are needed{of}"
    try:
        plan = rollout(workload)
    except Malformed:
        return ""  # APP-09's
    surges = plan is not None and not plan.wrong and plan.unavailable == 0 and plan.surge > 0
    if updating and surges and room.now is not None and room.now < replicas + 1:
        return f"has room for {room.now} pods; an update that takes none away needs {replicas + 1}"
    return ""
