"""What a lab will be, before there is one: names, addresses, kubeadm's configuration."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
import yaml

from fixtures.clusters.cluster import ClusterError, Netem
from fixtures.clusters.lab import cgroups, checkpoint, impairment, kubeadm, services, template
from fixtures.clusters.lab.layout import LabHome, NodeHome, Topology
from fixtures.clusters.lab.processes import Process, spawn, wait_gone
from fixtures.clusters.lab.state import State
from fixtures.clusters.lab.supply import Supply
from fixtures.clusters.lab.timings import DEFAULT, FAST, Timings


def supply(tmp_path: Path, template: str = "one") -> Supply:
    return Supply(
        binaries=tmp_path,
        root=tmp_path,
        path="",
        library_path="",
        env={},
        programs={},
        cni=tmp_path,
        template=tmp_path / template,
        images={},
        kubernetes="v1.36.3",
    )


@pytest.mark.parametrize("topology", [Topology(control_planes=c, workers=w) for c in (1, 3, 5) for w in (0, 3, 8)])
def test_every_node_has_its_own_name_address_and_pod_network(topology: Topology) -> None:
    nodes = topology.nodes()
    assert len(nodes) == topology.control_planes + topology.workers
    for field in ("name", "address", "pod_cidr", "ordinal"):
        assert len({getattr(n, field) for n in nodes}) == len(nodes)


def test_three_nodes_of_a_role_are_in_three_zones() -> None:
    nodes = Topology().nodes()
    assert [n.zone for n in nodes] == ["zone-a", "zone-b", "zone-c"] * 2


def documents(tmp_path: Path, topology: Topology, timings: object = FAST) -> list[dict[str, object]]:
    home = NodeHome(tmp_path)
    home.kubernetes.mkdir(parents=True, exist_ok=True)
    nodes = topology.nodes()
    kubeadm.write_config(home, nodes[0], nodes, "v1.36.3", DEFAULT if timings is DEFAULT else FAST)
    return list(yaml.safe_load_all((home.kubernetes / "kubeadm.yaml").read_text()))


@pytest.mark.parametrize(("timings", "kernel"), [(DEFAULT, ""), (FAST, "net/ipv4/tcp_rto_max_ms 1000\n")])
def test_a_node_asks_a_silent_network_again_within_a_second_unless_timings_are_left_as_shipped(
    tmp_path: Path, timings: Timings, kernel: str
) -> None:
    nodes, home = Topology().nodes(), NodeHome(tmp_path / "node")
    for directory in (home.etc, home.cni):
        directory.mkdir(parents=True)

    made_of = msgspec.structs.replace(supply(tmp_path), images={"pause": "registry.example/pause:3"})
    services.write_etc(home, nodes[0], nodes, made_of, timings.kernel)

    assert (home.etc / "evenkeel" / "kernel").read_text() == kernel


def test_etcd_starts_with_all_members_at_once(tmp_path: Path) -> None:
    cluster = documents(tmp_path, Topology())[1]
    arguments = {a["name"]: a["value"] for a in cluster["etcd"]["local"]["extraArgs"]}  # type: ignore[index]
    assert arguments["initial-cluster"].count("https://") == 3
    assert arguments["initial-cluster-state"] == "new"


def test_default_timings_leave_every_component_as_kubernetes_ships_it(tmp_path: Path) -> None:
    fast, default = documents(tmp_path, Topology()), documents(tmp_path, Topology(), DEFAULT)
    tuned = {a["name"] for a in fast[1]["controllerManager"]["extraArgs"]}  # type: ignore[index]
    plain = {a["name"] for a in default[1]["controllerManager"]["extraArgs"]}  # type: ignore[index]
    assert "node-monitor-grace-period" in tuned
    assert plain == {"bind-address", "allocate-node-cidrs"}
    assert "nodeLeaseDurationSeconds" not in default[2]


def test_fast_timings_ask_each_static_pod_every_second_whether_it_has_started(tmp_path: Path) -> None:
    [init, *_] = documents(tmp_path, Topology())
    directory = NodeHome(tmp_path).kubernetes / Path(init["patches"]["directory"]).name  # type: ignore[index]
    usual = {"initialDelaySeconds": 1, "periodSeconds": 1, "failureThreshold": 240}
    own = {"kube-scheduler": usual | {"failureThreshold": 10, "httpGet": {"path": "/readyz"}}}
    for pod in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        [container] = yaml.safe_load((directory / f"{pod}.yaml").read_text())["spec"]["containers"]
        assert container["name"] == pod
        assert container["startupProbe"] == own.get(pod, usual)


def test_default_timings_patch_no_static_pod(tmp_path: Path) -> None:
    assert "patches" not in documents(tmp_path, Topology(), DEFAULT)[0]


def test_control_planes_take_pods_only_where_there_is_no_worker(tmp_path: Path) -> None:
    assert documents(tmp_path, Topology())[0]["nodeRegistration"]["taints"]  # type: ignore[index]
    assert not documents(tmp_path, Topology(workers=0))[0]["nodeRegistration"]["taints"]  # type: ignore[index]


def test_a_checkpoint_is_of_one_shape_and_one_supply(tmp_path: Path) -> None:
    lab = LabHome(tmp_path)
    paths = {
        checkpoint.path(lab, Topology(), supply(tmp_path)),
        checkpoint.path(lab, Topology(timings="default"), supply(tmp_path)),
        checkpoint.path(lab, Topology(workers=2), supply(tmp_path)),
        checkpoint.path(lab, Topology(), supply(tmp_path, template="two")),
    }
    assert len(paths) == 4


def test_nodes_share_image_files_but_never_a_database(tmp_path: Path) -> None:
    original = tmp_path / "template"
    (original / "io.containerd.metadata.v1.bolt").mkdir(parents=True)
    (original / "io.containerd.metadata.v1.bolt" / "meta.db").write_text("database")
    (original / "blob").write_text("layer")
    template.clone(original, tmp_path / "node")
    (tmp_path / "node" / "io.containerd.metadata.v1.bolt" / "meta.db").write_text("changed")
    assert (original / "io.containerd.metadata.v1.bolt" / "meta.db").read_text() == "database"
    assert (original / "blob").samefile(tmp_path / "node" / "blob")


def test_an_unknown_node_is_named_with_those_there_are(tmp_path: Path) -> None:
    state = State(topology=Topology(control_planes=1, workers=1), supply=supply(tmp_path))
    with pytest.raises(ClusterError, match=r"no node 'x' in the lab; there are master-1, worker-1"):
        state.node("x")


def test_netem_words_are_those_of_tc() -> None:
    words = impairment.netem_words(Netem(delay_ms=100, jitter_ms=10, loss_percent=1.5, rate_kbit=512))
    assert " ".join(words) == "delay 100ms 10ms loss 1.5% rate 512kbit"


def test_a_recorded_process_is_not_mistaken_for_a_later_one_of_its_pid(tmp_path: Path) -> None:
    child = spawn(["sleep", "60"], env={"PATH": "/usr/bin:/bin"}, log=tmp_path / "log")
    right = Process.of(child.pid)
    wrong = Process(child.pid, right.started - 1)
    wrong.kill()
    assert right.alive
    assert not wrong.alive
    right.kill()
    assert wait_gone([right], timeout_s=5) == []


def test_a_process_whose_first_thread_has_ended_is_not_gone(tmp_path: Path) -> None:
    """It looks like a zombie, as one does that has ended and was not collected yet."""
    script = (
        "import ctypes, platform, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[platform.machine()], 0)\n"  # exit, of this thread only
    )
    child = spawn([sys.executable, "-c", script], env={"PATH": "/usr/bin:/bin"}, log=tmp_path / "log")
    process = Process.of(child.pid)
    deadline = time.monotonic() + 20
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.alive
    assert wait_gone([process], timeout_s=0.3) == [process]
    child.kill()
    assert wait_gone([process], timeout_s=5) == []
    assert not psutil.pid_exists(child.pid)


def test_version_one_and_two_hierarchies_are_told_apart(tmp_path: Path) -> None:
    one = tmp_path / "one"
    for name in ("cpu", "memory"):
        (one / name).mkdir(parents=True)
        (one / name / "tasks").touch()
    (one / "unified").mkdir()
    assert not cgroups.unified(one)
    assert [d.name for d in cgroups.hierarchies(one)] == ["cpu", "memory"]
    two = tmp_path / "two"
    two.mkdir()
    (two / "cgroup.controllers").touch()
    assert cgroups.hierarchies(two) == [two]
