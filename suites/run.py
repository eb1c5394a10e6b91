"""`evenkeel run`: the whole job. A cluster, every audit, the faults that are allowed, one report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import pytest
import typer

from fixtures.clusters.cluster import ClusterError
from fixtures.control import SETS
from fixtures.plugin import PROPERTY

BAD_INPUT = 4
HERE = Path(__file__).parent
AUDITS = ("system", "application", "access", "lifecycle")
MEASURED = ("recovery", "elasticity")
_MARKS = {"pass": "ok", "fail": "FAIL", "unknown": "??", "waived": "waived", "not-applicable": "-"}

app = typer.Typer()


@app.command()
def run(
    cluster: Annotated[
        str, typer.Option(metavar="lab|kubeconfig", help="The embedded lab, or the cluster of a kubeconfig.")
    ] = "lab",
    kubeconfig: Annotated[Path | None, typer.Option(metavar="FILE", help="With --cluster kubeconfig.")] = None,
    context: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its context; the current one by default.")
    ] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Thresholds, budgets and scope.")] = None,
    waivers: Annotated[Path | None, typer.Option(metavar="FILE", help="Accepted deviations.")] = None,
    controls: Annotated[
        str | None, typer.Option(metavar="SEL", help="Only these: ids, layers, severities (SYS,APP-01,REC-10).")
    ] = None,
    set: Annotated[  # noqa: A002 - the option's word
        str, typer.Option(metavar="standard|complete", help="complete: also the faults and loads that take long.")
    ] = "standard",
    timings: Annotated[str, typer.Option(metavar="fast|default", help="The timings a new lab is given.")] = "fast",
    allow_disruption: Annotated[
        bool, typer.Option("--allow-disruption", help="Also run the experiments, which break things.")
    ] = False,
    prometheus_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Asked what it saw of each fault; the lab has its own.")
    ] = None,
    grafana_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Given each fault's window; its token is in $GRAFANA_TOKEN.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count `unknown` as failed.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up afterwards.")] = False,
    run_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to write the reports.")] = None,
) -> None:
    """Audit a cluster, break it if allowed, measure its recovery, and report.

    On the lab, which is started when none is up and taken down again. Exit code 0 when nothing failed, 1 when a
    control did, 4 for bad input, 5 when there was nothing to judge.
    """
    if cluster not in ("lab", "kubeconfig"):
        _refuse(f"--cluster {cluster}: choose lab or kubeconfig")
    if cluster == "lab" and (kubeconfig or context):
        _refuse("--kubeconfig and --context name another cluster than the lab: add --cluster kubeconfig")
    if set not in SETS:
        _refuse(f"--set {set}: choose {' or '.join(SETS)}")
    from reports import runs

    options = [f"--cluster={cluster}", f"--set={set}"]
    options += [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    options += [f"--context={context}"] if context else []
    options += [f"--profile={profile}"] if profile else []
    options += [f"--waivers={waivers}"] if waivers else []
    options += [f"--controls={controls}"] if controls else []
    options += [f"--prometheus-url={prometheus_url}"] if prometheus_url else []
    options += [f"--grafana-url={grafana_url}"] if grafana_url else []
    options += ["--strict-verdicts"] if strict else []
    options += ["--allow-disruption"] if allow_disruption else []
    if cluster == "kubeconfig":
        options.append(f"--run-dir={run_dir or runs.new_run_directory()}")
        raise typer.Exit(judge(options, AUDITS + (MEASURED if allow_disruption else ())))
    with _lab(timings, keep=keep) as in_force:
        options += [f"--timings={in_force}", f"--run-dir={run_dir or runs.new_run_directory()}"]
        code = judge(options, AUDITS + (MEASURED if allow_disruption else ()))
    raise typer.Exit(code)


def judge(options: Sequence[str], suites: Sequence[str]) -> int:
    """pytest on these suites, one line a control as it is judged; returns its exit code."""
    os.environ.pop("PYTEST_ADDOPTS", None)  # meant for the user's own tests
    arguments = [
        f"--rootdir={HERE.parent}",
        f"--config-file={os.devnull}",  # not whatever pytest configuration the user's directory has
        "--noconftest",
        "--disable-plugin-autoload",
        "--import-mode=importlib",
        "--assert=plain",
        "--no-header",
        "--tb=short",
        "--show-capture=no",
        "-q",
        "-rN",
        "-pno:cacheprovider",
        "-pfixtures.plugin",
        "-pexperiments.plugin",
        "-preports.recorder",
        *options,
        *(str(HERE / suite) for suite in suites),
    ]
    return int(pytest.main(arguments, plugins=[_Progress()]))


class _Progress:
    """A pytest plugin that says each verdict as it falls, and pytest's own dots no more."""

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        return (report.outcome, "", "") if report.when == "call" or report.outcome == "skipped" else None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if "/recovery/" in nodeid or "/elasticity/" in nodeid:
            typer.echo(f"  …      {nodeid.rsplit('::', 1)[-1].removeprefix('test_').replace('_', ' ')}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, dict):
                reason = f" ({value['reason']})" if value.get("reason") else ""
                typer.echo(f"  {_MARKS.get(value['verdict'], '?'):<6} {value['id']}  {value['title']}{reason}")


@contextmanager
def _lab(timings: str, *, keep: bool) -> Iterator[str]:
    """A lab for this run; one that was up before stays up. Yields the timings in force."""
    from fixtures.clusters.lab import host, start, state, stop
    from fixtures.clusters.lab.lab import Lab
    from fixtures.clusters.lab.layout import Topology
    from fixtures.clusters.lab.supply import SupplyError, prepare
    from fixtures.clusters.lab.timings import TIMINGS

    if timings not in TIMINGS:
        _refuse(f"--timings {timings!r}: there are {', '.join(TIMINGS)}")
    home = state.home()
    try:
        found = Lab.open()
        keep = True
        say(f"using the lab that is up ({found.timings} timings)")
    except ClusterError:
        try:
            host.require(home.root)
            start.up(home, Topology(timings=timings), prepare(say), say)
            start.settle(home, say)
        except (host.HostError, SupplyError) as e:
            _refuse(str(e))
        except ClusterError as e:
            say(f"evenkeel: the lab did not come up: {e}")
            raise typer.Exit(1) from None
        found = Lab.open()
    try:
        yield found.timings
    finally:
        if keep:
            say("the lab stays up; `evenkeel lab down` ends it")
        else:
            stop.down(home)


def say(text: str) -> None:
    """Progress, on standard error."""
    typer.echo(text, err=True)


def _refuse(message: str) -> NoReturn:
    typer.echo(f"ERROR: {message}", err=True)
    raise typer.Exit(BAD_INPUT)
