"""`evenkeel audit`, `explain`, `catalogue` and `snapshot save`. Exit codes: 0 nothing failed, 1 a control failed,
4 bad input, 5 nothing to judge."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from textwrap import fill
from typing import Annotated, NoReturn

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Judge clusters, manifests and snapshots.")
snapshots = typer.Typer(no_args_is_help=True, add_completion=False, help="Keep what a cluster looked like.")
app.add_typer(snapshots, name="snapshot")

BAD_INPUT = 4
OUTPUTS = ("text", "json")

Kubeconfig = Annotated[Path | None, typer.Option(metavar="FILE", help="Kubeconfig; $KUBECONFIG or ~/.kube/config.")]
Context = Annotated[str | None, typer.Option(metavar="NAME", help="Its context; the current one unless given.")]
ClusterName = Annotated[str | None, typer.Option(metavar="lab|kubeconfig", help="`lab` for the embedded cluster.")]


@app.command()
def audit(
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    cluster: ClusterName = None,
    manifests: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="A file, a directory, or - for standard input; may be repeated."),
    ] = None,
    snapshot: Annotated[Path | None, typer.Option(metavar="FILE", help="A file of `evenkeel snapshot save`.")] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="kubeadm, managed, edge, lab, or a file of your own.")
    ] = None,
    waivers: Annotated[Path | None, typer.Option(metavar="FILE", help="Accepted deviations.")] = None,
    controls: Annotated[
        str | None, typer.Option(metavar="SEL", help="Ids, layers, severities: APP-01,SYS,high; APP+high for both.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count `unknown` as failed.")] = False,
    output: Annotated[
        str, typer.Option(metavar="text|json", help="json: the content of run.json, nothing else.")
    ] = "text",
    run_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Write run.json and the reports there.")] = None,
) -> None:
    """Judge a cluster, manifests or a saved snapshot. Read-only."""
    if output not in OUTPUTS:
        _refuse(f"--output {output}: choose from {', '.join(OUTPUTS)}")
    if cluster not in (None, "lab", "kubeconfig"):
        _refuse(f"--cluster {cluster}: choose lab or kubeconfig")
    given = {
        "--kubeconfig": kubeconfig,
        "--context": context,
        "--cluster": cluster,
        "--snapshot": snapshot,
        "--profile": profile,
        "--waivers": waivers,
        "--controls": controls,
    }
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    options += [f"--manifests={path}" for path in manifests or ()]
    if strict:
        options.append("--strict-verdicts")
    from suites import audit as auditing

    done = auditing.audit(options, run_dir)
    if done.session is None or (done.exit_code == BAD_INPUT and not done.session.problems()):
        raise typer.Exit(done.exit_code)
    for problem in done.session.problems():
        typer.echo(f"ERROR: {problem}", err=True)
    if output == "json":
        from reports.model import encode

        sys.stdout.buffer.write(encode(done.run))
    else:
        from reports import text

        width = min(shutil.get_terminal_size().columns, 120)
        typer.echo(text.render(done.run, width=width, color=sys.stdout.isatty()))
        if not done.session.outcomes or done.exit_code == 5:
            typer.echo("nothing to judge: no control found an object that it applies to", err=True)
    raise typer.Exit(done.exit_code)


@app.command()
def explain(control: Annotated[str, typer.Argument(metavar="ID", help="Such as APP-13.")]) -> None:
    """Say what a control claims, why, how it is judged and what to do."""
    from fixtures import catalogue
    from fixtures.wording import near

    known = catalogue.controls()
    found = known.get(control.upper())
    if found is None:
        _refuse(f"unknown control {control!r}{near(control.upper(), known)}; `evenkeel catalogue` lists them")
    where = "a live cluster, or a snapshot of one" if found.live else "clusters, snapshots and manifests"
    typer.echo(f"{found.id}  {found.title}\n")
    for name, text in {
        "layer": f"{found.layer}, severity {found.severity}; judges {where}",
        "why": found.reason,
        "judged": " ".join(found.judged.split()),
        "remedy": found.remedy,
        "source": found.source,
        "test": catalogue.suite_of(found),
    }.items():
        typer.echo(fill(text, width=100, initial_indent=f"{name + ':':<8} ", subsequent_indent=" " * 9))


@app.command("catalogue")
def list_controls(
    json: Annotated[bool, typer.Option("--json", help="Print the answer for a machine to read.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page docs/controls.md.")] = False,
) -> None:
    """List every control."""
    from fixtures import catalogue

    if json and markdown:
        _refuse("--json or --markdown, not both")
    if markdown:
        typer.echo(catalogue.markdown(), nl=False)
    elif json:
        import msgspec

        entries = [catalogue.entry(each) for each in catalogue.controls().values()]
        typer.echo(msgspec.json.format(msgspec.json.encode(entries)))
    else:
        for each in catalogue.controls().values():
            live = "live" if each.live else ""
            typer.echo(f"{each.id}  {each.severity:<6}  {live:<4}  {each.title}")


@snapshots.command("save")
def save(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; .snapshot.json.gz by custom.")],
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    cluster: ClusterName = None,
) -> None:
    """Read a cluster once and keep it, compressed. Secrets are names only: their contents are never read."""
    if cluster not in (None, "lab", "kubeconfig"):
        _refuse(f"--cluster {cluster}: choose lab or kubeconfig")
    from fixtures.snapshot import evidence, live, reach, saved

    try:
        found = reach.cluster(cluster or "kubeconfig", str(kubeconfig) if kubeconfig else None, context)
        client = reach.client(found)
        read = live.read(client, reach.facts(found, client))
        size = saved.save(read, file, tuple(evidence.ASKERS))
    except reach.ReachError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename or file}: {error.strerror or error}")
    typer.echo(f"{file}: {len(read)} objects of {found.name}, {size / 1024:.0f} KiB")
    for model, why in read.unreadable.items():
        typer.echo(f"not in it: {model.__name__}: {why}", err=True)


@snapshots.command("role")
def role() -> None:
    """Print the read-only rights that an audit needs, as RBAC objects (deploy/rbac/auditor.yaml)."""
    from fixtures.snapshot.role import text

    typer.echo(text(), nl=False)


def _refuse(message: str) -> NoReturn:
    typer.echo(f"ERROR: {message}", err=True)
    raise typer.Exit(BAD_INPUT)
