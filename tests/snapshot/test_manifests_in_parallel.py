"""Large inputs are read by several processes; what comes of it is the same."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fixtures.snapshot import manifests, processes
from fixtures.snapshot.model.access import Service
from fixtures.snapshot.snapshot import Snapshot

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def content(snapshot: Snapshot) -> Any:
    return snapshot.objects, snapshot.others, snapshot.problems


@pytest.fixture
def in_parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "available", lambda: 2)
    monkeypatch.setattr(manifests, "BATCH", 4_000)


def test_what_is_read_in_parallel_is_what_is_read_alone(
    in_parallel: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.yaml").write_text(
        "kind: Service\napiVersion: v1\nspec: [\n---\nkind: Service\napiVersion: v1\n"
    )
    (tmp_path / "wrong.yaml").write_text("kind: Service\napiVersion: v1\nspec: {ports: 1}\n")
    together = manifests.read([EXAMPLES, tmp_path])
    monkeypatch.setattr(processes, "available", lambda: 1)
    assert content(together) == content(manifests.read([EXAMPLES, tmp_path]))
    assert len(together.problems) == 2


def test_a_long_file_is_cut_between_documents_and_keeps_its_lines(in_parallel: None, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    lines = [f"kind: Service\napiVersion: v1\nmetadata: {{name: s{n}}}\n" for n in range(500)]
    file.write_text("---\n".join(lines))
    found = manifests.read([file]).of(Service)
    assert [(s.name, s.line) for s in found] == [(f"s{n}", 1 + 4 * n) for n in range(500)]


def test_what_a_process_cannot_do_is_done_again_where_its_error_is_seen() -> None:
    with pytest.raises(ZeroDivisionError):
        processes.over(divide, [1, 0])
    assert processes.over(divide, [1, 2]) == [1.0, 0.5]


def divide(number: int) -> float:
    return 1 / number


def test_nothing_is_forked_beside_threads() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert processes.available() == 1
    finally:
        done.set()
        thread.join()
