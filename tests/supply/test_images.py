"""Images made of files: loadable, reproducible, and shaped like the released ones."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from fixtures.clusters.lab.supply import images
from fixtures.clusters.lab.supply.dockersave import File, Recipe, write_image, write_layer
from fixtures.clusters.lab.supply.images import parse_ldd
from fixtures.clusters.lab.supply.products import PRODUCTS
from fixtures.clusters.lab.supply.supply import SupplyError
from fixtures.clusters.lab.supply.versions import IMAGES


def recipe(program: Path) -> Recipe:
    return Recipe(
        reference="registry.k8s.io/sample:v1",
        files={
            "/usr/local/bin/sample": File(source=program, capability="cap_net_bind_service"),
            "/etc/passwd": File(text="root:x:0:0::/:/\n", mode=0o644),
        },
        links={"/sample-2": "usr/local/bin/sample"},
        directories={"/tmp": 0o1777},
        entrypoint=("/usr/local/bin/sample",),
        env={"PATH": "/usr/local/bin"},
        user="65532",
    )


def assemble(made: Recipe) -> tuple[bytes, str]:
    layer, archive = io.BytesIO(), io.BytesIO()
    digest = write_layer(made, layer)
    image = write_image(made, layer, digest, "amd64", archive)
    return archive.getvalue(), image


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "sample"
    path.write_bytes(b"\x7fELF" + bytes(100_000))
    return path


def test_the_archive_is_what_docker_save_writes(program: Path) -> None:
    raw, image = assemble(recipe(program))
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        contents = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]
    (entry,) = json.loads(contents["manifest.json"])
    assert entry["RepoTags"] == ["registry.k8s.io/sample:v1"]
    config = contents[entry["Config"]]
    assert image == f"sha256:{hashlib.sha256(config).hexdigest()}"
    (layer,) = entry["Layers"]
    described = json.loads(config)
    assert described["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(contents[layer]).hexdigest()}"]
    assert described["config"]["User"] == "65532"
    assert described["config"]["Env"] == ["PATH=/usr/local/bin"]


def test_the_layer_has_parents_before_children_and_the_files_as_asked(program: Path) -> None:
    layer = io.BytesIO()
    write_layer(recipe(program), layer)
    layer.seek(0)
    with tarfile.open(fileobj=layer) as tar:
        members = {m.name: m for m in tar.getmembers()}
    order = list(members)
    assert (
        order.index("usr")
        < order.index("usr/local")
        < order.index("usr/local/bin")
        < order.index("usr/local/bin/sample")
    )
    assert members["tmp"].mode == 0o1777
    assert members["sample-2"].linkname == "usr/local/bin/sample"
    assert members["usr/local/bin/sample"].mode == 0o755
    capability = members["usr/local/bin/sample"].pax_headers["SCHILY.xattr.security.capability"]
    assert capability.encode("latin-1") == bytes.fromhex("0100000200040000000000000000000000000000")
    assert {m.mtime for m in members.values()} == {0}
    assert {(m.uid, m.gid) for m in members.values()} == {(0, 0)}


def test_equal_contents_make_equal_images(program: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.write_bytes(program.read_bytes())
    assert assemble(recipe(program)) == assemble(recipe(later))


def test_other_contents_make_another_image(program: Path) -> None:
    _, before = assemble(recipe(program))
    program.write_bytes(b"\x7fELF" + bytes(100_001))
    assert assemble(recipe(program))[1] != before


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Recipe]:
    monkeypatch.setattr(images, "closure", lambda _program, _env: {})
    programs = {name: Path("/p") / name for name in ("nft", "conntrack", "catatonit", "stress")}
    by_reference = {r.reference: r for r in images.recipes(Path("/b"), programs, {})}
    return {short: by_reference[reference] for short, reference in IMAGES.items()}


def test_every_image_of_the_lab_has_a_recipe_and_every_binary_a_place(made: dict[str, Recipe]) -> None:
    assert made.keys() == IMAGES.keys()
    placed = {
        f.source.name for r in made.values() for f in r.files.values() if f.source and f.source.parent == Path("/b")
    }
    assert placed == {b.name for p in PRODUCTS for b in p.binaries} - {"kubelet", "kubeadm", "kubectl"}


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd"])
def test_what_kubeadm_starts_by_name_is_on_path(made: dict[str, Recipe], name: str) -> None:
    assert f"/usr/local/bin/{name}" in made[name].files
    assert "/usr/local/bin" in made[name].env["PATH"].split(":")


def test_etcd_can_be_asked_and_restored_in_its_own_image(made: dict[str, Recipe]) -> None:
    assert {"/usr/local/bin/etcdctl", "/usr/local/bin/etcdutl"} <= made["etcd"].files.keys()


def test_coredns_binds_its_port_without_root(made: dict[str, Recipe]) -> None:
    assert made["coredns"].user == "65532:65532"
    assert made["coredns"].files["/coredns"].capability == "cap_net_bind_service"


def test_kube_proxy_can_write_rules_and_flush_flows(made: dict[str, Recipe]) -> None:
    assert {"/usr/sbin/nft", "/usr/sbin/conntrack"} <= made["kube-proxy"].files.keys()


def test_kube_proxy_knows_protocols_by_the_names_that_it_writes(made: dict[str, Recipe]) -> None:
    text = made["kube-proxy"].files["/etc/protocols"].text
    assert text is not None
    assert {"tcp 6 TCP", "udp 17 UDP", "sctp 132 SCTP"} <= set(text.splitlines())


LDD = """\
\tlinux-vdso.so.1 (0x00007f)
\tlibnftables.so.1 => /cache/usr/lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f)
"""


def test_the_libraries_and_the_loader_are_read_from_ldd() -> None:
    libraries, loader = parse_ldd(LDD)
    assert libraries == {
        "libnftables.so.1": Path("/cache/usr/lib/x86_64-linux-gnu/libnftables.so.1"),
        "libc.so.6": Path("/lib/x86_64-linux-gnu/libc.so.6"),
    }
    assert loader == Path("/lib64/ld-linux-x86-64.so.2")


def test_a_missing_library_is_an_error_not_a_smaller_image() -> None:
    with pytest.raises(SupplyError, match="libnftables"):
        parse_ldd(LDD.replace("=> /cache/usr/lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f)", "=> not found"))
