"""A machine that can't run the lab says so at once, and what can be done instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.clusters.lab.supply.gotools import parse_version, wanted, workers
from fixtures.clusters.lab.supply.needs import refuse_unless_possible, refuse_without_disk
from fixtures.clusters.lab.supply.programs import Program, search_path, verify
from fixtures.clusters.lab.supply.supply import SupplyError


def nothing(_: str) -> None:
    return None


def everything(name: str) -> str:
    return f"/usr/bin/{name}"


def only_docker(name: str) -> str | None:
    return "/usr/bin/docker" if name == "docker" else None


def test_a_machine_with_all_it_takes_is_accepted() -> None:
    refuse_unless_possible("Linux", 0, everything)


def test_another_system_is_refused_with_an_alternative() -> None:
    with pytest.raises(SupplyError, match=r"needs Linux.*this is Darwin.*CLUSTER=kubeconfig"):
        refuse_unless_possible("Darwin", 0, nothing)


def test_without_root_the_way_on_is_named() -> None:
    with pytest.raises(SupplyError, match=r"needs root.*sudo make.*audit --manifests"):
        refuse_unless_possible("Linux", 1000, everything)


def test_without_debian_packages_the_missing_tools_are_named() -> None:
    with pytest.raises(SupplyError, match=r"apt-get, apt-config, dpkg-deb can't be found"):
        refuse_unless_possible("Linux", 0, nothing)


def test_kind_is_proposed_only_where_docker_is() -> None:
    with pytest.raises(SupplyError, match="kind"):
        refuse_unless_possible("Linux", 0, only_docker)
    with pytest.raises(SupplyError) as refused:
        refuse_unless_possible("Linux", 0, nothing)
    assert "kind" not in str(refused.value)


def test_a_full_disk_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(SupplyError, match=r"has 1\.0 GiB free, 12 GiB are needed.*EVENKEEL_CACHE"):
        refuse_without_disk(tmp_path / "not" / "there", 12 << 30, free=1 << 30)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.19 linux/arm64", (1, 19)),
        ("go version devel +abc linux/amd64", ()),
        ("", ()),
    ],
)
def test_the_toolchains_version_is_read(answer: str, version: tuple[int, ...]) -> None:
    assert parse_version(answer) == version


def test_a_toolchain_is_old_or_new_against_the_newest_module() -> None:
    assert (
        parse_version("go version go1.19.8 linux/amd64") < wanted() <= parse_version("go version go1.27.0 linux/amd64")
    )


def test_compilers_are_bounded_by_cores_and_by_memory() -> None:
    assert workers(16, 64 << 30) == 16
    assert workers(16, 4 << 30) == 2
    assert workers(2, 1 << 30) == 1


def test_the_unpacked_programs_come_before_the_hosts() -> None:
    path = search_path(Path("/bin-dir"), Path("/root-dir"), "/usr/bin::relative:/opt/go/bin").split(":")
    assert path[:3] == ["/bin-dir", "/root-dir/usr/sbin", "/root-dir/usr/bin"]
    assert path.index("/root-dir/bin") < path.index("/usr/bin") < path.index("/opt/go/bin")
    assert "relative" not in path
    assert "/usr/sbin" in path


def test_a_program_that_does_not_run_or_lacks_a_feature_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    balancer, broken, good = tmp_path / "haproxy", tmp_path / "runc", tmp_path / "tini"
    balancer.write_text("#!/bin/sh\necho -NS\n")
    broken.write_text("#!/bin/sh\necho 'error while loading shared libraries' >&2; exit 127\n")
    good.write_text("#!/bin/sh\necho fine\n")
    for file in (balancer, broken, good):
        file.chmod(0o755)
    listed = (Program("haproxy", ("-vv",), says="+NS"), Program("runc"), Program("tini"))
    monkeypatch.setattr("fixtures.clusters.lab.supply.programs.PROGRAMS", listed)
    with pytest.raises(SupplyError) as refused:
        verify({p.name: tmp_path / p.name for p in listed}, {})
    assert "no '+NS'" in str(refused.value)
    assert "shared libraries" in str(refused.value)
    assert "tini" not in str(refused.value)
