"""A hog is known by what it took, and whoever pays for it is named. No cluster; inodes on a real tmpfs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from experiments.faults import inodes, neighbours, own_pods
from experiments.faults.fault import Victim
from experiments.faults.neighbours import Neighbour
from experiments.faults.resource_hog import CPU, DISK, INODES, MEMORY, ResourceHog, held_back
from experiments.observer import Change
from experiments.scene import Scene
from fixtures.clusters.cluster import Capability, Cluster, Completed
from fixtures.clusters.lab.supply.versions import IMAGES
from fixtures.safety.objects import Pod

FAULT = ResourceHog()
CPU_USED, FREE, POD = "cores used by hog-cpu-1", "free inodes of /run on w1", "pod hog-memory-1"


def victim(target: str) -> Victim:
    return Victim(kind="Node", name="w1", node="w1", target=target, mark=f"hog-{target}-1")


def change(at: float, subject: str, old: Any, new: Any) -> Change:
    return Change(at=at, since=at - 0.1, subject=subject, old=old, new=new)


@pytest.mark.parametrize(
    ("before", "after", "proven"),
    [
        ({CPU_USED: 0.0}, {CPU_USED: 1.9}, True),
        ({CPU_USED: 0.0}, {CPU_USED: 0.1}, False),  # any pod uses a little
        ({FREE: 90_000}, {FREE: 3}, True),
        ({FREE: 90_000}, {FREE: 60}, False),
        ({FREE: 5}, {FREE: 5}, False),  # it was full before
        ({POD: "not there"}, {POD: "OOMKilled"}, True),
        ({POD: "not there"}, {POD: "Evicted: Pod ephemeral local storage usage exceeds the limit"}, True),
        ({POD: "not there"}, {POD: "Running"}, False),
        ({POD: "not there"}, {POD: "Error"}, False),
    ],
)
def test_a_hog_is_proven_by_what_it_took_or_what_it_died_of(
    before: dict[str, Any], after: dict[str, Any], proven: bool
) -> None:
    assert FAULT.proven(before, after) is proven


def pod(**status: Any) -> Pod:
    return msgspec.convert({"metadata": {"name": "hog"}, "status": status}, Pod)


def test_the_state_of_a_pod_says_what_it_died_of() -> None:
    killed = {"name": "main", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    assert own_pods.state(None) == "not there"
    assert own_pods.state(pod(phase="Running")) == "Running"
    assert own_pods.state(pod(phase="Failed", containerStatuses=[killed])) == "OOMKilled"
    assert own_pods.state(pod(phase="Failed", reason="Evicted", message="too much")) == "Evicted: too much"


WELL = Neighbour(node="w1", ready=True, restarts=0, reason="")


def harm(new: Neighbour | None, *, old: Neighbour = WELL) -> list[str]:
    return [what for _, what in neighbours.harms([change(3.0, "neighbour/shop/web", old, new)], "w1", 0.5)]


def test_a_neighbour_is_harmed_when_it_ends_restarts_or_is_not_ready() -> None:
    assert harm(None) == ["shop/web is gone"]
    assert harm(Neighbour(node="w1", ready=False, restarts=0, reason="Evicted")) == ["shop/web was ended: Evicted"]
    assert harm(Neighbour(node="w1", ready=True, restarts=1, reason="")) == ["shop/web was restarted"]
    assert harm(Neighbour(node="w1", ready=False, restarts=0, reason="")) == ["shop/web is not Ready"]


def test_what_happens_on_other_nodes_or_for_the_better_is_no_harm() -> None:
    elsewhere = Neighbour(node="w2", ready=True, restarts=0, reason="")
    assert harm(None, old=elsewhere) == []
    assert harm(WELL, old=Neighbour(node="w1", ready=False, restarts=0, reason="")) == []


def test_without_neighbours_nobody_can_say_that_none_was_harmed() -> None:
    assert neighbours.unharmed([], 0, "w1", 0.0).verdict == "unknown"
    assert neighbours.unharmed([], 3, "w1", 0.0).verdict == "pass"
    failed = neighbours.unharmed([(4.0, "shop/web was restarted")], 3, "w1", 1.0)
    assert (failed.verdict, "shop/web was restarted after 3.0 s" in failed.message) == ("fail", True)


@pytest.mark.parametrize(
    ("states", "verdict"), [(["Pending"], "pass"), (["Pending", "Running"], "fail"), ([], "unknown")]
)
def test_a_full_node_is_one_where_nothing_starts(states: Sequence[str], verdict: str) -> None:
    changes = [change(float(n), "own/hog-inodes-1", None, said) for n, said in enumerate(states, 1)]
    assert held_back(victim(INODES), changes, 0.5).verdict == verdict


def test_memory_and_disk_are_over_when_the_one_at_fault_was_ended() -> None:
    changes = [
        change(1.0, "own/hog-memory-1", None, "Pending"),
        change(2.5, "own/hog-memory-1", "Pending", "OOMKilled"),
    ]
    [ended] = FAULT.recoveries(cast(Scene, None), victim(MEMORY), changes, 0.5)
    assert (ended.seconds, ended.what) == (2.0, "the kernel ended the one at fault")
    [not_yet] = FAULT.recoveries(cast(Scene, None), victim(DISK), changes, 0.5)
    assert not_yet.seconds is None
    assert FAULT.recoveries(cast(Scene, None), victim(CPU), changes, 0.5) == []


def test_only_the_target_that_enters_the_node_needs_to() -> None:
    assert FAULT.needs == frozenset()
    assert FAULT.also_needs == {INODES: frozenset({Capability.NODE_EXEC})}


def test_the_images_are_those_that_the_lab_has() -> None:
    assert {own_pods.AGNHOST, own_pods.RESOURCE_CONSUMER} == {IMAGES["agnhost"], IMAGES["resource-consumer"]}


class Here:
    """This machine as a node, as far as one file system goes."""

    def __init__(self, on: bool = True) -> None:
        self.on = on

    def nodes(self) -> list[Any]:
        return [SimpleNamespace(name="w1", power="on" if self.on else "off")]

    def exec(self, node: str, argv: Sequence[str]) -> Completed:
        assert self.on
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Completed(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")
def test_a_file_system_without_inodes_has_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "t", tmp_path], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    for script in ("_FREE", "_TOTAL", "_FILL", "_CLEAR"):
        monkeypatch.setattr(inodes, script, getattr(inodes, script).replace(inodes.STATE, str(tmp_path)))
    monkeypatch.setattr(inodes, "STATE", str(tmp_path))
    here = cast(Cluster, Here())
    try:
        before, total = inodes.free(here, "w1"), inodes.total(here, "w1")
        inodes.fill(here, "w1", "hog")
        assert inodes.free(here, "w1") == 0
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "another").touch()
        for _ in range(2):  # twice is no error
            inodes.clear(here, "w1", "hog", total)
            assert (inodes.free(here, "w1"), inodes.total(here, "w1")) == (before, total)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_node_that_is_off_has_nothing_to_clear() -> None:
    inodes.clear(cast(Cluster, Here(on=False)), "w1", "hog", 1000)
