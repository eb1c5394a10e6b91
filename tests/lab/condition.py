"""What a lab looks like where faults leave marks: on its nodes, in its network, and in its API.

Two conditions are compared; what differs was left behind. Whatever a reboot, a replaced pod or a
replaced member of etcd may change is left out.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import psutil

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import fabric
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.services import SERVICES
from fixtures.safety.rest import Rest, RestError

Condition = dict[str, str]

# One process a node: each line is a key, a blank and what is there.
NODE = f"""
for s in {" ".join(SERVICES)}; do echo "service-$s $(sv status /run/service/$s | cut -d: -f1)"; done
echo "qdisc $(tc qdisc show dev eth0 | cut -d' ' -f2 | sort | tr '\\n' ' ')"
echo "nft-tables $(nft list tables | sort | tr '\\n' ' ')"
echo "rules $(ip rule | wc -l)"
echo "blackholes $(ip route show type blackhole; ip route show type unreachable; ip route show type prohibit)"
echo "stopped $(ps -eo stat=,comm= | grep '^[Tt]' | tr '\\n' ' ')"
echo "manifests $(cd /etc/kubernetes/manifests 2>/dev/null && for f in *; do
  echo "$(grep -v -e --initial-cluster $f | sha256sum | cut -c1-12) $f"; done | tr '\\n' ' ')"
echo "eth0 $(cat /sys/class/net/eth0/operstate 2>/dev/null || ip -o link show eth0 | grep -o 'state [A-Z]*')"
"""
CORE, APPS, POLICY = "/api/v1", "/apis/apps/v1", "/apis/policy/v1"
ADMISSION, NETWORKING = "/apis/admissionregistration.k8s.io/v1", "/apis/networking.k8s.io/v1"
KINDS = (
    *(f"{CORE}/{kind}" for kind in ("namespaces", "services", "configmaps", "secrets", "serviceaccounts")),
    *(f"{CORE}/{kind}" for kind in ("resourcequotas", "limitranges", "persistentvolumeclaims")),
    *(f"{APPS}/{kind}" for kind in ("deployments", "daemonsets", "statefulsets")),
    f"{POLICY}/poddisruptionbudgets",
    f"{NETWORKING}/networkpolicies",
    f"{ADMISSION}/validatingwebhookconfigurations",
    f"{ADMISSION}/mutatingwebhookconfigurations",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
)
FLEETING = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")  # taints that mend themselves


def of(lab: Lab) -> Condition:
    """Everything. Raises `RestError` and `ClusterError` while the lab can't be asked."""
    return {**machines(lab), **network(), **objects(Rest.of(lab))}


def machines(lab: Lab) -> Condition:
    """What is in each node, and whether each balancer serves. Which of them has the balanced address may change: nobody
    gives it back. Raises `ClusterError`."""
    found: Condition = {}
    for balancer in lab.balancers():
        found[f"{balancer.name} power"] = balancer.power
        found[f"{balancer.name} proxy"] = "runs" if balancer.serves else "dead"
    for node in lab.nodes():
        found[f"{node.name} power"] = node.power
        if node.power == "on":
            for line in lab.exec(node.name, ["sh", "-c", NODE], timeout_s=10.0).stdout.splitlines():
                key, _, value = line.partition(" ")
                found[f"{node.name} {key}"] = value.strip()
    return found


def network() -> Condition:
    """The bridge's ends of the nodes' cables, and rules between them. Names of ports change with every boot."""
    enter = ["nsenter", f"--net={fabric.path()}"]
    shown = subprocess.run([*enter, "tc", "qdisc", "show"], capture_output=True, text=True, check=False).stdout
    kinds = sorted({line.split()[1] for line in shown.splitlines() if line})
    tables = subprocess.run([*enter, "nft", "list", "tables"], capture_output=True, text=True, check=False).stdout
    return {"fabric qdiscs": " ".join(kinds), "fabric nft tables": " ".join(sorted(tables.split()))}


def objects(rest: Rest) -> Condition:
    """Nodes as they are scheduled to, and every object that a fault may make or change. Raises `RestError`."""
    found: Condition = {}
    for node in _items(rest, f"{CORE}/nodes"):
        taints = [f"{t['key']}:{t['effect']}" for t in node["spec"].get("taints", ()) if t["key"] not in FLEETING]
        closed = " cordoned" if node["spec"].get("unschedulable") else ""
        found[f"node {node['metadata']['name']}"] = " ".join(sorted(taints)) + closed
    for path in KINDS:
        for item in _items(rest, path):
            metadata = item["metadata"]
            key = f"{path.rsplit('/', 1)[-1]} {metadata.get('namespace', '')}/{metadata['name']}"
            found[key] = _digest({k: v for k, v in item.items() if k not in ("metadata", "status")})
    return found


def leaving(rest: Rest) -> list[str]:
    """Namespaces that are being deleted: what is in them goes meanwhile. It takes the cluster five seconds, which its
    controller waits before it begins (`namespaceDeletionGracePeriod`), and longer while an aggregated API is not back.
    Raises `RestError`."""
    found = _items(rest, f"{CORE}/namespaces")
    return [one["metadata"]["name"] for one in found if "deletionTimestamp" in one["metadata"]]


def survivors(state: Path) -> list[str]:
    """Processes that a run with this state directory has left: its probers and watchdogs. What a watchdog started again
    for the lab, as Prometheus, has the run's environment too, and stays."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("EVENKEEL_STATE") == str(state)
            if ours and Path(process.exe()).name.startswith("python"):
                found.append(" ".join(process.cmdline()[:4]))
        except psutil.Error:
            continue
    return found


def differences(before: Condition, after: Condition) -> list[str]:
    """What is otherwise now, in words."""
    return [
        f"{key}: was {before.get(key, 'not there')!r}, is {after.get(key, 'gone')!r}"
        for key in sorted({**before, **after})
        if before.get(key) != after.get(key)
    ]


def left(lab: Lab, before: Condition) -> list[str]:
    """What differs now, or why that can't be seen; namespaces that are being deleted count as gone, with what is in
    them: see `leaving`. Never raises."""
    try:
        now, going = of(lab), leaving(Rest.of(lab))
    except (RestError, ClusterError, OSError) as error:
        return [f"can't be asked: {error}"]
    return differences(before, {key: value for key, value in now.items() if not _within(key, going)})


def _within(key: str, namespaces: list[str]) -> bool:
    """Whether an object's key is that of one of these namespaces, or of something in it."""
    kind, _, path = key.partition(" ")
    namespace, _, name = path.partition("/")
    return namespace in namespaces or (kind == "namespaces" and name in namespaces)


def _items(rest: Rest, path: str) -> list[Any]:
    return list(json.loads(rest.request("GET", path)).get("items", []))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
