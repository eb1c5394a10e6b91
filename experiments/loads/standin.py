"""The stand-in for a metrics adapter, for a play in a cluster that has none."""

from __future__ import annotations

from experiments.loads import keda
from experiments.loads.stage import AbsentError, Stage
from fixtures.clusters.cluster import Cluster
from fixtures.safety.rest import Rest, RestError
from fixtures.safety.undo import undoes, way_back
from fixtures.snapshot.model.base import Object
from fixtures.subjects import adapter
from fixtures.subjects.apply import Applier

SERVED_BY = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"


def install(stage: Stage, query: str) -> None:
    """One external metric is served when this returns. Raises AbsentError where somebody else serves such already, or
    where a stand-in may not be installed."""
    if not stage.cluster.disposable:
        raise AbsentError(f"cluster {stage.cluster.name!r} has no adapter, and a stand-in is only for disposable ones")
    if keda.served(stage.rest, SERVED_BY):
        raise AbsentError("external metrics are served by another adapter already: the stand-in is not for that")
    stage.journal(way_back(remove, "remove the stand-in for an adapter", stage.cluster))
    Applier(stage.rest).apply([adapter.certificate(stage.namespace)], stage.namespace)
    stage.put(adapter.adapter(keda.prometheus(stage), query))
    stage.wait_ready(stage.workload(adapter.SERVICE), 1)
    stage.wait("external metrics are served", lambda: keda.served(stage.rest, keda.METRICS), 60)
    stage.mark("ready", "external metrics are served by a stand-in, not by an adapter that anybody would run")


@undoes
def remove(cluster: Cluster | None) -> None:
    """Take the API away if it is ours; what serves it goes with the play's namespace."""
    assert cluster is not None
    rest = Rest.of(cluster)
    try:
        found = rest.get(SERVED_BY, Object)
    except RestError as error:
        if error.status == 404:
            return
        raise
    if found.labels.get("app.kubernetes.io/managed-by") == "evenkeel":
        rest.delete(SERVED_BY)
