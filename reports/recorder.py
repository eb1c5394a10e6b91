"""The pytest plugin that keeps run.json while a run goes on, and renders the reports when it ends.

It does nothing without `--run-dir`. Results reach it as the `user_properties` of test reports:

    record_property("evenkeel.control", {...})       as `reports.model.Control`
    record_property("evenkeel.experiment", {...})    as `reports.model.Experiment`
    record_property("evenkeel.load", {...})          as `reports.model.Load`

and the run's header as `config.evenkeel_header`, a dict with `cluster`, `profile` and, when there are any, `problems`.
Every selected control stands in run.json from the beginning, as `unknown`, so that a killed run never looks as if it
had judged less than it meant to.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reports import runs
from reports.model import Cluster, Control, Experiment, Load, Profile, Run, State, Tool, Verdict, timestamp

CONTROL = "evenkeel.control"
EXPERIMENT = "evenkeel.experiment"
LOAD = "evenkeel.load"
NOT_YET = "not judged: the run ended before it came to this control"


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """After every other plugin has had its chance to refuse the options: a refused run leaves nothing behind."""
    config = session.config
    directory = config.getoption("--run-dir", default=None)
    if directory and not config.getoption("collectonly", default=False):
        try:
            recorder = Recorder(config, Path(directory))
        except OSError as error:
            raise pytest.UsageError(
                f"--run-dir {directory}: {error.strerror or error}; name one to write to"
            ) from error
        config.pluginmanager.register(recorder, "evenkeel-recorder")


class Recorder:
    """One run and its directory."""

    def __init__(self, config: pytest.Config, directory: Path) -> None:
        self.config = config
        self.directory = directory.absolute()
        self.planned: dict[str, Control] = {}  # by test, the control as it stands before it is judged
        self.controls: dict[str, list[Control]] = {}  # by test, what became of it
        self.experiments: dict[tuple[str, str, str | None], Experiment] = {}
        self.loads: dict[tuple[str, str | None], Load] = {}
        self.trouble: dict[str, pytest.TestReport] = {}  # by test, the first phase that did not pass
        self.rendered: dict[str, Path] = {}
        self.complaints: list[str] = []
        self.directory.mkdir(parents=True, exist_ok=True)
        self.run = Run(
            id=runs.id_of(self.directory),
            started=timestamp(),
            tool=Tool(version=_own_version()),
            timings=str(config.getoption("--timings", default=None) or ""),
            strict=bool(config.getoption("--strict-verdicts", default=False)),
        )
        self.write()
        runs.point_latest(self.directory)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if (planned := _planned(item)) is not None:
                self.planned[item.nodeid] = planned
                self.controls[item.nodeid] = [planned]
        self.write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.trouble.setdefault(report.nodeid, report)
        if report.when != "teardown":
            return
        said = [value for name, value in report.user_properties if name == CONTROL]
        planned = self.planned.get(report.nodeid)
        if said:
            self.controls[report.nodeid] = [self._control(value, planned) for value in said]
        elif planned is not None:
            self.controls[report.nodeid] = [_judged_by_outcome(planned, self.trouble.get(report.nodeid))]
        for name, value in report.user_properties:
            if name == EXPERIMENT:
                experiment = self._experiment(value)
                self.experiments[experiment.name, experiment.target, experiment.started] = experiment
            elif name == LOAD:
                load = self._load(value)
                self.loads[load.name, load.started] = load
        self.write()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        unjudged = any(c.reason == NOT_YET for found in self.controls.values() for c in found)
        broken_off = session.exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        self.run.state = State.INTERRUPTED if unjudged or broken_off else State.FINISHED
        self.run.finished = timestamp()
        self.write(exit_code=int(session.exitstatus), durable=True)
        from reports import formats  # templates and colours take a fifth of a second to import: only now

        for name, write in formats.FORMATS.items():
            try:
                self.rendered[name] = write(self.run, self.directory)
            except Exception as error:  # one broken format must not cost the others, nor the run its exit code
                self.complaints.append(f"{name} could not be written: {type(error).__name__}: {error}")

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from reports import text

        writer = terminalreporter._tw
        terminalreporter.write_line("")
        terminalreporter.write_line(text.render(self.run, width=min(writer.fullwidth, 120), color=writer.hasmarkup))
        for complaint in self.complaints:
            terminalreporter.write_line(f"report: {complaint}", red=True)
        terminalreporter.write_line(f"report: {self.rendered.get('html', self.directory / runs.RUN_FILE)}")

    def write(self, *, exit_code: int | None = None, durable: bool = False) -> None:
        """Replace run.json with what is known now."""
        self.run.controls = [control for found in self.controls.values() for control in found]
        self.run.experiments = list(self.experiments.values())
        self.run.loads = list(self.loads.values())
        self._read_header()
        self.run.summarize(exit_code)
        runs.write_run(self.run, self.directory, durable=durable)

    def _read_header(self) -> None:
        header: dict[str, Any] = getattr(self.config, "evenkeel_header", None) or {}
        try:
            self.run.cluster = msgspec.convert(header.get("cluster") or {}, Cluster)
            self.run.profile = msgspec.convert(header.get("profile") or {}, Profile)
            self.run.problems = msgspec.convert(header.get("problems") or [], list[str])
            self.run.timings = header.get("timings") or self.run.timings
        except msgspec.ValidationError as error:
            self._complain(f"the run's header does not fit the report's model: {error}")

    def _control(self, said: Any, planned: Control | None) -> Control:
        try:
            return msgspec.convert(said, Control)
        except msgspec.ValidationError as error:
            named = said if isinstance(said, dict) else {}
            reason = f"the result does not fit the report's model: {error}"
            self._complain(f"{named.get('id', 'a control')}: {reason}")
            if planned is None:
                planned = Control(
                    id=str(named.get("id", "?")), title=str(named.get("title", "")), verdict=Verdict.UNKNOWN
                )
            return msgspec.structs.replace(planned, verdict=Verdict.UNKNOWN, reason=reason)

    def _experiment(self, said: Any) -> Experiment:
        try:
            return msgspec.convert(said, Experiment)
        except msgspec.ValidationError as error:
            named = said if isinstance(said, dict) else {}
            reason = f"the result does not fit the report's model: {error}"
            self._complain(f"{named.get('name', 'an experiment')}: {reason}")
            return Experiment(
                name=str(named.get("name", "?")),
                fault=str(named.get("fault", "")),
                target=str(named.get("target", "")),
                verdict=Verdict.UNKNOWN,
                reason=reason,
            )

    def _load(self, said: Any) -> Load:
        try:
            return msgspec.convert(said, Load)
        except msgspec.ValidationError as error:
            name = str(said.get("name", "?")) if isinstance(said, dict) else "?"
            reason = f"the result does not fit the report's model: {error}"
            self._complain(f"{name}: {reason}")
            return Load(name=name, verdict=Verdict.UNKNOWN, reason=reason)

    def _complain(self, complaint: str) -> None:
        if complaint not in self.complaints:
            self.complaints.append(complaint)


def _planned(item: pytest.Item) -> Control | None:
    """The control that a test judges, by its marker `control(id)` and by what the decorator left on the function (any
    object with the catalogue's fields: reports know nothing else of it). None when it judges none."""
    marker = item.get_closest_marker("control")
    if marker is None:
        return None
    about = getattr(getattr(item, "function", None), "evenkeel_control", None)
    return Control(
        id=str(marker.args[0]) if marker.args else item.name,
        title=str(getattr(about, "title", "")),
        layer=str(getattr(about, "layer", "")),
        severity=str(getattr(about, "severity", "")),
        remedy=str(getattr(about, "remedy", "")),
        source=str(getattr(about, "source", "")),
        verdict=Verdict.UNKNOWN,
        reason=NOT_YET,
    )


def _judged_by_outcome(planned: Control, trouble: pytest.TestReport | None) -> Control:
    """The verdict of a test that recorded none: an assertion that did not hold is nonconformance, any other exception
    and any skip is trouble with the environment."""
    if trouble is None:
        return msgspec.structs.replace(planned, verdict=Verdict.PASS, reason="")
    if trouble.skipped:
        skip = trouble.longrepr
        reason = str(skip[2]).removeprefix("Skipped: ") if isinstance(skip, tuple) else "skipped"
        return msgspec.structs.replace(planned, verdict=Verdict.UNKNOWN, reason=reason)
    crash = getattr(trouble.longrepr, "reprcrash", None)
    message = str(getattr(crash, "message", "") or trouble.longrepr).strip()
    asserted = trouble.when == "call" and message.startswith(("AssertionError", "assert"))
    reason = message.splitlines()[0] if message else "the test failed without a message"
    return msgspec.structs.replace(planned, verdict=Verdict.FAIL if asserted else Verdict.UNKNOWN, reason=reason)


def _own_version() -> str:
    try:
        return version("evenkeel")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return ""
