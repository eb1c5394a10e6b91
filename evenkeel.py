"""The command line: one thin app over the parts, each of which keeps its commands beside its subject."""

from __future__ import annotations

import sys

import typer

from experiments.cli import app as chaos
from fixtures.clusters.lab.cli import app as lab
from reports.cli import app as report
from suites.cli import app as judging
from suites.run import app as running

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Conformance and chaos tests for highly available architectures on Kubernetes.",
)
app.add_typer(running)
app.add_typer(judging)
app.add_typer(chaos, name="chaos")
app.add_typer(lab, name="lab")
app.add_typer(report, name="report")

_USAGE = 4  # pytest's code for it; click's own is 2


def main() -> None:
    """Entry point of the console script. Mistakes in the command line end with exit code 4, like all bad input."""
    try:
        app(standalone_mode=True)
    except SystemExit as e:
        sys.exit(_USAGE if e.code == 2 else e.code)


if __name__ == "__main__":
    main()
