"""The command line: one thin app over the parts, each of which keeps its commands beside its subject."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

PARTS = {
    "chaos": "experiments.cli",
    "load": "experiments.loads.cli",
    "lab": "fixtures.clusters.lab.cli",
    "report": "reports.cli",
}
"""Sub-commands by the module of their app."""

TOP = {"run": "suites.run"} | dict.fromkeys(("audit", "explain", "catalogue", "snapshot"), "suites.cli")
"""Commands at the top level by the module of their app."""

BAD_USAGE = 4  # pytest's code for it; typer's own is 2, which pytest uses for an interrupted run
ABORTED = 130


def app_of(arguments: list[str]) -> typer.Typer:
    """The app with the part that the arguments name, or with all of them: each takes its time to import."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Conformance and chaos tests for highly available architectures on Kubernetes.",
    )
    named = arguments[0] if arguments else ""
    known = named in PARTS or named in TOP
    for module in dict.fromkeys(TOP[name] for name in TOP if name == named or not known):
        app.add_typer(import_module(module).app)
    for name, module in PARTS.items():
        if name == named or not known:
            app.add_typer(import_module(module).app, name=name)
    app.callback()(_nothing)  # a lone command stays a sub-command
    return app


def __getattr__(name: str) -> typer.Typer:
    """`evenkeel.app`: the app with every part, for whoever wants to look at its commands."""
    if name == "app":
        return app_of([])
    raise AttributeError(name)


def _nothing() -> None:
    """Conformance and chaos tests for highly available architectures on Kubernetes."""


def main() -> None:
    """Entry point of the console script. A mistake in the arguments is one line and exit code 4, like all bad input."""
    try:
        ended = app_of(sys.argv[1:])(prog_name="evenkeel", standalone_mode=False)
    except typer.Abort:
        raise SystemExit(ABORTED) from None
    except Exception as error:
        message = getattr(error, "format_message", None)  # what typer raises for arguments it doesn't understand
        if message is None:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
        else:
            where = getattr(getattr(error, "ctx", None), "command_path", "evenkeel")
            sys.stderr.write(f"ERROR: {' '.join(message().split())} (see {where} --help)\n")
        raise SystemExit(BAD_USAGE) from None
    raise SystemExit(ended or 0)


if __name__ == "__main__":
    main()
