"""F-23: the serving certificate of an API server expires."""

from __future__ import annotations

import re

from experiments.aftermath import Aftermath
from experiments.faults import certificates
from experiments.faults.fault import Evidence, Fault, NoVictimError, Victim
from experiments.faults.static_pods import shell
from experiments.result import FAIL, PASS, Check
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, ClusterError
from fixtures.safety.preflight import Permission, Refusal, Scenery
from fixtures.safety.undo import Undo, undoes, way_back

COMPONENT = "kube-apiserver"
NAME = "apiserver"
VALID_S = 25.0  # long enough for an audit to find it before
RENEWED_S = 24 * 3600.0
TRUSTED = "trusted"


class CertificateExpiry(Fault):
    """One API server gets a certificate of the cluster's own authority that is valid for seconds. When it has expired
    no client may open a connection to it: whoever balances must see that, as an audit must have seen it coming."""

    id = "F-23"
    title = "let a certificate expire"
    targets = {"api-server": "the serving certificate of an API server"}
    needs = frozenset({Capability.NODE_EXEC})
    permissions = (Permission("list", "pods", namespace="kube-system"), Permission("list", "nodes"))
    proof_within_s = 60.0
    seen_by = ("SYS-17",)

    def choose(self, scene: Scene, target: str) -> Victim:
        pods = sorted((p for p in scene.scenery().component(COMPONENT) if p.ready), key=lambda p: p.name)
        addresses = {n.name: n.address for n in scene.cluster.nodes()}
        pods = [p for p in pods if p.spec.node_name in addresses]
        if not pods:
            raise NoVictimError(f"no Ready pod of {COMPONENT} in kube-system on a node that can be reached")
        pod = pods[-1]
        return Victim(
            kind="Certificate",
            name=pod.name,
            namespace=pod.namespace,
            node=pod.spec.node_name,
            mark=addresses[pod.spec.node_name],
            why=f"serving on {addresses[pod.spec.node_name]}",
        )

    def blast(self, scene: Scene, scenery: Scenery, victim: Victim) -> list[Refusal]:
        if any(p.ready and p.name != victim.name for p in scenery.component(COMPONENT)):
            return []
        value = f"{victim.name} is the only Ready one"
        return [Refusal(object=COMPONENT, value=value, next="use a cluster with several API servers")]

    def way_back(self, scene: Scene, victim: Victim) -> Undo | None:
        text = f"renew the serving certificate of {victim.name}"
        return way_back(renew, text, scene.cluster, {"node": victim.node})

    def evidence(self, scene: Scene, victim: Victim) -> Evidence:
        """What a client on the node itself says, which goes through no balancer."""
        url = f"https://{victim.mark}:6443"
        done = scene.cluster.exec(victim.node, ["kubectl", f"--server={url}", "get", "--raw=/version"])
        said = re.search(r"x509: [a-z ]+", done.stderr)
        if done.returncode and said is None:
            raise ClusterError(f"{victim.name} can't be asked: {done.stderr.strip()[-200:]}")
        return {f"certificate of {victim.name}": said[0].strip() if said else TRUSTED}

    def proven(self, before: Evidence, after: Evidence) -> bool:
        return set(before.values()) == {TRUSTED} and all("expired" in str(said) for said in after.values())

    def inject(self, scene: Scene, victim: Victim) -> None:
        cluster, node = scene.cluster, victim.node
        old = certificates.read(cluster, node, f"{certificates.PKI}/{NAME}.crt")
        authority = certificates.read(cluster, node, f"{certificates.PKI}/ca.crt")
        key = shell(cluster, node, f"cat {certificates.PKI}/ca.key").encode()
        certificates.install(cluster, node, NAME, certificates.shortened(old, authority, key, VALID_S))

    def examine(self, scene: Scene, victim: Victim, aftermath: Aftermath) -> list[Check]:
        """The certificate that is served now is another one, and clients trust it."""
        served = self.evidence(scene, victim)
        days = certificates.left_s(certificates.read(scene.cluster, victim.node, f"{certificates.PKI}/{NAME}.crt"))
        good = set(served.values()) == {TRUSTED} and days > RENEWED_S
        said = f"{victim.name} is {', '.join(served.values())}, its certificate valid for {days / 86400:.0f} days more"
        return [Check(name="renewed", verdict=PASS if good else FAIL, message=said)]


@undoes
def renew(cluster: Cluster | None, node: str) -> None:
    """Renew the certificate by kubeadm; where that fails, the one from before. The API server loads it by itself."""
    assert cluster is not None
    if not certificates.is_aside(cluster, node, NAME):
        return
    path = f"{certificates.PKI}/{NAME}.crt"
    try:
        certificates.renew(cluster, node, [NAME])
    except ClusterError:
        certificates.put_back(cluster, node, NAME)
    if certificates.left_s(certificates.read(cluster, node, path)) < RENEWED_S:
        certificates.put_back(cluster, node, NAME)
    certificates.forget(cluster, node, NAME)
