"""Packages are unpacked beside the host's, never installed, and nothing of the host's is taken away for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.clusters.lab.supply import debian
from fixtures.clusters.lab.supply.debian import Plan, parse_simulation, private_settings, to_fetch, without
from fixtures.clusters.lab.supply.supply import SupplyError

SIMULATION = """\
NOTE: This is only a simulation!
Remv docker-ce [5:27.0] [containerd.io:amd64 ]
Remv containerd.io [1.7.27-1]
Inst runc (1.1.5+ds1-1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64])
Inst libmnl0 [1.0.3-1] (1.0.4-3 Debian:12.15/oldstable [amd64]) []
Inst libjs-d3 (3.5.17-4 Debian:12.15/oldstable [all])
Conf runc (1.1.5+ds1-1 Debian:12.15/oldstable [amd64])
"""
STATUS = """\
Package: containerd.io
Status: install ok installed
Conflicts: containerd

Package: docker-ce
Status: install ok installed
Depends: containerd.io

Package: zlib1g
Status: install ok installed
Description: compression library
 .
 Package: containerd.io is not this one
"""


def test_a_simulation_says_what_would_be_installed_upgraded_and_removed() -> None:
    plan = parse_simulation(SIMULATION)
    assert plan.install == {"runc": "1.1.5+ds1-1", "libmnl0": "1.0.4-3", "libjs-d3": "3.5.17-4"}
    assert plan.upgrades == {"libmnl0"}
    assert plan.remove == {"docker-ce", "containerd.io"}


def test_what_stands_in_the_way_is_left_out_of_the_private_status_only() -> None:
    rest = without(STATUS, {"docker-ce", "containerd.io"})
    assert "docker-ce" not in rest
    assert rest.startswith("Package: zlib1g\n")
    assert "containerd.io is not this one" in rest


class HostWithDocker(debian.Apt):
    """An apt that answers as one does on a host with Docker's containerd.io; it records what it was shown."""

    def __init__(self, base: Path, stubborn: bool = False) -> None:
        self._base, self._status, self._stubborn = base, STATUS, stubborn
        self.shown: list[str] = []

    def _run(self, *arguments: str, cwd: Path | None = None):  # type: ignore[no-untyped-def]
        status = (self._base / "status").read_text()
        self.shown.append(status)
        conflict = self._stubborn or "Package: containerd.io\nStatus" in status
        lines = SIMULATION.splitlines()
        stdout = "\n".join(line for line in lines if conflict or not line.startswith("Remv"))
        return type("Done", (), {"stdout": stdout})()


def test_dockers_containerd_is_planned_around_not_removed(tmp_path: Path) -> None:
    apt = HostWithDocker(tmp_path)
    plan = apt.plan(["containerd"])
    assert plan.remove == frozenset()
    assert "runc" in plan.install
    assert len(apt.shown) == 2
    assert "Package: docker-ce" in apt.shown[0]
    assert "Package: docker-ce" not in apt.shown[1]


def test_a_plan_that_still_removes_something_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SupplyError, match=r"without removing containerd\.io, docker-ce"):
        HostWithDocker(tmp_path, stubborn=True).plan(["containerd"])


def test_pages_and_fonts_are_not_fetched() -> None:
    assert to_fetch(parse_simulation(SIMULATION)) == {"runc": "1.1.5+ds1-1", "libmnl0": "1.0.4-3"}


def test_a_newer_c_library_than_the_hosts_is_refused() -> None:
    plan = Plan(install={"libc6": "2.41", "runc": "1"}, upgrades=frozenset({"libc6"}), remove=frozenset())
    with pytest.raises(SupplyError, match=r"newer libc6 than this machine has.*apt-get upgrade"):
        to_fetch(plan)


def test_apt_works_in_the_cache_with_the_hosts_proxy_and_without_its_hooks(tmp_path: Path) -> None:
    dump = (
        'APT::Architecture "amd64";\n'
        'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";\n'
        'DPkg::Post-Invoke:: "touch /tmp/x";\n'
        'Dir::State "var/lib/apt";\nDir::State::lists "lists/";\nDir::Cache "var/cache/apt";\n'
        'Dir::Cache::archives "archives/";\nDir::Etc::parts "apt.conf.d";\nDir::Etc::sourceparts "sources.list.d";\n'
        'Acquire::http::Proxy "http://proxy.example:3142";\n'
    )
    settings = private_settings(dump, tmp_path)
    assert 'Acquire::http::Proxy "http://proxy.example:3142";' in settings
    assert 'Dir::Etc::sourceparts "sources.list.d";' in settings
    assert "Post-Invoke" not in settings
    assert f'Dir::State "{tmp_path}/state";' in settings
    assert f'Dir::Cache "{tmp_path}/cache";' in settings
    assert "var/lib/apt" not in settings
    assert "var/cache/apt" not in settings
