"""Which formats there are, and what file each makes in a directory. A new format is one renderer and one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports import allure, html, junit, markdown
from reports.model import Run
from reports.runs import write_whole

HTML_FILE = "report.html"
JUNIT_FILE = "junit.xml"
MARKDOWN_FILE = "summary.md"
ALLURE_DIRECTORY = "allure-results"

Write = Callable[[Run, Path], Path]


def _file(name: str, render: Callable[[Run], str]) -> Write:
    return lambda run, directory: write_whole(directory / name, render(run).encode())


def _allure(run: Run, directory: Path) -> Path:
    """A directory of results; those of an earlier rendering of the same run are replaced."""
    results = directory / ALLURE_DIRECTORY
    results.mkdir(exist_ok=True)
    files = allure.render(run)
    for stale in results.glob("*-result.json"):
        if stale.name not in files:
            stale.unlink()
    for name, content in files.items():
        write_whole(results / name, content)
    return results


FORMATS: dict[str, Write] = {
    "html": _file(HTML_FILE, html.render),
    "junit": _file(JUNIT_FILE, junit.render),
    "markdown": _file(MARKDOWN_FILE, markdown.render),
    "allure": _allure,
}
