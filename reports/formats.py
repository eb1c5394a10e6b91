"""Which formats there are, and what file each makes in a directory. A new format is one renderer and one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports import allure, html, junit, markdown, picture
from reports.model import Run
from reports.runs import write_whole

HTML_FILE = "report.html"
JUNIT_FILE = "junit.xml"
MARKDOWN_FILE = "summary.md"
ALLURE_DIRECTORY = "allure-results"
PICTURES_DIRECTORY = "faults"

Write = Callable[[Run, Path], Path]


def _file(name: str, render: Callable[[Run], str]) -> Write:
    return lambda run, directory: write_whole(directory / name, render(run).encode())


def _directory(name: str, render: Callable[[Run], dict[str, bytes]], stale: str) -> Write:
    """A directory of files; those that match `stale`, of an earlier rendering, go."""

    def write(run: Run, directory: Path) -> Path:
        into, files = directory / name, render(run)
        into.mkdir(exist_ok=True)
        for old in into.glob(stale):
            if old.name not in files:
                old.unlink()
        for file, content in files.items():
            write_whole(into / file, content)
        return into

    return write


FORMATS: dict[str, Write] = {
    "html": _file(HTML_FILE, html.render),
    "junit": _file(JUNIT_FILE, junit.render),
    "markdown": _file(MARKDOWN_FILE, markdown.render),
    "allure": _directory(ALLURE_DIRECTORY, allure.render, "*-result.json"),
    "svg": _directory(PICTURES_DIRECTORY, picture.render, "*.svg"),
}
