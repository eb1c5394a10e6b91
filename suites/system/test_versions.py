"""Versions: components may differ a little, in one direction."""

from __future__ import annotations

import re

from fixtures.control import control
from fixtures.expect import Expect
from fixtures.snapshot.components import API_SERVER, CONTROLLER_MANAGER, SCHEDULER, ControlPlane
from fixtures.snapshot.model.pod import Pod
from fixtures.snapshot.nodes import Nodes
from fixtures.snapshot.snapshot import Snapshot

_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@control(
    "SYS-18",
    "Versions differ no more than Kubernetes supports",
    severity="medium",
    live=True,
    reason="Outside the supported skew, components meet fields and behaviour that they don't know, at the worst time.",
    remedy="Upgrade in order: API servers, then controller-manager and scheduler, then kubelets, minor by minor.",
    source="Kubernetes: Version Skew Policy",
)
def test_version_skew(control_plane: ControlPlane, nodes: Nodes, snapshot: Snapshot, expect: Expect) -> None:
    """Minor versions. API servers, by their images' tags, at most one apart; controller-manager and scheduler no newer
    than the oldest API server and at most one older; kubelets and kube-proxies, by their nodes, no newer and at most
    three older. Where the API servers' pods can't be seen, the API's own version stands for them.
    """
    servers: dict[str, tuple[int, int]] = {}
    if not control_plane.hidden:
        servers = {pod.name: v for pod in control_plane.pods(API_SERVER) if (v := _of_image(pod)) is not None}
    answered = parsed(str(snapshot.cluster.get("version", "")))
    if not servers and answered is not None:
        servers = {"the API": answered}
    if not servers:
        expect.unknown("no API server's version is to be seen")
    oldest, newest = min(servers.values()), max(servers.values())
    message = f"API servers run {_said(oldest)} to {_said(newest)}"
    expect(
        "API servers", _apart(newest, oldest) <= 1, message, path="version", value=sorted(map(_said, servers.values()))
    )
    if not control_plane.hidden:
        for component in (CONTROLLER_MANAGER, SCHEDULER):
            for pod in control_plane.pods(component):
                version = _of_image(pod)
                if version is not None:
                    _judge(pod, version, oldest, newest, 1, "spec.containers[0].image", expect)
    for node in nodes.all():
        info = node.status.node_info
        for path, text in {"kubeletVersion": info.kubelet_version, "kubeProxyVersion": info.kube_proxy_version}.items():
            version = parsed(text)
            if version is not None:
                _judge(node, version, oldest, newest, 3, f"status.nodeInfo.{path}", expect)


def _judge(
    subject: object,
    version: tuple[int, int],
    oldest: tuple[int, int],
    newest: tuple[int, int],
    most: int,
    path: str,
    expect: Expect,
) -> None:
    message = f"{_said(version)} is newer than an API server's {_said(oldest)}"
    if expect(subject, version <= oldest, message, path=path, value=_said(version)):  # type: ignore[arg-type]
        message = f"{_said(version)} is more than {most} minor version(s) older than an API server's {_said(newest)}"
        expect(subject, _apart(newest, version) <= most, message, path=path, value=_said(version))  # type: ignore[arg-type]


def parsed(text: str) -> tuple[int, int] | None:
    """Major and minor of `v1.36.3`, `1.36`, `v1.30.1-gke.100`; None for none."""
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2])) if match else None


def _of_image(pod: Pod) -> tuple[int, int] | None:
    containers = pod.spec.containers or []
    return parsed(containers[0].image.partition("@")[0].rpartition(":")[2]) if containers else None


def _apart(newer: tuple[int, int], older: tuple[int, int]) -> int:
    return newer[1] - older[1] if newer[0] == older[0] else 99


def _said(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
