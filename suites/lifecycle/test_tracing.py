"""Tracing: the way of a request can still be told after the collector's restart."""

from __future__ import annotations

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot import tracing
from fixtures.snapshot.loose import at, text, whole
from fixtures.snapshot.model.observability import Jaeger, OpenTelemetryCollector, TempoStack
from fixtures.snapshot.snapshot import Snapshot
from fixtures.snapshot.software import running
from fixtures.snapshot.workloads import Workloads


@control(
    "LCM-15",
    "Traces are collected redundantly and kept on storage that outlives the collector",
    severity="medium",
    reason="A tracer that keeps all in one process's memory forgets it with the fault that one wants to understand.",
    remedy="Use strategy production (or streaming) with Elasticsearch or Cassandra, and two collectors.",
    source="S3-15, S0-36",
)
def test_tracing(workloads: Workloads, snapshot: Snapshot, profile: Profile, expect: Expect) -> None:
    """Jaeger objects: strategy production or streaming (absent means allInOne), storage.type not memory (the default)
    or badger, and at least `min_replicas` collectors: collector.replicas, or minReplicas where it scales by itself (1
    unless given). TempoStacks: at least that many distributors. OpenTelemetryCollectors of mode deployment (the
    default) or statefulset: replicas, or autoscaler.minReplicas. Plain workloads in any namespace: Jaeger's all-in-one
    and Zipkin with a storage set by environment or arguments, and that many collectors.
    """
    wanted = profile.min_replicas
    everything = list(workloads.everywhere())
    if "tracing" in profile.lifecycle.required:
        expect("cluster", tracing.present(snapshot, everything), "no tracing, and the profile requires it")
    for jaeger in snapshot.of(Jaeger):
        _jaeger(jaeger, wanted, expect)
    for tempo in snapshot.of(TempoStack):
        count = whole(tempo.spec, "template.distributor.replicas", 1)
        message = f"{count} distributor(s), wanted {wanted}"
        expect(tempo, count >= wanted, message, path="spec.template.distributor.replicas", value=count)
    for collector in snapshot.of(OpenTelemetryCollector):
        if text(collector.spec, "mode") in ("", "deployment", "statefulset"):
            path, count = tracing.collectors(collector.spec, "spec")
            expect(collector, count >= wanted, f"{count} collector(s), wanted {wanted}", path=path, value=count)
    for software in running(everything, tracing.ALL_IN_ONE):
        if software.workload.object.controller is None:
            kept = tracing.storage(software)
            message = f"keeps its traces in {kept}: they end with the pod"
            expect(software.workload, kept not in tracing.FLEETING, message, path=f"{software.path}.env", value=kept)
    for software in running(everything, tracing.COLLECTORS):
        workload = software.workload
        if workload.replicated and workload.object.controller is None:
            count = workload.effective_replicas
            path, value = workload.replicas_evidence
            expect(workload, count >= wanted, f"{count} collector(s), wanted {wanted}", path=path, value=value)


def _jaeger(jaeger: Jaeger, wanted: int, expect: Expect) -> None:
    strategy = text(jaeger.spec, "strategy") or "allInOne"
    kind = text(jaeger.spec, "storage.type") or "memory"
    message = f"strategy {strategy} puts collector, storage and query into one process"
    apart = expect(jaeger, strategy.lower() != "allinone", message, path="spec.strategy", value=strategy)
    message = f"storage {kind} is lost with its process"
    fleeting = kind.lower() in tracing.FLEETING
    expect(jaeger, not fleeting, message, path="spec.storage.type", value=at(jaeger.spec, "storage.type"))
    if apart:
        path, count = tracing.jaeger_collectors(jaeger)
        expect(jaeger, count >= wanted, f"{count} collector(s), wanted {wanted}", path=path, value=count)
