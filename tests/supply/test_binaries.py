"""Where each binary comes from, and that nothing is fetched or built twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.clusters.lab.supply import binaries, downloads, gotools
from fixtures.clusters.lab.supply.downloads import Release
from fixtures.clusters.lab.supply.gotools import Toolchain
from fixtures.clusters.lab.supply.products import Binary, Product
from fixtures.clusters.lab.supply.supply import SupplyError

OUTSIDE = {"kubelet", "kubeadm", "kubectl", "etcdctl", "etcdutl"}


class Workshop:
    """Takes the place of the compiler and of the network, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.built: list[str] = []
        self.fetched: list[str] = []
        self.said: list[str] = []
        self.breaks_at = ""
        monkeypatch.setattr(gotools, "toolchain", lambda _root, _progress: Toolchain(Path("go"), None))
        monkeypatch.setattr(gotools, "build", self.build)
        monkeypatch.setattr(downloads, "fetch", self.fetch)

    def build(self, _tools: Toolchain, _product: Product, binary: Binary, target: Path) -> float:
        if binary.name == self.breaks_at:
            raise SupplyError(f"building {binary.name} failed")
        self.built.append(binary.name)
        (target / binary.name).write_text(binary.name)
        return 1.0

    def fetch(self, release: Release, target: Path) -> float:
        for name in release.members.values():
            self.fetched.append(name)
            (target / name).write_text(name)
        return 1.0

    def gather(self, root: Path, pulled: bool = False, reachable: bool = False) -> set[str]:
        what = binaries.needed(pulled)
        made = binaries.gather(root, what, self.said.append, lambda _url: reachable)
        return {entry.name for entry in made.iterdir()}


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(monkeypatch)


EVERYTHING = {binary.name for _, binary in binaries.needed(images_pulled=False)}


def test_without_a_way_out_everything_is_built_and_each_closed_host_is_named_once(
    workshop: Workshop, tmp_path: Path
) -> None:
    assert workshop.gather(tmp_path) == EVERYTHING
    assert set(workshop.built) == EVERYTHING
    assert workshop.fetched == []
    assert [line.split()[0] for line in workshop.said if "can't be reached" in line] == [
        "https://dl.k8s.io",
        "https://github.com",
    ]


def test_what_is_published_is_downloaded_and_only_the_rest_built(workshop: Workshop, tmp_path: Path) -> None:
    assert workshop.gather(tmp_path, reachable=True) == EVERYTHING
    assert set(workshop.built) == {"agnhost", "resource-consumer", "consume-cpu", "metrics-server"}
    assert set(workshop.fetched) | set(workshop.built) == EVERYTHING


def test_with_pulled_images_only_what_runs_outside_them_is_fetched(workshop: Workshop, tmp_path: Path) -> None:
    assert workshop.gather(tmp_path, pulled=True, reachable=True) == OUTSIDE
    assert workshop.built == []
    assert "kube-apiserver" not in workshop.fetched


def test_the_second_time_nothing_is_done_or_said(workshop: Workshop, tmp_path: Path) -> None:
    workshop.gather(tmp_path)
    workshop.built.clear()
    workshop.said.clear()
    assert workshop.gather(tmp_path) == EVERYTHING
    assert (workshop.built, workshop.said) == ([], [])


def test_after_a_failure_the_next_run_goes_on_where_it_stopped(workshop: Workshop, tmp_path: Path) -> None:
    workshop.breaks_at = "coredns"
    with pytest.raises(SupplyError, match="building coredns failed"):
        workshop.gather(tmp_path)
    before = set(workshop.built)
    workshop.built.clear()
    workshop.breaks_at = ""
    assert workshop.gather(tmp_path) == EVERYTHING
    assert before | set(workshop.built) == EVERYTHING
    assert not before & set(workshop.built)


def test_an_architecture_without_a_lab_is_named() -> None:
    assert binaries.architecture("aarch64") == "arm64"
    with pytest.raises(SupplyError, match="not on riscv64"):
        binaries.architecture("riscv64")


def test_the_builds_environment_does_not_depend_on_the_users(tmp_path: Path) -> None:
    users = {"GOOS": "darwin", "GOFLAGS": "-race", "CGO_ENABLED": "1", "HOME": "/home/a"}
    env = Toolchain(Path("go"), None).environment(users)
    assert "GOOS" not in env
    assert (env["CGO_ENABLED"], env["GOWORK"], env["GOTOOLCHAIN"]) == ("0", "off", "local")
    assert "-race" not in env["GOFLAGS"]
    assert "GOCACHE" not in env  # the user's own Go keeps its caches


def test_a_toolchain_of_our_own_writes_only_into_our_cache(tmp_path: Path) -> None:
    env = Toolchain(tmp_path / "go", tmp_path).environment({"HOME": "/home/a"})
    assert all(Path(env[name]).is_relative_to(tmp_path) for name in ("GOCACHE", "GOPATH", "XDG_CONFIG_HOME"))
    assert "-modcacherw" in env["GOFLAGS"]
