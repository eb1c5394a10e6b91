"""The ledger of a customer against the store: what was promised is there, and once."""

from __future__ import annotations

from pathlib import Path

from experiments.checks.operations import Operation, account, read


def order(key: str, acknowledged: bool = True, tries: int = 1) -> Operation:
    return Operation(key=key, acknowledged=acknowledged, tries=tries)


def test_an_acknowledged_order_that_is_missing_is_lost() -> None:
    assert account([order("a"), order("b")], ["a"]).lost == ("b",)


def test_an_order_made_twice_is_doubled_also_when_nobody_was_told_of_it() -> None:
    found = account([order("a"), order("b", acknowledged=False)], ["a", "a", "b", "b"])
    assert found.doubled == ("a", "b")
    assert found.given_up == 1


def test_an_order_that_was_made_but_never_acknowledged_is_neither() -> None:
    found = account([order("a", acknowledged=False)], ["a"])
    assert (found.lost, found.doubled, found.given_up) == ((), (), 1)


def test_what_is_in_the_store_of_nobody_in_the_ledger_is_no_loss() -> None:
    """Its customer was killed before it could write down how its order ended."""
    assert account([], ["a"]).lost == ()


def test_retries_are_counted() -> None:
    assert account([order("a", tries=3), order("b")], ["a", "b"]).retried == 1


def test_a_ledger_cut_short_by_a_kill_keeps_its_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    file.write_text('{"key": "a", "acknowledged": true, "tries": 1, "seconds": 0.1}\n{"key": "b", "ackn')
    assert [o.key for o in read(file)] == ["a"]


def test_no_ledger_is_no_order(tmp_path: Path) -> None:
    assert read(tmp_path / "ledger") == []
