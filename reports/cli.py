"""`evenkeel report`: render a run again, in any format, or find it. Exit code 4 for what can't be understood."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from reports import runs

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Render and find the reports of runs.")

BAD_INPUT = 4
RunArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN", help="A run's directory, its run.json, or a directory of runs; the latest run when left out."
    ),
]


@app.command()
def render(
    run: RunArgument = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help="html, junit, markdown, allure, svg, separated by commas.")
    ] = "html,junit,markdown,allure,svg",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write; beside the run.json when left out.")
    ] = None,
) -> None:
    """Make the reports of a run from its run.json, also of one that was killed. Prints the files made."""
    from reports.formats import FORMATS

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for name in wanted:
        if name not in FORMATS:
            _refuse(f"--format {name}: there is no such format; choose from {', '.join(FORMATS)}")
    if not wanted:
        _refuse(f"--format: name at least one of {', '.join(FORMATS)}")
    file = _found(run)
    try:
        content = runs.read_run(file)
        directory = out or file.parent
        directory.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            typer.echo(FORMATS[name](content, directory))
    except runs.NoRunError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename or out}: {error.strerror or error}; name another place with --out")


@app.command()
def show(run: RunArgument = None) -> None:
    """Print the summary of a run."""
    from rich.console import Console

    from reports import text

    console = Console()
    try:
        content = runs.read_run(_found(run))
    except runs.NoRunError as error:
        _refuse(str(error))
    typer.echo(text.render(content, width=min(console.width, 120), color=console.is_terminal))


@app.command()
def compare(
    one: Annotated[Path, typer.Argument(metavar="RUN", help="A run's directory or its run.json.")],
    other: Annotated[Path, typer.Argument(metavar="RUN", help="Another one.")],
    output: Annotated[str, typer.Option("--output", "-o", help="text, markdown or json.")] = "text",
) -> None:
    """Print two runs side by side, fault by fault: outages, takeovers, and where the time went. Such as one with the
    cluster's default timings and one with tuned ones."""
    from reports.compared import FORMATS
    from reports.comparison import compare

    if output not in FORMATS:
        _refuse(f"--output {output}: there is no such format; choose from {', '.join(FORMATS)}")
    try:
        comparison = compare(runs.read_run(_found(one)), runs.read_run(_found(other)))
    except runs.NoRunError as error:
        _refuse(str(error))
    if not comparison.faults:
        _refuse(f"{one}, {other}: there is no fault in either; runs with --allow-disruption have some")
    typer.echo(FORMATS[output](comparison), nl=False)


@app.command()
def path(run: RunArgument = None) -> None:
    """Print where a run's report is."""
    typer.echo(_page(run))


@app.command(name="open")
def open_(run: RunArgument = None) -> None:
    """Show a run's report in the browser."""
    page = _page(run)
    typer.echo(page)
    if not webbrowser.open(page.as_uri()):
        typer.echo("No browser was found on this machine: open that file with one.", err=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of run.json."""
    from reports.reference import json_schema

    typer.echo(json_schema(), nl=False)


def _found(run: Path | None) -> Path:
    try:
        return runs.find_run_file(run).resolve()
    except runs.NoRunError as error:
        _refuse(str(error))


def _page(run: Path | None) -> Path:
    file = _found(run)
    page = file.with_name("report.html")
    if not page.is_file():
        _refuse(f"{page}: not there; make it with: evenkeel report render {file.parent}")
    return page


def _refuse(message: str) -> NoReturn:
    typer.echo(f"Error: {message}", err=True)
    raise typer.Exit(BAD_INPUT)
