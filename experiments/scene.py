"""Where a fault plays: the cluster, its API, and the application that is watched."""

from __future__ import annotations

from fixtures.clusters.cluster import Cluster
from fixtures.safety.objects import Nodes, Pod, Pods
from fixtures.safety.preflight import Scenery, health
from fixtures.safety.rest import Rest, RestError, name
from fixtures.snapshot.model.cluster import Lease, Node
from fixtures.snapshot.model.pod import LabelSelector
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.selectors import matches


class Scene:
    """Reads are made when asked for, and always anew: a fault changes what they say."""

    def __init__(self, cluster: Cluster, rest: Rest, app_namespace: str, app_name: str) -> None:
        self.cluster = cluster
        self.rest = rest
        self.app_namespace = app_namespace
        self.app_name = app_name

    @property
    def app(self) -> str:
        return f"Deployment {self.app_namespace}/{self.app_name}"

    def deployment(self) -> Deployment:
        """The watched application. Raises `RestError`, also when there is none."""
        path = f"/apis/apps/v1/namespaces/{name(self.app_namespace)}/deployments/{name(self.app_name)}"
        return self.rest.get(path, Deployment)

    def app_pods(self, selector: LabelSelector | None = None) -> list[Pod]:
        """The application's pods that have not finished. Raises `RestError`."""
        wanted = selector or self.deployment().spec.selector
        pods = self.rest.get(f"/api/v1/namespaces/{name(self.app_namespace)}/pods", Pods).items
        return [p for p in pods if matches(wanted, p.labels) and not p.finished]

    def nodes(self) -> list[Node]:
        return self.rest.get("/api/v1/nodes", Nodes).items

    def pod(self, namespace: str, pod: str) -> Pod | None:
        """None when it is gone. Raises `RestError`."""
        try:
            return self.rest.get(f"/api/v1/namespaces/{name(namespace)}/pods/{name(pod)}", Pod)
        except RestError as error:
            if error.status == 404:
                return None
            raise

    def lease(self, component: str, namespace: str = "kube-system") -> Lease:
        """A component's leader election. Raises `RestError`."""
        return self.rest.get(
            f"/apis/coordination.k8s.io/v1/namespaces/{name(namespace)}/leases/{name(component)}", Lease
        )

    def scenery(self) -> Scenery:
        return Scenery.read(self.rest)

    def troubles(self) -> list[str]:
        """What is not as it should be, in words; empty when all is well. Never raises: no answer is a trouble too."""
        try:
            found = [f"{r.object} {r.value}" for r in health(self.scenery())]
            deployment = self.deployment()
            wanted = deployment.spec.replicas if deployment.spec.replicas is not None else 1
            ready = sum(p.ready for p in self.app_pods(deployment.spec.selector))
        except RestError as error:
            return [str(error)]
        if ready < wanted:
            found.append(f"{self.app} {ready} of {wanted} replicas Ready")
        elif rolling(deployment):
            found.append(f"{self.app} is still being rolled out")
        return found


def rolling(deployment: Deployment) -> bool:
    """Whether its controller is still exchanging pods, or has not yet seen what is wanted."""
    status, wanted = deployment.status, deployment.spec.replicas if deployment.spec.replicas is not None else 1
    if not status.observed_generation:
        return False  # it says nothing about itself
    settled = status.replicas == status.updated_replicas == status.available_replicas == wanted
    return not settled or status.observed_generation < deployment.metadata.generation
