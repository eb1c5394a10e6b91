"""The way to the API: through the balancer, not around it, and not for strangers."""

from __future__ import annotations

import yaml

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.profiles.profile import Profile
from fixtures.snapshot.components import API_SERVER, NAMESPACE, ControlPlane, duration_s, flags
from fixtures.snapshot.model.cluster import ConfigMap
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.snapshot import Snapshot

DOORS = (("kube-system", "kube-proxy", "kubeconfig.conf"), ("kube-public", "cluster-info", "kubeconfig"))
BALANCERS = ("kube-vip", "haproxy", "keepalived", "nginx-proxy", "metallb")
OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")


@control(
    "SYS-04",
    "Clients of the API use the balanced address, not one control plane's",
    severity="high",
    live=True,
    reason="A client bound to one API server is cut off when that one dies, though the others serve.",
    remedy="Set controlPlaneEndpoint to the balancer's address, and put it into kube-proxy's and cluster-info's "
    "ConfigMaps and each worker's kubelet.conf.",
    source="S0-9, S0-10, S0-14",
)
def test_clients_use_the_balancer(control_plane: ControlPlane, snapshot: Snapshot, expect: Expect) -> None:
    """The server in the kubeconfigs of the ConfigMaps kube-system/kube-proxy and kube-public/cluster-info is no control
    plane's own address or name. The workers' kubelet.conf is a file on each node that the API does not show: noted.
    Unknown when neither ConfigMap holds a kubeconfig.
    """
    own = {address for node in control_plane.nodes for address in (*node.addresses, node.name)}
    maps = {(m.namespace, m.name): m for m in snapshot.of(ConfigMap)}
    for namespace, name, key in DOORS:
        door = maps.get((namespace, name))
        for server in _servers((door.data or {}).get(key, "") if door is not None else ""):
            host = server.partition("://")[2].partition("/")[0].rpartition(":")[0].strip("[]")
            assert door is not None
            message = f"leads to {server}, one control plane's own address"
            expect(door, host not in own, message, path=f"data[{key}]", value=server)
    if not expect.judged:
        expect.unknown("neither kube-proxy's nor cluster-info's kubeconfig is to be seen")
    expect.note("kubelets' own kubeconfigs stand in files on their nodes, out of the API's sight")


def _servers(kubeconfig: str) -> list[str]:
    try:
        content = yaml.safe_load(kubeconfig)
    except yaml.YAMLError:
        return []
    clusters = content.get("clusters") if isinstance(content, dict) else None
    return [str(c["cluster"]["server"]) for c in clusters or () if (c.get("cluster") or {}).get("server")]


@control(
    "SYS-28",
    "Without credentials the API shows only health and version",
    severity="high",
    live=True,
    reason="Whoever reaches the port could read the cluster, or write to it.",
    remedy="Remove bindings of system:anonymous and system:unauthenticated, or restrict anonymous requests to health "
    "paths with an AuthenticationConfiguration.",
    source="S4-26",
)
def test_strangers_see_nothing(snapshot: Snapshot, expect: Expect) -> None:
    """Requests without any credentials for namespaces, Secrets, nodes, Deployments and metrics are answered with 401 or
    403. Health and version may be answered; what else they are is not looked at.
    """
    answers: dict[str, int] = snapshot.ask("anonymous")
    for path, status in answers.items():
        if path not in OPEN_PATHS:
            expect("API server", status in (401, 403), f"{path} is answered with {status}", path=path, value=status)


@control(
    "SYS-29",
    "API servers write an audit log",
    severity="medium",
    live=True,
    reason="Without one nobody can say who changed what before the outage.",
    remedy="Give every API server --audit-policy-file, and --audit-log-path or --audit-webhook-config-file.",
    source="S1-12",
)
def test_audit_log(control_plane: ControlPlane, expect: Expect) -> None:
    """The command line of each API server has a policy, and a log or a webhook to write to."""
    for pod in control_plane.pods(API_SERVER):
        given = flags(pod)
        expect(pod, given.get("audit-policy-file"), "has no audit policy", path="--audit-policy-file")
        written = given.get("audit-log-path") or given.get("audit-webhook-config-file")
        expect(pod, written, "writes no audit log", path="--audit-log-path")


@control(
    "SYS-31",
    "API servers let clients go gently",
    severity="low",
    live=True,
    reason="A server that stops at once breaks requests in flight; HTTP/2 clients stay on one server for ever.",
    remedy="Set --shutdown-delay-duration (longer than the balancer takes to notice) and --goaway-chance=.001.",
    source="S0-14; Kubernetes: kube-apiserver",
)
def test_servers_drain(control_plane: ControlPlane, expect: Expect) -> None:
    """Each API server has a --shutdown-delay-duration above zero, and with more than one server a --goaway-chance."""
    pods = control_plane.pods(API_SERVER)
    for pod in pods:
        given = flags(pod)
        delay = given.get("shutdown-delay-duration", "0s")
        message = f"stops at once when told to (delay {delay})"
        expect(pod, (duration_s(delay) or 0) > 0, message, path="--shutdown-delay-duration", value=delay)
        chance = given.get("goaway-chance", "0")
        message = "never sends its clients elsewhere: after a restart all stay on the others"
        expect(pod, len(pods) < 2 or float(chance) > 0, message, path="--goaway-chance", value=chance)


@control(
    "SYS-37",
    "API servers answer reads from their cache",
    severity="medium",
    live=True,
    reason="Without the watch cache every client's lists and watches go to etcd, which then has no time to write.",
    remedy="Remove --watch-cache=false, and sizes of 0 from --default-watch-cache-size and --watch-cache-sizes.",
    source="S4-28",
)
def test_watch_cache(control_plane: ControlPlane, expect: Expect) -> None:
    """--watch-cache is absent or true on each API server, --default-watch-cache-size is not 0, and no resource has a
    size of 0 in --watch-cache-sizes.
    """
    for pod in control_plane.pods(API_SERVER):
        given = flags(pod)
        on = given.get("watch-cache", "true")
        expect(pod, on.lower() != "false", "its watch cache is off", path="--watch-cache", value=on)
        size = given.get("default-watch-cache-size", "100")
        expect(pod, size != "0", "caches nothing by default", path="--default-watch-cache-size", value=size)
        off = [s.partition("#")[0] for s in given.get("watch-cache-sizes", "").split(",") if s.endswith("#0")]
        expect(pod, not off, f"does not cache {', '.join(off)}", path="--watch-cache-sizes", value=off)


@control(
    "SYS-32",
    "The balancer in front of the API servers is redundant, and checks their health",
    severity="high",
    live=True,
    reason="All clients go through it: alone, it is the single point of failure of a cluster with three of everything.",
    remedy="Run two with a virtual address (kube-vip, or keepalived with HAProxy), checking GET /readyz; say in the "
    "profile's statements under SYS-32 how one outside the cluster is kept.",
    source="S0-13, S0-14",
)
def test_balancer_is_redundant(
    control_plane: ControlPlane, snapshot: Snapshot, profile: Profile, expect: Expect
) -> None:
    """Where the balancer runs as pods of the host network in kube-system (kube-vip, HAProxy, keepalived, nginx-proxy):
    two or more are Ready, on different nodes. One outside the cluster is seen where whoever provides the cluster can
    look at it: two or more machines are on, and their proxies run. Else unknown, unless the profile states how it is
    kept. Not applicable where a provider runs the control plane.
    """
    control_plane.nodes  # noqa: B018 - not applicable where they are a provider's
    found: dict[str, list[Pod]] = {}
    for pod in snapshot.of(Pod):
        name = next((b for b in BALANCERS if pod.name.startswith(b)), "")
        if name and pod.namespace == NAMESPACE and pod.spec.host_network and not pod.finished:
            found.setdefault(name, []).append(pod)
    for name, pods in found.items():
        nodes = sorted({pod.spec.node_name for pod in pods if pod.ready})
        message = f"Ready on {len(nodes)} node(s): {', '.join(nodes) or 'none'}"
        expect(f"balancer {name}", len(nodes) >= 2, message, path="pods.spec.nodeName", value=nodes)
    outside = snapshot.cluster.get("balancers") or []
    if outside:
        serving = sorted(b["name"] for b in outside if b["power"] == "on" and b["serves"])
        message = f"{len(serving)} of {len(outside)} serve: {', '.join(serving) or 'none'}"
        expect("balancers outside the cluster", len(serving) >= 2, message, value=serving)
    elif not found:
        if "SYS-32" not in profile.statements:
            expect.unknown("the balancer is outside the cluster, out of sight")
        expect.stated("balancer", profile.statements["SYS-32"])
