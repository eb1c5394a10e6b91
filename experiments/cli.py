"""`evenkeel chaos list | run | soak | role | heal`."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

if TYPE_CHECKING:
    from experiments.result import Result
    from experiments.settings import Settings

app = typer.Typer(help="Break things on purpose, measured and always undone.", no_args_is_help=True)

NOTHING_FAILED, FAILED, ENDED_EARLY, USAGE, NOTHING_JUDGED = 0, 1, 2, 4, 5

ClusterOption = Annotated[str, typer.Option("--cluster", help="lab, or kubeconfig")]
KubeconfigOption = Annotated[Path | None, typer.Option("--kubeconfig", help="file; $KUBECONFIG or ~/.kube/config")]
ContextOption = Annotated[str, typer.Option("--context", help="naming it confirms that it may be broken")]
ProfileOption = Annotated[str, typer.Option("--profile", help="name or file; the lab's in the lab, else kubeadm's")]
AppOption = Annotated[str, typer.Option("--app", help="NAMESPACE/DEPLOYMENT that is watched")]
AppUrlOption = Annotated[str, typer.Option("--app-url", help="where it is reached; the lab knows")]
PrometheusOption = Annotated[
    str, typer.Option("--prometheus-url", help="is asked what it saw of each fault; the lab has its own")
]
GrafanaOption = Annotated[
    str, typer.Option("--grafana-url", help="is given each fault's window; token in $GRAFANA_TOKEN")
]
RunDirectoryOption = Annotated[Path | None, typer.Option("--run-dir", help="where the samples of probes are kept")]
AllowOption = Annotated[bool, typer.Option("--allow-disruption", help="without it nothing is broken")]
OutputOption = Annotated[str, typer.Option("--output", "-o", help="text or json")]


def _fail(text: str, code: int = USAGE) -> typer.Exit:
    typer.echo(f"evenkeel: {text}", err=True)
    return typer.Exit(code)


def _checked(output: str) -> None:
    if output not in ("text", "json"):
        raise _fail(f"--output {output!r}: text or json")


def _settings(
    output: str, *, cluster: str, kubeconfig: Path | None, context: str, allow_disruption: bool, **others: Any
) -> Settings:
    """Also sees to it that nothing but results is said."""
    from experiments.settings import Settings

    _checked(output)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("chaostoolkit").setLevel(logging.CRITICAL + 1)  # what it would say is in the result
    return Settings(
        cluster="kubeconfig" if (kubeconfig or context) else cluster,
        kubeconfig=str(kubeconfig or ""),
        context=context,
        confirmed=bool(context),
        allow_disruption=allow_disruption,
        **others,
    )


@contextmanager
def _breaking(settings: Settings, ids: Collection[str] = (), *, allowed: bool) -> Iterator[None]:
    """What is wrong with the request or the cluster becomes a sentence; after the last experiment all is cleaned up."""
    from experiments import runner
    from fixtures import watchers
    from fixtures.clusters.cluster import ClusterError
    from fixtures.profiles.profile import ProfileError

    reached = False
    try:
        for one in ids:
            runner.load(one)
        watchers.check(settings.prometheus_url, settings.grafana_url)
        reached = runner.reach(settings)
        yield
    except (runner.UsageError, watchers.WatcherError, ClusterError, ProfileError, ValueError) as error:
        raise _fail(str(error)) from error
    finally:
        if reached and allowed:
            runner.leave(settings)


def _exit(verdicts: Collection[str], *, interrupted: bool) -> None:
    """2: asked to end before the end; 1: one failed; 5: none could be judged."""
    if interrupted:
        raise typer.Exit(ENDED_EARLY)
    if "fail" in verdicts:
        raise typer.Exit(FAILED)
    if "pass" not in verdicts:
        raise typer.Exit(NOTHING_JUDGED)


@app.command("list")
def list_(output: OutputOption = "text") -> None:
    """Every experiment: its fault, what it may be aimed at, what it needs of a cluster."""
    from experiments import runner
    from experiments.faults.catalogue import fault as find
    from experiments.trial import extension

    _checked(output)
    rows = []
    for name, experiment in runner.every().items():
        for id_ in extension(experiment).get("faults") or ():
            fault = find(id_)
            rows.append(
                {
                    "experiment": name,
                    "fault": id_,
                    "title": experiment["title"],
                    "targets": dict(fault.targets),
                    "needs": sorted(fault.needs),
                }
            )
    rows.sort(key=lambda r: str(r["fault"]))
    if output == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for row in rows:
        needs = f"  needs {', '.join(row['needs'])}" if row["needs"] else ""
        typer.echo(f"{row['fault']:5} {row['experiment']:24} {row['title']}{needs}")
        for target, what in row["targets"].items():
            typer.echo(f"      --target {target:18} {what}")


@app.command()
def run(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="names of experiments, or ids of their faults")],
    cluster: ClusterOption = "lab",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    profile: ProfileOption = "",
    target: Annotated[str, typer.Option("--target", help="what to aim at; `list` shows what there is")] = "",
    application: AppOption = "reference/web",
    application_url: AppUrlOption = "",
    prometheus_url: PrometheusOption = "",
    grafana_url: GrafanaOption = "",
    run_directory: RunDirectoryOption = None,
    allow_disruption: AllowOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done to which object")] = False,
    output: OutputOption = "text",
) -> None:
    """Run experiments one after the other. Exit code 1: one failed; 2: interrupted; 5: none could be judged."""
    from experiments import interrupt, runner
    from experiments.text import plan_text, result_text

    settings = _settings(
        output,
        cluster=cluster,
        kubeconfig=kubeconfig,
        context=context,
        profile=profile,
        allow_disruption=allow_disruption,
        run_directory=str(run_directory or ""),
        app=application,
        app_url=application_url,
        prometheus_url=prometheus_url,
        grafana_url=grafana_url,
    )
    results = []
    with _breaking(settings, ids, allowed=allow_disruption and not dry_run):
        if dry_run:
            plans = [runner.plan(one, settings, target) for one in ids]
            for plan in plans:
                typer.echo(msgspec.json.encode(plan).decode() if output == "json" else plan_text(plan))
            raise typer.Exit(NOTHING_JUDGED if any(p.refusals for p in plans) else NOTHING_FAILED)
        audits = runner.audits_for(settings)
        with interrupt.asked_to_end() as asked:
            for one in ids:
                results.append(runner.run(one, settings, target, audits))
                if output == "text":
                    typer.echo(result_text(results[-1]))
                if asked():
                    typer.echo(f"evenkeel: {interrupt.SAID}", err=True)
                    break
            interrupted = asked()
    if output == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode([r.as_dict() for r in results])).decode())
    _exit({r.verdict for r in results}, interrupted=interrupted)


@app.command()
def soak(
    minutes: Annotated[float, typer.Option("--minutes", min=0, help="no experiment begins after so many")],
    seed: Annotated[int, typer.Option("--seed", help="the same draws the same; chance by default")] = -1,
    cluster: ClusterOption = "lab",
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = "",
    profile: ProfileOption = "",
    application: AppOption = "reference/web",
    application_url: AppUrlOption = "",
    prometheus_url: PrometheusOption = "",
    run_directory: RunDirectoryOption = None,
    allow_disruption: AllowOption = False,
    output: OutputOption = "text",
) -> None:
    """Faults drawn by chance, one after the other, all invariants after each. Exit codes are those of run."""
    from experiments import interrupt, runner
    from experiments import soak as soaking
    from experiments.text import result_text

    settings = _settings(
        output,
        cluster=cluster,
        kubeconfig=kubeconfig,
        context=context,
        profile=profile,
        allow_disruption=allow_disruption,
        run_directory=str(run_directory or ""),
        app=application,
        app_url=application_url,
        prometheus_url=prometheus_url,
    )
    if not allow_disruption:
        raise _fail(runner.NOT_ALLOWED)
    seed = secrets.randbelow(2**31) if seed < 0 else seed
    with _breaking(settings, allowed=True):
        among = soaking.picks(runner.capabilities(settings))
        audits = runner.audits_for(settings)
        until = time.monotonic() + 60 * minutes

        def one(pick: soaking.Pick) -> Result:
            result = runner.run(pick.experiment, settings, pick.target, audits)
            if output == "text":
                typer.echo(result_text(result))
            return result

        with interrupt.asked_to_end() as asked:
            results, ended = soaking.soak(among, seed, one, lambda: soaking.reason(asked(), time.monotonic() > until))
            interrupted = asked()
    summary = soaking.summary(seed, among, results, ended)
    if output == "json":
        said = {"soak": summary, "experiments": [r.as_dict() for r in results]}
        typer.echo(msgspec.json.format(msgspec.json.encode(said)).decode())
    else:
        typer.echo(soaking.text(summary))
    _exit({r.verdict for r in results}, interrupted=interrupted)


@app.command()
def role(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="of faults; all that need nothing but the API")
    ] = None,
    application: Annotated[str, typer.Option("--app", help="NAMESPACE/DEPLOYMENT that is watched")] = "reference/web",
) -> None:
    """The least rights that these faults need, as manifests: a service account, its roles and their bindings."""
    from experiments.faults.catalogue import fault as find
    from experiments.role import everywhere, text

    try:
        faults = [find(one.upper()) for one in ids] if ids else everywhere()
    except KeyError as error:
        raise _fail(str(error.args[0])) from error
    asked = "".join(f" {one.upper()}" for one in ids or ())
    asked += "" if application == "reference/web" else f" --app {application}"
    typer.echo(text(faults, application.partition("/")[0], asked), nl=False)


@app.command()
def heal(
    patience: Annotated[float, typer.Option("--patience", help="seconds to keep trying")] = 60.0,
    output: OutputOption = "text",
) -> None:
    """Undo what runs that died have left changed. Exit code 1: something could not be undone."""
    from fixtures.safety.heal import heal as undo
    from fixtures.safety.journal import Journal
    from fixtures.safety.state import journal_paths

    _checked(output)
    said = []
    for path in journal_paths():
        if Journal(path).pending():
            result = undo(Journal(path), "heal", patience_s=patience)
            said.append({"journal": str(path), "undone": result.undone, "failed": result.failed})
    if output == "json":
        typer.echo(msgspec.json.encode(said).decode())
    else:
        for one in said:
            for text in one["undone"]:
                typer.echo(f"undone: {text}")
            for text in one["failed"]:
                typer.echo(f"NOT undone: {text}", err=True)
        if not said:
            typer.echo("nothing to undo")
    if any(one["failed"] for one in said):
        raise typer.Exit(FAILED)
