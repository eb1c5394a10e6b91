"""Where a play acts: a namespace made for it, traffic, and a clock. Every change is journalled before it is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import msgspec
import yaml

from experiments.loads.recording import Mark, Recording, Track
from experiments.settings import Settings
from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.load.sampler import Sampler, Workload
from fixtures.load.traffic import Knocking, Traffic, started, stop_traffic
from fixtures.profiles.profile import Profile
from fixtures.safety.guard import Guard
from fixtures.safety.journal import Journal
from fixtures.safety.rest import Rest, RestError, name
from fixtures.safety.undo import Undo, way_back
from fixtures.snapshot.model.base import Model, Object
from fixtures.subjects.apply import Applier
from fixtures.subjects.subject import Subject

HERE = Path(__file__).parent
SUBJECT = "subject"
NODE_PORTS = (30081, 30082)  # of Services made for the run
_PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ResourceQuota": "/api/v1/namespaces/{}/resourcequotas",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "ScaledObject": "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects",
}


class _Target(Model):
    kind: str = ""
    name: str = ""


class _ScalerSpec(Model):
    min_replicas: int = 1
    scale_target_ref: _Target = msgspec.field(default_factory=_Target)


class _Scaler(Object):
    spec: _ScalerSpec = msgspec.field(default_factory=_ScalerSpec)


class _Scalers(msgspec.Struct):
    items: list[_Scaler] = []


class StageError(Exception):
    """The play could not be played as meant; the text says what was waited for or refused."""


class AbsentError(Exception):
    """What the play is about isn't in this cluster: it does not apply."""


class Stage:
    """One load test's surroundings. Its namespace is removed when it is over, by whoever is still alive then."""

    def __init__(
        self,
        cluster: Cluster,
        rest: Rest,
        settings: Settings,
        profile: Profile,
        journal: Journal,
        guard: Guard,
        namespace: str,
        record: Path,
        variant: str,
    ) -> None:
        self.cluster, self.rest, self.settings, self.profile = cluster, rest, settings, profile
        self.namespace, self.variant = namespace, variant
        self.sampler: Sampler | None = None
        self.marks: list[Mark] = []
        self.values: dict[str, float] = {}
        self._journal, self._guard, self._record = journal, guard, record
        self._workloads: dict[str, Workload] = {}
        self._traffic: dict[str, Knocking] = {}

    # What is there --------------------------------------------------------------------------------------------------

    def host(self, door: int = 0) -> str:
        """Where a NodePort Service made for the run is reached. Raises `StageError` where nothing leads to it."""
        url = self.cluster.door(NODE_PORTS[door])
        if url is None:
            raise StageError(f"cluster {self.cluster.name!r} has no way in to node port {NODE_PORTS[door]}")
        return url

    def manifest(self, service: str = SUBJECT, door: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
        """The subject's Deployment and Service, to be changed and then applied."""
        text = Template((HERE / "subject.yaml").read_text(encoding="utf-8")).substitute(
            name=service, image=IMAGES["agnhost"], port=NODE_PORTS[door]
        )
        deployment, front = yaml.safe_load_all(text)
        return deployment, front

    def workload(
        self, deployment: str = SUBJECT, *, scaler: str = "", service: str = "", sets: bool = False
    ) -> Workload:
        return Workload(namespace=self.namespace, deployment=deployment, scaler=scaler, service=service, sets=sets)

    def own(self) -> tuple[Workload, int]:
        """The user's service with its autoscaler, and the scaler's minimum. Raises `StageError`, `RestError`."""
        namespace, deployment = self.settings.app_namespace, self.settings.app_name
        scalers = self.rest.get(_PATHS["HorizontalPodAutoscaler"].format(name(namespace)), _Scalers).items
        for scaler in scalers:
            target = scaler.spec.scale_target_ref
            if (target.kind, target.name) == ("Deployment", deployment):
                found = Workload(namespace=namespace, deployment=deployment, scaler=scaler.name)
                return found, scaler.spec.min_replicas
        raise StageError(f"no HorizontalPodAutoscaler in {namespace} scales {deployment}: nothing would grow")

    # What is changed ------------------------------------------------------------------------------------------------

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Make objects in the play's namespace, which is removed with everything in it. Raises `RestError`."""
        for document in documents:
            self._guard.check()
            self.rest.post(_PATHS[document["kind"]].format(name(self.namespace)), dict(document))

    def put(self, *subjects: Subject) -> None:
        """Make a subject's objects in the play's namespace, its images on the nodes. What of it is outside of the
        namespace: call `journal` before. Raises `StageError`, `RestError`."""
        for subject in subjects:
            self._guard.check()
            try:
                self.cluster.provide(list(subject.images.values()))
            except ClusterError as error:
                raise StageError(str(error)) from error
            Applier(self.rest).apply(subject.objects(self.namespace), self.namespace)

    def patch(self, kind: str, object_: str, body: Mapping[str, Any], namespace: str = "") -> None:
        """Change an object with a merge patch. Outside of the play's namespace: call `journal` before."""
        self._guard.check()
        self.rest.merge(f"{_PATHS[kind].format(name(namespace or self.namespace))}/{name(object_)}", dict(body))

    def scale(self, deployment: str, replicas: int) -> None:
        """As `kubectl scale` does it."""
        self._guard.check()
        path = f"{_PATHS['Deployment'].format(name(self.namespace))}/{name(deployment)}/scale"
        self.rest.merge(path, {"spec": {"replicas": replicas}})

    def journal(self, undo: Undo) -> None:
        """Write down how something outside of the play's namespace is taken back, before it is changed."""
        self._journal.record("", undo)

    # What is looked at ----------------------------------------------------------------------------------------------

    def watch(self, workloads: Mapping[str, Workload], interval_s: float = 1.0) -> None:
        """Sample these from now on, by the names that their tracks are to have; the first is the subject."""
        self._workloads = dict(workloads)
        self.sampler = Sampler(self.rest, list(workloads.values()), interval_s)
        self.sampler.start()

    def knock(self, track: str, traffic: Traffic) -> Knocking:
        """Traffic at a service from now on; returns when its first second is recorded. Raises `TrafficError`."""
        traffic.check(self.settings.app_url)
        self._guard.check()
        knocking = Knocking(traffic, self._record / track)
        knocking.start()
        undo = way_back(stop_traffic, f"end locust at {traffic.host}", None, _identity(knocking))
        self._journal.record("", undo)
        self._traffic[track] = knocking
        knocking.wait_begun()
        return knocking

    def mark(self, kind: str, what: str, at: float | None = None) -> float:
        """Remember a moment, by default this one; returns it."""
        self.marks.append(Mark(at=time.monotonic() if at is None else at, kind=kind, what=what))
        return self.marks[-1].at

    def wait(self, what: str, holds: Callable[[], bool], within_s: float, every_s: float = 0.1) -> float:
        """Until it holds; returns when it was seen to. Raises `StageError` when it does not in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                if holds():
                    return time.monotonic()
            except RestError:
                pass  # asked again
            time.sleep(every_s)
        raise StageError(f"waited {within_s:g} s in vain until {what}")

    def wait_ready(self, workload: Workload, replicas: int, within_s: float = 60.0) -> float:
        """Until exactly so many pods are there and Ready, and the rollout is complete."""
        looker = self.sampler or Sampler(self.rest, [workload])

        def there() -> bool:
            look = looker.look(workload)
            return (
                not look.trouble
                and look.ready == look.total == look.updated == replicas
                and look.available >= replicas
                and look.observed >= look.generation
            )

        return self.wait(f"{workload} has {replicas} Ready pods", there, within_s)

    def wait_answering(self, door: int = 0, within_s: float = 20.0, path: str = "/hostname") -> None:
        """Until the door in front of the cluster leads to the service: ten good answers in a row."""
        import urllib3

        pool = urllib3.PoolManager(retries=False, timeout=1.0)

        def answers() -> bool:
            try:
                return all(pool.request("GET", f"{self.host(door)}{path}").status == 200 for _ in range(10))
            except urllib3.exceptions.HTTPError:
                return False

        self.wait(f"{self.host(door)} answers", answers, within_s)

    # What is left ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End traffic and sampling."""
        for knocking in self._traffic.values():
            knocking.stop()
        if self.sampler is not None:
            self.sampler.stop()

    def recording(self) -> Recording:
        """Everything recorded so far."""
        tracks = []
        for track in dict.fromkeys([*self._workloads, *self._traffic]):
            workload, knocking = self._workloads.get(track), self._traffic.get(track)
            tracks.append(
                Track(
                    name=track,
                    workload=str(workload or ""),
                    traffic=knocking.traffic if knocking else None,
                    seconds=knocking.seconds() if knocking else [],
                    looks=self.sampler.of(workload) if self.sampler and workload else [],
                )
            )
        return Recording(tracks=tracks, marks=list(self.marks), values=dict(self.values))


def _identity(knocking: Knocking) -> dict[str, float]:
    return {"pid": knocking.pid, "began": started(knocking.pid)}


def save(recording: Recording, file: Path) -> None:
    """Everything, so that it can be judged again."""
    file.write_bytes(msgspec.json.encode(recording))
