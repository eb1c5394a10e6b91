"""A stand-in for a cluster with Deployments that do at once what they are told.

It is simulated: it proves the plumbing around a load test (order, safety, measuring, verdict), never elasticity.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.experiments.fake_api import FakeApi, pod


class SimulatedCluster(FakeApi):
    """Every Deployment of a play's namespace has as many Ready pods of its newest version as it asks for."""

    def _answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if "/evenkeel-load-" not in path:
            return super()._answer(method, path, query, body)
        if method == "PATCH":
            target = path.removesuffix("/scale")
            if target not in self.objects:
                return 404, {"message": "not found"}
            merge(self.objects[target], body)
            self._reconcile(target)
            return 200, self.objects[target]
        if method == "DELETE":
            for one in [p for p in self.objects if p == path or p.startswith(f"{path}/")]:
                del self.objects[one]
            return 200, {}
        status, said = super()._answer(method, path, query, body)
        if method == "POST" and path.endswith("/deployments"):
            self._reconcile(f"{path}/{body['metadata']['name']}")
        if method == "GET" and path.endswith(("/pods", "/endpointslices", "/replicasets")):
            return 200, {"items": self.below(path) if path.endswith("/pods") else []}
        return status, said

    def _reconcile(self, path: str) -> None:
        deployment = self.objects[path]
        spec, metadata = deployment["spec"], deployment["metadata"]
        namespace = path.split("/namespaces/")[1].split("/")[0]
        version = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:6]
        pods = f"/api/v1/namespaces/{namespace}/pods/{metadata['name']}-"
        for one in [p for p in self.objects if p.startswith(pods)]:
            del self.objects[one]
        for number in range(spec["replicas"]):
            made = pod(namespace, f"{metadata['name']}-{version}-{number}", "worker-1")
            made["metadata"]["labels"] = {**spec["selector"]["matchLabels"], "pod-template-hash": version}
            self.objects[f"{pods}{version}-{number}"] = made
        metadata["generation"] = metadata.get("generation", 0) + 1
        deployment["status"] = {
            "observedGeneration": metadata["generation"],
            "availableReplicas": spec["replicas"],
            "updatedReplicas": spec["replicas"],
        }


def merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    """A JSON merge patch."""
    for key, value in patch.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
