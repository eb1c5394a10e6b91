"""F-32: the certificates of the whole control plane are renewed, one node after the other, without an outage."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from cryptography import x509

from experiments.aftermath import Aftermath
from experiments.faults import certificates, members
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.faults.static_pods import shell
from experiments.observer import Watched
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery, quorum

# In this order: who only asks first; then the API server, which says goodbye to its clients before it ends, and etcd
# behind it while nobody asks it.
COMPONENTS = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
GRACE_S = 30.0  # what a kubelet gives a static pod to end in
READY_WITHIN_S = 330.0  # a container restarted often lately waits up to five minutes for its next start
SETTLED_S = 4.0  # longer than a kubelet takes to say that a container has ended


class CertificateRenewal(Fault):
    """A drill: what everybody must do once a year. Nothing is worse after it, so there is nothing to take back."""

    id = "F-32"
    title = "renew the control plane's certificates"
    targets = {"all": "every control-plane node, one after the other"}
    needs = frozenset({Capability.NODE_EXEC})
    watches_leaders = True
    asks_to_end = True
    permissions = (Permission("list", "pods", namespace="kube-system"),)

    def choose(self, scene: Scene, target: str) -> Victim:
        nodes = members.masters(scene.cluster)
        if len(nodes) < 2:
            raise NoVictimError(f"{len(nodes)} control-plane node(s): with fewer than two nobody serves meanwhile")
        return Victim(kind="Certificates", name=",".join(nodes), node=",".join(nodes), why="one node after the other")

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        return [refusal for node in victim.node.split(",") for refusal in quorum(scenery, [node])][:1]

    def watches(self, scene: Scene) -> Sequence[Watched]:
        return [members.watched(scene)]

    def restarts(self, victim: Victim) -> Collection[str]:
        return {f"{component}-{node}" for node in victim.node.split(",") for component in COMPONENTS}

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """Serial number and end of each certificate below the nodes' pki, the authorities' left out."""
        found = members.together(victim.node.split(","), lambda node: _serials(scene.cluster, node))
        return {f"certificates of {node}": serials for node, serials in found.items()}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        """Every single one must be another, and none may end sooner."""
        return bool(before) and all(
            before[node].keys() == after[node].keys()
            and all(_renewed(before[node][name], after[node][name]) for name in before[node])
            for node in before
        )

    def inject(self, scene: Scene, victim: Victim) -> None:
        for node in victim.node.split(","):
            certificates.renew(scene.cluster, node)
            for component in COMPONENTS:
                _restart(scene.cluster, node, component)
            _await_ready(scene, node)

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """What is served is what is in the files: every process was restarted."""
        told, good = [], True
        for node in victim.node.split(","):
            serials = _serials(scene.cluster, node)
            ends = sorted(until.split(" until ")[1] for until in serials.values())
            good = good and ends[0] > time.strftime("%Y-%m-%d")
            told.append(f"{node}: {len(serials)} certificates, the first ends {ends[0]}")
        return [Check(name="renewed", verdict=PASS if good else FAIL, message="; ".join(told))]


def _serials(cluster: Cluster, node: str) -> dict[str, str]:
    command = f"cd {certificates.PKI} && cat $(ls *.crt etcd/*.crt | grep -v ca.crt)"
    names = shell(cluster, node, f"cd {certificates.PKI} && ls *.crt etcd/*.crt | grep -v ca.crt").split()
    found = x509.load_pem_x509_certificates(shell(cluster, node, command).encode())
    if len(found) != len(names):
        raise ClusterError(f"node {node}: {len(names)} files below {certificates.PKI} hold {len(found)} certificates")
    return {
        name.removesuffix(".crt"): f"{one.serial_number:x} until {one.not_valid_after_utc:%Y-%m-%d %H:%M:%S}"
        for name, one in zip(names, found, strict=True)
    }


def _renewed(before: str, after: str) -> bool:
    (old, ended), (new, ends) = before.split(" until "), after.split(" until ")
    return old != new and ends >= ended


def _restart(cluster: Cluster, node: str, component: str) -> None:
    """End a process as its kubelet would, which starts another: asked to, and killed when its grace is over. An API
    server waits a whole minute for the watches that are open, unless it was told to close them."""
    old = members.process(cluster, node, component)
    cluster.kill(node, component, "TERM")
    deadline = time.monotonic() + GRACE_S
    while members.process(cluster, node, component) == old != members.NOBODY:
        if time.monotonic() > deadline:
            cluster.kill(node, component)
            return
        time.sleep(0.1)


def _await_ready(scene: Scene, node: str) -> None:
    """The next node's turn comes when this one's is over. Raises `ClusterError`."""
    deadline = time.monotonic() + READY_WITHIN_S
    since: float | None = None
    troubles: list[str] = []
    while time.monotonic() < deadline:
        running = all(members.process(scene.cluster, node, c) != members.NOBODY for c in COMPONENTS)
        troubles = scene.troubles() if running else [f"not every component runs on {node}"]
        since = None if troubles else since or time.monotonic()
        if since is not None and time.monotonic() - since >= SETTLED_S:
            return
        time.sleep(0.3)
    raise ClusterError(f"{node} is not well {READY_WITHIN_S:.0f} s after its turn: {'; '.join(troubles)}")
