"""The audit as one call: pytest on the audit suites, quietly, and the run that came of it."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from fixtures.plugin import session_of
from fixtures.session import Session
from reports import runs
from reports.model import Cluster, Control, Profile, Run, State, Tool, timestamp

HERE = Path(__file__).parent
AUDITS = ("system", "application", "access", "lifecycle")
"""The suites that only look. Those that break things are run with pytest and --allow-disruption."""


UNUSED = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "monkeypatch"),
    *("pastebin", "pytester_assertions", "recwarn", "setuponly", "setupplan", "stepwise", "subtests"),
    *("threadexception", "tmpdir", "unittest", "unraisableexception", "warnings"),
)
"""Plugins of pytest that an audit has no use for: each takes its time at the start and again for every control."""


@dataclass
class Audit:
    """What an audit came to. `session` is None when the options were refused: standard error has said why."""

    exit_code: int
    session: Session | None
    run: Run


class _Watcher:
    """A pytest plugin that keeps hold of the session."""

    config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        self.config = config


def audit(options: Sequence[str], run_dir: Path | None = None) -> Audit:
    """Run the audits with these pytest options. Nothing is printed but mistakes, on standard error."""
    started = timestamp()
    watcher = _Watcher()
    arguments = [
        f"--rootdir={HERE.parent}",
        f"--config-file={os.devnull}",  # not whatever pytest configuration the user's directory has
        "--noconftest",
        "--disable-plugin-autoload",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        "-q",
        *(f"-pno:{name}" for name in UNUSED),
        "-pfixtures.plugin",
        "-preports.recorder",
        *options,
        *([f"--run-dir={run_dir}"] if run_dir is not None else []),
        *(str(HERE / suite) for suite in AUDITS),
    ]
    os.environ.pop("PYTEST_ADDOPTS", None)  # meant for the user's own tests
    said, complaint = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complaint), warnings.catch_warnings(action="ignore"):
        exit_code = int(pytest.main(arguments, plugins=[watcher]))
    if complaint.getvalue().strip():
        sys.stderr.write(complaint.getvalue().strip() + "\n")
    session = session_of(watcher.config) if watcher.config is not None else None
    if exit_code == pytest.ExitCode.INTERNAL_ERROR:
        sys.stderr.write(said.getvalue())
    return Audit(exit_code, session, _run(session, started, exit_code, run_dir))


def _run(session: Session | None, started: str, exit_code: int, run_dir: Path | None) -> Run:
    """What the recorder wrote where there is a run directory, else the same made here."""
    if run_dir is not None and (run_dir / runs.RUN_FILE).is_file():
        return runs.read_run(run_dir / runs.RUN_FILE)
    run = Run(
        id=runs.new_id(), state=State.FINISHED, started=started, finished=timestamp(), tool=Tool(version=_version())
    )
    if session is not None:
        header = session.header()
        run.cluster = msgspec.convert(header["cluster"], Cluster)
        run.profile = msgspec.convert(header["profile"], Profile)
        run.problems = header["problems"]
        run.controls = [msgspec.convert(outcome.as_dict(), Control) for outcome in session.outcomes]
    run.summarize(exit_code)
    return run


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("evenkeel")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return ""
