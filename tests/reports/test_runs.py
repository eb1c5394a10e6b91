"""A run's directory: named by time, never half written, found again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports import runs
from reports.model import Run


def a_run() -> Run:
    return Run(id="20260131T093000Z-4f1c", started="2026-01-31T09:30:00.000Z")


def test_an_id_begins_with_the_time() -> None:
    assert runs.new_id(datetime(2026, 1, 31, 9, 30, tzinfo=UTC)).startswith("20260131T093000Z-")


def test_new_runs_get_directories_of_their_own(tmp_path: Path) -> None:
    made = {runs.new_run_directory(tmp_path / "runs") for _ in range(5)}
    assert len(made) == 5
    assert all(directory.is_dir() for directory in made)


def test_the_base_can_be_set_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(runs.BASE_VARIABLE, str(tmp_path / "elsewhere"))
    assert runs.new_run_directory().parent == tmp_path / "elsewhere"


def test_latest_points_to_the_newest(tmp_path: Path) -> None:
    for _ in range(2):
        directory = runs.new_run_directory(tmp_path)
        runs.point_latest(directory)
    assert (tmp_path / "latest").resolve() == directory
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_directory_named_by_hand_gets_no_latest_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    runs.point_latest(tmp_path / "mine")
    assert not (tmp_path / "latest").exists()


def test_a_latest_that_is_no_symlink_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").write_text("the user's")
    runs.point_latest(runs.new_run_directory(tmp_path))
    assert (tmp_path / "latest").read_text() == "the user's"


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = runs.write_run(a_run(), tmp_path)
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        runs.write_run(Run(id="other", started="2026-01-31T09:30:00Z"), tmp_path, durable=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_run_is_found_by_file_directory_or_latest(tmp_path: Path) -> None:
    directory = runs.new_run_directory(tmp_path)
    path = runs.write_run(a_run(), directory)
    runs.point_latest(directory)
    assert runs.find_run_file(path) == path
    assert runs.find_run_file(directory) == path
    assert runs.find_run_file(tmp_path).resolve() == path


def test_where_no_run_is_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(runs.NoRunError, match=r"no run\.json there"):
        runs.find_run_file(tmp_path)


@pytest.mark.parametrize(("content", "said"), [("{", "not JSON"), ('{"schema":"other"}', "not an evenkeel.run/v1")])
def test_a_broken_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(runs.NoRunError, match=rf"run\.json: {said}"):
        runs.read_run(path)
