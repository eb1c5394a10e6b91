"""docs/seeds.md has every statement, each with what judges it or why nothing can."""

from __future__ import annotations

import re

import pytest

from docs import seeds
from fixtures import catalogue

COUNTS = {"S0": 38, "S1": 24, "S3": 29, "S4": 38}
KNOWN = seeds.data()
STATEMENTS = list(seeds.statements(KNOWN))
ID = re.compile(r"^(SYS|APP|ACC|LCM|REC|ELA)-\d{2,3}$")


def test_every_statement_of_every_document_is_there() -> None:
    expected = [f"{document}-{number}" for document, count in COUNTS.items() for number in range(1, count + 1)]
    assert [statement.id for statement in STATEMENTS] == expected


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.id)
def test_a_statement_is_judged_or_has_a_reason_and_never_both(statement: seeds.Statement) -> None:
    assert bool(statement.judges) != bool(statement.reason), f"{statement.id}: {statement.judges} {statement.reason!r}"
    assert all(ID.match(control) for control in statement.judges)


def test_judges_and_reasons_are_of_statements_that_exist() -> None:
    ids = {statement.id for statement in STATEMENTS}
    assert set(KNOWN["judges"]) | set(KNOWN["reasons"]) <= ids


def test_no_control_names_a_statement_that_does_not_exist() -> None:
    ids = {statement.id for statement in STATEMENTS}
    for control in catalogue.controls().values():
        strangers = set(seeds.STATEMENT.findall(control.source)) - ids
        assert not strangers, f"{control.id}: source {control.source}"


def test_the_page_is_the_one_the_code_makes() -> None:
    page = seeds.DATA.with_suffix(".md")
    assert page.read_text(encoding="utf-8") == seeds.markdown(), "run: python docs/seeds.py > docs/seeds.md"
