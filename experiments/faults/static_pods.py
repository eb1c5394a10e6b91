"""Static pods: how their processes are ended, kept from starting, and started with another manifest.

Where the manifest changes, the kubelet is stopped for it. Taking a manifest away instead would be the obvious way, and
costs more than a minute: the kubelet then deletes the pod's mirror through its own node's API server, which waits for
the very etcd that has just been stopped, and the kubelet does nothing else until that has timed out (measured: an etcd
whose manifest was back did not run 60 s later; docs/decisions/0017).

Where they are only to stay down, the container runtime is stopped and the kubelet goes on. A kubelet that starts has no
mirrors in mind yet and creates them before it looks at containers, again through its own node's API server: where most
members of etcd are gone that costs a minute for each pod.

What is replaced lies under `ASIDE` until it is put back, so that another process finds it there.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence

from experiments.faults.fault import Recovery, Step
from experiments.observer import Change
from fixtures.clusters.cluster import Cluster, ClusterError

MANIFESTS = "/etc/kubernetes/manifests"
ASIDE = "/etc/kubernetes/evenkeel"
KUBELET = "kubelet"
RUNTIME = "containerd"
API_SERVER = "kube-apiserver"
QUIET_LOOKS = 3  # in a row that found no process
BOUND_S = 10.0


def hold(cluster: Cluster, node: str, *programs: str, by: str = KUBELET) -> None:
    """End these programs of a node, and keep them from being started again: `by` is the service that is stopped for it,
    `KUBELET` or `RUNTIME`. Raises `ClusterError`."""
    cluster.stop_service(node, by)
    for program in programs:
        end(cluster, node, program)


def release(cluster: Cluster, node: str, by: str = KUBELET) -> None:
    """Let that service start what the manifests say; running already is fine. A node that is off is left to whoever
    switched it off."""
    if any(n.name == node and n.power == "off" for n in cluster.nodes()):
        return
    cluster.start_service(node, by)


def end(cluster: Cluster, node: str, program: str) -> None:
    """SIGKILL until none runs any more: one may just have been started."""
    deadline = time.monotonic() + BOUND_S
    quiet = 0
    while quiet < QUIET_LOOKS:
        quiet = 0 if cluster.kill(node, program) else quiet + 1
        if time.monotonic() > deadline:
            raise ClusterError(f"node {node} still starts {program} {BOUND_S:.0f} s after what starts it was stopped")
        time.sleep(0.05)


def restart(cluster: Cluster, node: str, change: Callable[[], None]) -> None:
    """Start etcd anew after `change`. The node's API server goes with it: it can do nothing without its etcd but let
    clients wait, and one that is not there is left out by the balancer at once."""
    try:
        hold(cluster, node, API_SERVER, "etcd")
        change()
    finally:
        release(cluster, node)


def replace(cluster: Cluster, node: str, component: str, text: str) -> None:
    """Another manifest; the first one that was there is kept aside."""
    there, aside = _paths(component)
    new = f"{ASIDE}/.{component}.new"
    keep = f"mkdir -p {ASIDE} && if [ ! -e {aside} ]; then cp -p {there} {aside}; fi"
    shell(cluster, node, f"{keep} && (umask 077; printf %s {shlex.quote(text)} > {new}) && mv {new} {there}")


def put_back(cluster: Cluster, node: str, component: str) -> None:
    """The manifest that was there first. Back already is fine. Raises `ClusterError`."""
    there, aside = _paths(component)
    shell(cluster, node, f"if [ -e {aside} ]; then mv {aside} {there}; fi && (rmdir {ASIDE} 2>&- || :)")


def keep(cluster: Cluster, node: str, component: str) -> None:
    """Let the manifest be that is there now: what was kept aside is dropped."""
    shell(cluster, node, f"rm -f {_paths(component)[1]}; rmdir {ASIDE} 2>&- || :")


def original(cluster: Cluster, node: str, component: str) -> str:
    """The manifest as it was before anything was changed. Raises `ClusterError`."""
    there, aside = _paths(component)
    return shell(cluster, node, f"if [ -e {aside} ]; then cat {aside}; else cat {there}; fi")


def is_aside(cluster: Cluster, node: str, component: str) -> bool:
    """Whether a component's manifest was replaced and not put back."""
    return cluster.exec(node, ["test", "-e", _paths(component)[1]]).returncode == 0


def with_flag(manifest: str, flag: str, value: str) -> str:
    """The manifest with one flag of its first command set to another value, or added. Raises `ClusterError`."""
    line = f"--{flag}={value}"
    changed, count = re.subn(rf"(?m)^( *- )--{re.escape(flag)}=.*$", rf"\g<1>{line}", manifest)
    if not count:
        command = r"(?m)^( *)- command:\n *- \S+$"
        changed, count = re.subn(command, rf"\g<0>\n\g<1>  - {line}", manifest, count=1)
    if not count:
        raise ClusterError("the manifest has no command in kubeadm's form; was it written by hand?")
    return changed


def shell(cluster: Cluster, node: str, command: str, timeout_s: float = 30.0, stdin: str | None = None) -> str:
    """What a command says. Raises `ClusterError` when it fails."""
    done = cluster.exec(node, ["sh", "-c", command], timeout_s=timeout_s, stdin=stdin)
    if done.returncode:
        raise ClusterError(f"node {node}: {command[:120]!r} failed: {done.stderr.strip()[-200:] or done.returncode}")
    return done.stdout


def steps(changes: Sequence[Change], pod: str, injected: float) -> list[Step]:
    """What was seen of a static pod whose process ended: not Ready, restarted by its kubelet, Ready again."""
    found = []
    for change in changes:
        if change.subject != f"static/{pod}" or change.at <= injected or not (change.old and change.new):
            continue
        if change.new.restarts > change.old.restarts:
            found.append(Step(kind="acted", at=change.at, what=_restarted(pod)))
        if change.old.ready and not change.new.ready:
            found.append(Step(kind="detected", at=change.at, what=f"{pod} is not Ready"))
        if change.new.ready and not change.old.ready:
            found.append(Step(kind="recovered", at=change.at, what=f"{pod} is Ready again"))
    return found


def restarted(changes: Sequence[Change], pod: str, injected: float) -> Recovery:
    """When its kubelet restarted it; nobody promises by when, because kubelets wait ever longer."""
    seen = steps(changes, pod, injected)
    at = next((step.at for step in seen if step.what == _restarted(pod)), None)
    return Recovery(name="restart", seconds=None if at is None else at - injected, what=_restarted(pod), judged=False)


def _restarted(pod: str) -> str:
    return f"the kubelet restarted {pod}"


def _paths(component: str) -> tuple[str, str]:
    return f"{MANIFESTS}/{component}.yaml", f"{ASIDE}/{component}.yaml"
