"""Who leads etcd, asked of one member that lives: of itself only, because dead members cost seconds of waiting."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from experiments.scene import Scene
from fixtures.clusters import pod_exec
from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.pod_exec import ExecError
from fixtures.safety.objects import Pod
from fixtures.safety.rest import RestError

CERTIFICATES = "/etc/kubernetes/pki/etcd"
ETCDCTL = (
    "etcdctl",
    "--command-timeout=2s",
    "--endpoints=https://127.0.0.1:2379",
    f"--cacert={CERTIFICATES}/ca.crt",
    f"--cert={CERTIFICATES}/server.crt",
    f"--key={CERTIFICATES}/server.key",
    "--write-out=json",
)
ANSWER_S = 4.0


class Leadership(msgspec.Struct, frozen=True, kw_only=True):
    """What one member says."""

    leader: str  # the member's name: in kubeadm clusters its node's
    term: int
    asked: str  # which member said so


class EtcdSilentError(ClusterError):
    """No member could be asked, or there is no leader; the text says what each said."""


def leadership(scene: Scene, avoid: Collection[str] = ()) -> Leadership:
    """Ask members in turn until one answers; those on the nodes `avoid` are not asked. Raises `EtcdSilentError`."""
    silent: list[str] = []
    for pod in scene.scenery().component("etcd"):
        if not pod.ready or pod.spec.node_name in avoid:
            continue
        try:
            status = _ask(scene, pod, "endpoint", "status")[0]["Status"]
            members = _ask(scene, pod, "member", "list")["members"]
            names = {m["ID"]: m.get("name", "") for m in members}
            if status.get("leader") in names:
                return Leadership(leader=names[status["leader"]], term=int(status["raftTerm"]), asked=pod.name)
            silent.append(f"{pod.name}: no leader at the moment")
        except (EtcdSilentError, LookupError, TypeError) as error:
            silent.append(f"{pod.name}: {error}")
    raise EtcdSilentError(f"etcd's leader is not known: {'; '.join(silent) or 'no etcd pod is visible and Ready'}")


def known(scene: Scene) -> Leadership | None:
    """The same; None where it can't be known."""
    try:
        return leadership(scene)
    except (EtcdSilentError, RestError):
        return None


def _ask(scene: Scene, pod: Pod, *command: str) -> Any:
    try:
        out, said = pod_exec.run(
            scene.rest.client, pod.namespace, pod.name, "etcd", [*ETCDCTL, *command], timeout_s=ANSWER_S
        )
    except ExecError as error:
        raise EtcdSilentError(str(error)) from error
    try:
        return msgspec.json.decode(out)
    except msgspec.DecodeError as error:
        raise EtcdSilentError(said.strip()[-200:] or "etcdctl said nothing") from error
