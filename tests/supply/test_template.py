"""A private containerd fills the template that nodes are linked from, and leaves nothing of itself behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fixtures.clusters.lab import template as nodes
from fixtures.clusters.lab.supply import Supply, prepare, template
from fixtures.clusters.lab.supply.binaries import architecture
from fixtures.clusters.lab.supply.cache import cache_root
from fixtures.clusters.lab.supply.dockersave import File, Recipe
from fixtures.clusters.lab.supply.template import Private, PullError, private
from tests.supply.registry import serving

pytestmark = pytest.mark.lab

SAMPLE = "registry.example/sample:v1"


def silent(_: str) -> None:
    return


@pytest.fixture(scope="module")
def supply() -> Supply:
    return prepare(silent)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """On the cache's file system, where templates are."""
    with tempfile.TemporaryDirectory(dir=cache_root(), prefix="test-") as name:
        yield Path(name)


def recipe(supply: Supply) -> Recipe:
    pause = File(source=supply.programs["catatonit"], capability="cap_net_bind_service")
    return Recipe(reference=SAMPLE, files={"/pause": pause}, entrypoint=("/pause", "-P"))


def listing(daemon: Private) -> dict[str, str]:
    """Reference → the rest of ctr's line about it."""
    lines = daemon.ctr("images", "ls").splitlines()[1:]
    return {line.split()[0]: line for line in lines}


def unpacked(root: Path) -> list[Path]:
    return list(root.glob("io.containerd.snapshotter.v1.overlayfs/snapshots/*/fs/pause"))


def test_an_assembled_image_is_imported_unpacked_and_known_to_cri(supply: Supply, home: Path) -> None:
    env = supply.environment(os.environ)
    template.build(home / "t", [recipe(supply)], supply.programs, env, architecture(), silent)
    (program,) = unpacked(home / "t")
    assert program.read_bytes() == supply.programs["catatonit"].read_bytes()
    assert os.getxattr(program, "security.capability")[:8] == bytes.fromhex("0100000200040000")
    with private(home / "t", supply.programs, env) as daemon:
        found = listing(daemon)
        assert "io.cri-containerd.image=managed" in found[SAMPLE]
        assert len([name for name in found if name.startswith("sha256:")]) == 1
        assert "complete" in daemon.ctr("images", "check", f"name=={SAMPLE}")


def test_a_pulled_image_is_unpacked_under_the_id_of_this_architecture(supply: Supply, home: Path) -> None:
    env = supply.environment(os.environ)
    with serving(recipe(supply), architecture()) as (host, image), private(home, supply.programs, env) as daemon:
        daemon.pull(f"{host}/sample:v1", architecture(), "--plain-http")
        assert {f"{host}/sample:v1", image} == listing(daemon).keys()
    assert len(unpacked(home)) == 1


def test_an_image_its_registry_does_not_have_is_named(supply: Supply, home: Path) -> None:
    env = supply.environment(os.environ)
    refused = pytest.raises(PullError, match=r"/missing:v1 can't be pulled")
    with serving(recipe(supply), architecture()) as (host, _), private(home, supply.programs, env) as daemon, refused:
        daemon.pull(f"{host}/missing:v1", architecture(), "--plain-http")


def is_containerd(process: psutil.Process) -> bool:
    """A lab of this process starts others all the time, and they end as soon: its balancers' checks."""
    try:
        return process.name() == "containerd"
    except psutil.NoSuchProcess:
        return False


def test_a_private_containerd_ends_with_the_block_and_leaves_no_mount(supply: Supply, home: Path) -> None:
    mounts = Path("/proc/self/mounts").read_text()
    before = {p.pid for p in psutil.process_iter()}
    with private(home, supply.programs, supply.environment(os.environ)):
        [daemon] = [p for p in psutil.Process().children(recursive=True) if p.pid not in before and is_containerd(p)]
        children = [daemon, *daemon.children(recursive=True)]
        assert "/run/containerd" not in " ".join(c.laddr for c in daemon.net_connections("unix"))
    assert not [p for p in children if p.is_running()]
    assert Path("/proc/self/mounts").read_text() == mounts


def test_a_node_shares_the_templates_files_and_owns_its_databases(supply: Supply, home: Path) -> None:
    env = supply.environment(os.environ)
    template.build(home / "t", [recipe(supply)], supply.programs, env, architecture(), silent)
    nodes.clone(home / "t", home / "node")
    (theirs,), (ours,) = unpacked(home / "t"), unpacked(home / "node")
    assert theirs.samefile(ours)
    databases = list((home / "t").rglob("*.db"))
    assert len(databases) == 2
    for database in databases:
        assert not database.samefile(home / "node" / database.relative_to(home / "t"))
    with private(home / "node", supply.programs, env) as daemon:
        assert "complete" in daemon.ctr("images", "check", f"name=={SAMPLE}")
