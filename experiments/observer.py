"""Who noticed, who acted: the cluster's own state, looked at several times a second through the API during a fault.

How often is weighed against what an answer costs the API servers: lists of nodes and of static pods are a hundred times
as large as those of Leases, and what looking takes is taken from the recovery that is looked at.

Each kind of object is looked at by a thread of its own, so that one hanging request does not blind the others. A change
is dated with the look that showed it; `since` is the last look that did not, so the truth lies between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from experiments.leases import Election, Elections
from experiments.scene import Scene
from fixtures.safety.objects import EndpointSlices, Nodes, Pod, Pods
from fixtures.safety.rest import ANSWER_S, FROM_CACHE, RestError, name
from fixtures.snapshot.model.pod import LabelSelector


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something became something else. Times are readings of the monotonic clock."""

    at: float
    since: float
    subject: str  # "node/master-1", "lease/kube-scheduler", "endpoints/web", "pods/web", "static/POD"
    old: Any
    new: Any


class AppPod(msgspec.Struct, frozen=True):
    """A pod of the application at one look."""

    uid: str
    name: str
    node: str
    ready: bool
    restarts: int = 0


class StaticPod(msgspec.Struct, frozen=True):
    """A control-plane pod at one look."""

    restarts: int
    ready: bool


Look = Callable[[], Mapping[str, Any]]


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Something that one fault wants looked at beside the rest. `look` returns subjects and their states; it raises
    `RestError` when it could not see them."""

    name: str
    look: Look
    every_s: float = 0.25


class Observer:
    """Looks from `start` to `stop`; `changes` and `elections` may be read at any time."""

    def __init__(self, scene: Scene, selector: LabelSelector | None, also: Sequence[Watched] = ()) -> None:
        self._scene = scene
        self._selector = selector
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._looks = Elections(scene.rest)
        self._elections: list[Election] = []
        self._looked: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._watch, args=(what, look, every), name=f"observer-{what}", daemon=True)
            for what, look, every in (
                ("leases", self._leases, 0.2),
                ("nodes", self._nodes, 0.5),
                ("endpoints", self._endpoints, 0.2),
                ("pods", self._pods, 0.25),
                ("static-pods", self._static_pods, 1.0),
                *((one.name, one.look, one.every_s) for one in also),
            )
        ]

    @property
    def changes(self) -> list[Change]:
        """In order of time."""
        with self._lock:
            return sorted(self._changes, key=lambda c: c.at)

    @property
    def elections(self) -> list[Election]:
        with self._lock:
            return list(self._elections)

    def looked(self, what: str) -> float | None:
        """When a kind of object was last seen: "leases", "nodes", "endpoints", "pods", "static-pods"."""
        with self._lock:
            return self._looked.get(what)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(ANSWER_S * 3)

    def _watch(self, what: str, look: Look, every: float) -> None:
        known: dict[str, Any] = {}
        last = time.monotonic()
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                seen = look()
            except RestError:
                seen = None  # the prober measures that; here it only widens `since`
            if seen is not None:
                now = time.monotonic()
                if known:
                    self._compare(known, seen, now, last)
                known = dict(seen)
                last = now
                with self._lock:
                    self._looked[what] = now
            self._stop.wait(max(0.0, every - (time.monotonic() - began)))

    def _compare(self, known: Mapping[str, Any], seen: Mapping[str, Any], now: float, last: float) -> None:
        changed = [
            Change(at=now, since=last, subject=subject, old=known.get(subject), new=seen.get(subject))
            for subject in {**known, **seen}
            if known.get(subject) != seen.get(subject)
        ]
        if changed:
            with self._lock:
                self._changes.extend(changed)

    def _leases(self) -> Mapping[str, Any]:
        elections = self._looks.look()
        with self._lock:
            self._elections.extend(elections)
        return {f"lease/{e.name}": (e.holder, e.transitions) for e in elections if not e.between}

    def _nodes(self) -> Mapping[str, Any]:
        nodes = self._scene.rest.get("/api/v1/nodes", Nodes, FROM_CACHE, timeout_s=ANSWER_S).items
        return {f"node/{n.name}": "Ready" if n.ready else "not Ready" for n in nodes}

    def _endpoints(self) -> Mapping[str, Any]:
        slices = self._scene.rest.get(
            f"/apis/discovery.k8s.io/v1/namespaces/{self._scene.app_namespace}/endpointslices",
            EndpointSlices,
            FROM_CACHE,
            timeout_s=ANSWER_S,
        ).items
        ready: dict[str, set[str]] = {}
        for one in slices:
            service = one.labels.get("kubernetes.io/service-name", one.name)
            names = ready.setdefault(f"endpoints/{service}", set())
            for endpoint in one.endpoints or ():
                if endpoint.conditions.ready is not False:
                    names.add(endpoint.target_ref.name if endpoint.target_ref else ",".join(endpoint.addresses or ()))
        return {service: frozenset(names) for service, names in ready.items()}

    def _pods(self) -> Mapping[str, Any]:
        pods = self._scene.app_pods(self._selector)
        return {f"pods/{self._scene.app_name}": glimpse(pods)}

    def _static_pods(self) -> Mapping[str, Any]:
        query = {"labelSelector": "tier=control-plane", **FROM_CACHE}
        pods = self._scene.rest.get("/api/v1/namespaces/kube-system/pods", Pods, query, timeout_s=ANSWER_S).items
        return {f"static/{p.name}": StaticPod(p.restarts, p.ready) for p in pods}


def glimpse(pods: Iterable[Pod]) -> frozenset[AppPod]:
    """Pods as they are compared from look to look."""
    return frozenset(AppPod(p.metadata.uid, p.name, p.spec.node_name, p.ready, p.restarts) for p in pods)


def pods_of(scene: Scene, namespace: str, selector: str) -> Watched:
    """The pods that a label selector finds; the subject is `pods/SELECTOR`."""

    def look() -> Mapping[str, Any]:
        query = {"labelSelector": selector, **FROM_CACHE}
        found = scene.rest.get(f"/api/v1/namespaces/{name(namespace)}/pods", Pods, query, timeout_s=ANSWER_S).items
        return {f"pods/{selector}": glimpse(found)}

    return Watched(name=f"pods-{selector}", look=look)
