"""What is cached is used again exactly as long as nothing that shaped it has changed."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import msgspec
import pytest

from fixtures.clusters.lab.supply.cache import cache_root, directory, key, lock, sweep
from fixtures.clusters.lab.supply.products import PRODUCTS, Product
from fixtures.clusters.lab.supply.supply import SupplyError

ETCD = next(p for p in PRODUCTS if p.name == "etcd")


@pytest.fixture
def module(tmp_path: Path) -> Path:
    shutil.copytree(ETCD.module, tmp_path / "etcd")
    return tmp_path / "etcd"


def test_an_unchanged_module_keeps_its_key(module: Path) -> None:
    assert ETCD.key("amd64", module) == ETCD.key("amd64")


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_one_changed_byte_of_the_module_changes_the_key(module: Path, file: str) -> None:
    path = module / file
    path.write_bytes(path.read_bytes() + b"\n")
    assert ETCD.key("amd64", module) != ETCD.key("amd64")


def test_changed_flags_change_the_key(module: Path) -> None:
    first, *rest = ETCD.binaries
    changed = Product("etcd", (msgspec.structs.replace(first, ldflags="-X main.a=b"), *rest))
    assert changed.key("amd64", module) != ETCD.key("amd64", module)


def test_another_architecture_has_another_key() -> None:
    assert ETCD.key("arm64") != ETCD.key("amd64")


def test_a_boundary_that_moves_between_parts_changes_the_key() -> None:
    assert key(["ab", "c"]) != key(["a", "bc"])


def test_the_cache_is_where_the_user_says() -> None:
    home = {"HOME": "/home/a"}
    assert cache_root(home) == Path("/home/a/.cache/evenkeel")
    assert cache_root({**home, "XDG_CACHE_HOME": "/var/x"}) == Path("/var/x/evenkeel")
    assert cache_root({**home, "XDG_CACHE_HOME": "/var/x", "EVENKEEL_CACHE": "/big"}) == Path("/big")


def test_a_directory_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    final = tmp_path / "made"
    with pytest.raises(FileNotFoundError), directory(final) as building:
        (building / "half").rename(building / "missing" / "half")
    assert list(tmp_path.iterdir()) == []
    with directory(final) as building:
        (building / "whole").write_text("")
        assert not final.exists()
    assert [p.name for p in final.iterdir()] == ["whole"]


def test_the_second_setup_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with lock(tmp_path, said.append):
            order.append("second")

    with lock(tmp_path, said.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.001)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert said == [f"another setup is filling {tmp_path}; waiting for it"]


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(SupplyError, match=r"file/cache can't be written.*EVENKEEL_CACHE=DIR"),
        lock(tmp_path / "file" / "cache", print),
    ):
        pass


def test_the_sweep_takes_the_unfinished_and_the_long_unused_only(tmp_path: Path) -> None:
    for name in ("used", "recent", "old", ".used.killed"):
        (tmp_path / name).mkdir()
    long_ago = time.time() - 30 * 24 * 3600
    os.utime(tmp_path / "used", (long_ago, long_ago))
    os.utime(tmp_path / "old", (long_ago, long_ago))
    sweep(tmp_path / "used")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["recent", "used"]
    assert time.time() - (tmp_path / "used").stat().st_mtime < 60
