"""Logs: collected on every node, and not lost on their way."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import logs
from fixtures.snapshot.log_configs import kept_paths, lacks
from fixtures.snapshot.mounts import keeps
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.software import running
from fixtures.snapshot.workloads import Workloads

VIRTUAL = ("type", "virtual-kubelet")
KEPT = ("host", "claim")


@control(
    "LCM-09",
    "A log agent is Ready on every node",
    severity="high",
    live=True,
    reason="What happened on a node that nobody collects from is known to nobody after its pods are gone.",
    remedy="Let the agent's DaemonSet tolerate all taints, control planes' too; look at its pods that are not Ready.",
    source="S4-34, S3-17, S0-35",
)
def test_log_agent_on_every_node(workloads: Workloads, nodes: Nodes, profile: Profile, expect: Expect) -> None:
    """DaemonSets of a known log agent with the host's /var/log, or of anything with its containers' logs, in any
    namespace: each Ready node has a Ready pod of one of them. Nodes that are not Ready have SYS-19, virtual ones have
    no logs of their own. A cluster without any agent is left out, unless the profile requires logging.
    """
    agents = logs.agents(workloads.everywhere())
    if not agents:
        if "logging" not in profile.lifecycle.required:
            expect.not_applicable("no DaemonSet collects logs here")
        expect("cluster", False, "no DaemonSet collects logs, and the profile requires it")
    covered = {pod.spec.node_name for agent in agents for pod in agent.ready_pods}
    names = ", ".join(agent.reference for agent in agents)
    for node in nodes.all():
        if agents and node.ready and node.labels.get(VIRTUAL[0]) != VIRTUAL[1]:
            expect(node, node.name in covered, f"no Ready pod of {names}", path="pods.spec.nodeName", value=node.name)


@control(
    "LCM-10",
    "The log pipeline survives restarts: it remembers its place, keeps what is unsent, and has somewhere to send it",
    severity="medium",
    reason="Agents restart exactly when much is logged; what they had only in memory is what would have explained it.",
    remedy="Set pos_file (DB) and a file buffer on a hostPath, add an output, run two aggregators.",
    source="S3-17, S4-20",
)
def test_log_pipeline(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """For Fluentd and Fluent Bit, from their ConfigMaps, also from those nobody mounts: every tail has a position file;
    some output sends elsewhere (not null or stdout); what is unsent is buffered in files. Where the workload is seen,
    those files are on a volume that outlives the pod: hostPath or a claim. Filebeat, Promtail and Vector remember by
    themselves, so only the place is judged. Aggregators (the same software, and Logstash, as a Deployment or
    StatefulSet) have the profile's `min_replicas`. An agent whose configuration isn't seen is unknown.
    """
    everything = list(workloads.everywhere())
    seen = set()
    for configured in logs.pipelines(snapshot, everything):
        for lack in lacks(configured.pipeline):
            expect(configured.config, False, lack.message, path=f"data: {lack.path}", value=lack.value)
        software = configured.software
        expect(configured.config, True)
        if software is None:
            continue
        seen.add(software.workload.reference)
        for path in kept_paths(configured.pipeline):
            kept = keeps(software.workload, software.container, path)
            message = f"{path} is lost with the pod: it is on {kept}"
            expect(software.workload, kept in KEPT, message, path=f"{software.path}.volumeMounts", value=path)
    agents = {agent.reference for agent in logs.agents(everything)}
    for software in running(everything, logs.COLLECTORS):
        workload = software.workload
        if workload.reference not in agents or workload.reference in seen:
            continue
        path = logs.position_path(snapshot, software) if software.name in logs.POSITIONS else ""
        if not path:
            expect.uncertain(workload, f"how {software.name} is configured can't be seen")
            continue
        kept = keeps(workload, software.container, path)
        message = f"what it has sent is forgotten with the pod: {path} is on {kept}"
        expect(workload, kept in KEPT, message, path=f"{software.path}.volumeMounts", value=path)
    for software in logs.aggregators(everything):
        count = software.workload.effective_replicas
        path, value = software.workload.replicas_evidence
        message = f"{count} aggregator(s), wanted {profile.min_replicas}"
        expect(software.workload, count >= profile.min_replicas, message, path=path, value=value)
