"""What the documents name exists: files, commands, options, variables."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
import typer

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
WITH_COMMANDS = [p for p in DOCUMENTS if p.name not in ("controls.md", "run-json.md")]


def command_line() -> click.Group:
    import evenkeel

    group = typer.main.get_command(evenkeel.app)
    assert hasattr(group, "commands")
    return group


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", document.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not link.startswith(("http", "#")):
            assert (document.parent / link.partition("#")[0]).exists(), f"{named(document)}: {link}"


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=named)
def test_every_command_and_its_options_exist(document: Path) -> None:
    """In code spans and code blocks: `evenkeel lab up --timings fast`."""
    text = document.read_text()
    code = [*re.findall(r"`([^`]+)`", text), *re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)]
    for line in code:
        for said in re.findall(r"\bevenkeel +([a-z][^#|)]*)", line):
            command: click.Command = command_line()
            words = said.split()
            while words and (commands := getattr(command, "commands", None)):
                assert words[0] in commands, f"{named(document)}: evenkeel {said}"
                command = commands[words.pop(0)]
            options = {option for parameter in command.params for option in parameter.opts}
            for option in re.findall(r"--[a-z][a-z-]*", " ".join(words)):
                assert option in options, f"{named(document)}: {option} of evenkeel {said}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_file_that_is_named_is_there(document: Path) -> None:
    if document.name == "adding-a-control.md":
        return  # its names are patterns
    for name in re.findall(
        r"`((?:suites|experiments|fixtures|reports|tests|docs)/[\w./-]*[\w/])`", document.read_text()
    ):
        if not name.startswith("reports/runs"):
            assert (ROOT / name).exists(), f"{named(document)}: {name}"


def test_every_decision_is_listed_and_numbered_once() -> None:
    directory = ROOT / "docs" / "decisions"
    records = sorted(p.name for p in directory.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (directory / "README.md").read_text())
    assert listed == records
    assert [name[:4] for name in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for name in records:
        heading = (directory / name).read_text().splitlines()[0]
        assert heading.startswith(f"# {name[:4]} ")


@pytest.mark.parametrize("picture", sorted(ROOT.glob("docs/*.svg")), ids=named)
def test_a_picture_is_well_formed_and_needs_nothing_from_anywhere(picture: Path) -> None:
    for node in ElementTree.parse(picture).iter():
        assert not [value for name, value in node.attrib.items() if name.endswith("href") and not value.startswith("#")]


@pytest.mark.parametrize("variable", ["EVENKEEL_RUNS", "EVENKEEL_STATE", "EVENKEEL_CACHE", "EVENKEEL_ALLOW_DISRUPTION"])
def test_every_variable_that_is_documented_is_read(variable: str) -> None:
    assert any(variable in document.read_text() for document in DOCUMENTS)
    parts = ("suites", "experiments", "fixtures", "reports")
    assert any(variable in file.read_text() for part in parts for file in (ROOT / part).rglob("*.py"))
