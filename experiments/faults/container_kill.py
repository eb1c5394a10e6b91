"""F-02: a container of the application is killed in its pod; the kubelet restarts it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.faults import app_pods
from experiments.faults.fault import Evidence, Fault, NoVictimError, Recovery, Step, Victim
from experiments.observer import AppPod, Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, ClusterError
from fixtures.safety.preflight import APP, Permission, Refusal, Scenery

# Whatever runs in the container has its id in the path of its control group, under every runtime and cgroup version.
# A process can't kill the first one of its own pid namespace, so this must be done from outside the container.
KILL = """\
for directory in /proc/[0-9]*; do
  if grep -qs "$1" "$directory/cgroup"; then
    pid="${directory#/proc/}"; kill -KILL "$pid" && echo "$pid"
  fi
done
"""


class ContainerKill(Fault):
    """SIGKILL to every process of one container. The pod stays, so nothing has to be scheduled or given an address.

    The pod with the fewest restarts is chosen: the kubelet restarts a first time at once, later times ever later.
    """

    id = "F-02"
    title = "kill a container"
    targets = {"any": "the container of a Ready pod of the application, the one restarted least"}
    soaks = True
    needs = frozenset({Capability.NODE_EXEC})
    permissions = (Permission("get", "pods", "", APP), Permission("list", "poddisruptionbudgets", "policy", APP))
    proof_within_s = 60.0

    def choose(self, scene: Scene, target: str) -> Victim:
        ready = app_pods.ready(scene, order=lambda p: (p.restarts, p.name))
        pod = ready[0]
        containers = pod.status.container_statuses or ()
        if not containers or not containers[0].container_id:
            raise NoVictimError(f"pod {pod.namespace}/{pod.name} reports no running container")
        why = f"container {containers[0].name}, {pod.restarts} restart(s) before, one of {len(ready)} Ready"
        return app_pods.victim(pod, why)

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return app_pods.needed(scene, victim)

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        container, id_, restarts = self._container(scene, victim)
        return {f"id of container {container}": id_, "restarts": restarts}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Another container, and the kubelet counts one restart more."""
        return super().proven(before, after) and bool(after["restarts"] > before["restarts"])

    def inject(self, scene: Scene, victim: Victim) -> None:
        _, id_, _ = self._container(scene, victim)
        bare = id_.rpartition("/")[2]
        done = scene.cluster.exec(victim.node, ["sh", "-c", KILL, "sh", bare])
        if not done.stdout.split():
            raise ClusterError(
                f"no process of container {bare[:12]} of {victim} was found on {victim.node}: {done.stderr.strip()}"
            )

    def steps(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Step]:
        found: dict[str, Step] = {}
        for at, old, new in _looks(scene, victim, changes, injected):
            if old.ready and not new.ready:
                found.setdefault("gone", Step(kind="detected", at=at, what=f"{victim.name} is not Ready"))
            if new.restarts > old.restarts:
                found.setdefault("again", Step(kind="acted", at=at, what="the kubelet restarted the container"))
        back = self._back(scene, victim, changes, injected)
        if back is not None:
            found["back"] = Step(kind="recovered", at=back, what=f"{victim.name} is Ready again")
        return list(found.values())

    def recoveries(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> list[Recovery]:
        back = self._back(scene, victim, changes, injected)
        seconds = None if back is None else back - injected
        return [Recovery(name="restart", seconds=seconds, what="the container runs again and its pod is Ready")]

    def _back(self, scene: Scene, victim: Victim, changes: Sequence[Change], injected: float) -> float | None:
        """When the pod was Ready with the new container."""
        restarts: int | None = None
        for at, old, new in _looks(scene, victim, changes, injected):
            restarts = old.restarts if restarts is None else restarts
            if new.ready and new.restarts > restarts:
                return at
        return None

    @staticmethod
    def _container(scene: Scene, victim: Victim) -> tuple[str, str, int]:
        """Its name, id and restarts. Raises `ClusterError` while there is none."""
        pod = scene.pod(victim.namespace, victim.name)
        if pod is None or pod.metadata.uid != victim.uid:
            raise ClusterError(f"{victim} is gone")
        wanted = victim.why.split(",")[0].removeprefix("container ")
        for one in pod.status.container_statuses or ():
            if one.name == wanted and one.container_id:
                return one.name, one.container_id, one.restart_count
        raise ClusterError(f"{victim} has no container {wanted} at the moment")


def _looks(
    scene: Scene, victim: Victim, changes: Sequence[Change], injected: float
) -> Iterator[tuple[float, AppPod, AppPod]]:
    """Every change of the pod after the injection."""
    for change in changes:
        if change.subject == f"pods/{scene.app_name}" and change.at > injected:
            old = next((p for p in change.old or () if p.uid == victim.uid), None)
            new = next((p for p in change.new or () if p.uid == victim.uid), None)
            if old is not None and new is not None and old != new:
                yield change.at, old, new
