"""The command line: one thin app over the parts, each of which keeps its commands beside its subject."""

from __future__ import annotations

import typer

from fixtures.clusters.lab.cli import app as lab

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(lab, name="lab")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
