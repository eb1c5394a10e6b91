"""What was changed is on disk before it is changed, and can be taken back from there alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.clusters.cluster import Cluster, ClusterError
from fixtures.safety.heal import heal, prepare
from fixtures.safety.journal import Journal, JournalError
from fixtures.safety.undo import Undo, UndoError, resolve, way_back
from tests.safety.breakables import remove, remove_and_tell, remove_when_open, unmarked


def no_cluster(reference: Mapping[str, str]) -> Cluster:
    raise AssertionError("these undo functions need no cluster")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "undo" / "run.jsonl")


def broken(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("broken")
    return path


def test_a_change_is_pending_until_it_is_undone(journal: Journal, tmp_path: Path) -> None:
    number = journal.record("F-00", way_back(remove, "mend", args={"path": str(tmp_path / "x")}))
    assert [e.id for e in Journal(journal.path).pending()] == [number]
    journal.done(number, "runner")
    assert journal.pending() == []
    assert journal.undone_by(number) == "runner"


def test_an_entry_is_on_disk_when_record_returns(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(file: int) -> None:
        if Path(f"/proc/self/fd/{file}").is_file():
            synced.append(Path(f"/proc/self/fd/{file}").read_bytes())
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    journal.record("F-00", way_back(remove, "mend the thing", args={"path": "x"}))
    assert b"mend the thing" in synced[-1]


def test_healing_goes_backwards_and_twice_is_harmless(journal: Journal, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("first", "second", "third"):
        path = broken(tmp_path, name)
        journal.record("F-00", way_back(remove_and_tell, name, args={"path": str(path), "order": str(order)}))
    assert heal(journal, "heal", open_cluster=no_cluster).undone == ["third", "second", "first"]
    assert order.read_text().split() == ["third", "second", "first"]
    again = heal(journal, "heal", open_cluster=no_cluster)
    assert (again.undone, again.failed) == ([], [])


def test_what_cannot_be_undone_yet_does_not_hold_up_the_rest_and_is_named(journal: Journal, tmp_path: Path) -> None:
    path = broken(tmp_path, "easy")
    journal.record("F-00", way_back(remove, "mend the easy one", args={"path": str(path)}))
    args = {"path": str(broken(tmp_path, "hard")), "gate": str(tmp_path / "gate")}
    journal.record("F-00", way_back(remove_when_open, "mend the hard one", args=args))
    result = heal(journal, "heal", patience_s=0.3, open_cluster=no_cluster)
    assert result.undone == ["mend the easy one"]
    assert result.failed == ["mend the hard one: ConnectionRefusedError: gate closed"]
    assert not path.exists()
    (tmp_path / "gate").touch()
    assert heal(journal, "heal", open_cluster=no_cluster).failed == []


def test_what_a_run_made_for_itself_goes_in_order_and_holds_up_no_fault(journal: Journal, tmp_path: Path) -> None:
    """Its namespace after its Lease: a namespace with a Lease looks like that of a run that goes on."""

    def own(name: str) -> None:
        journal.record("", way_back(remove, name, args={"path": str(broken(tmp_path, name))}))

    own("namespace")
    args = {"path": str(broken(tmp_path, "lease")), "gate": str(tmp_path / "gate")}
    journal.record("", way_back(remove_when_open, "lease", args=args))
    journal.record("F-00", way_back(remove, "fault", args={"path": str(broken(tmp_path, "fault"))}))
    own("writes")
    result = heal(journal, "heal", patience_s=0.3, open_cluster=no_cluster)
    assert result.undone == ["writes", "fault"]
    assert result.failed == ["lease: ConnectionRefusedError: gate closed", "namespace: not tried"]
    (tmp_path / "gate").touch()
    assert heal(journal, "heal", open_cluster=no_cluster).undone == ["lease", "namespace"]


def test_a_line_torn_by_a_crash_is_ignored_and_does_not_spoil_the_next(journal: Journal, tmp_path: Path) -> None:
    journal.record("F-00", way_back(remove, "one", args={"path": "x"}))
    with journal.path.open("ab") as file:
        file.write(b'{"type":"change","id":2,"fau')
    assert [e.undo.text for e in journal.pending()] == ["one"]
    journal.record("F-00", way_back(remove, "two", args={"path": "x"}))
    assert [e.undo.text for e in Journal(journal.path).pending()] == ["two", "one"]


def test_nothing_may_be_changed_when_the_journal_cannot_be_written(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match=r"No space left on device.*nothing was changed.*EVENKEEL_STATE"):
        journal.record("F-00", way_back(remove, "mend", args={"path": "x"}))
    assert journal.pending() == []


def test_the_journal_is_its_owners_alone(journal: Journal) -> None:
    journal.record("F-00", way_back(remove, "mend", args={"path": "x"}))
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_journal_cannot_call_just_any_function() -> None:
    with pytest.raises(UndoError, match="not marked"):
        way_back(unmarked, "no")
    for name in ("os:system", "tests.safety.breakables:unmarked"):
        with pytest.raises(UndoError, match="not written by Evenkeel"):
            resolve(name)
    with pytest.raises(UndoError, match="can't be found"):
        resolve("experiments.gone:heal")


def test_a_function_that_is_gone_is_reported_with_its_name(journal: Journal) -> None:
    journal.record("F-00", Undo(text="mend", function="fixtures.gone:away"))
    [failed] = heal(journal, "heal", patience_s=0, open_cluster=no_cluster).failed
    assert "fixtures.gone:away" in failed


def test_preparing_to_undo_changes_nothing_and_never_fails(journal: Journal, tmp_path: Path) -> None:
    path = broken(tmp_path, "one")
    journal.record("F-00", way_back(remove, "mend", args={"path": str(path)}))
    journal.record("F-00", Undo(text="mend", function="fixtures.gone:away"))
    journal.record("F-00", Undo(text="mend", function="tests.safety.breakables:remove", cluster={"provider": "gone"}))
    asked: list[Mapping[str, str]] = []

    def gone(reference: Mapping[str, str]) -> Cluster:
        asked.append(reference)
        raise ClusterError("no such cluster")

    prepare(journal.entries(), open_cluster=gone)
    assert asked == [{"provider": "gone"}]
    assert path.exists()
    assert len(journal.pending()) == 3
