"""`evenkeel load list | run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

app = typer.Typer(
    help="Load a service with locust and see what becomes of it: scaling, rollouts, overload.", no_args_is_help=True
)

NOTHING_FAILED, FAILED, USAGE, NOTHING_JUDGED = 0, 1, 4, 5

OutputOption = Annotated[str, typer.Option("--output", "-o", help="text or json")]


def _fail(text: str) -> typer.Exit:
    typer.echo(f"ERROR: {text}", err=True)
    return typer.Exit(USAGE)


def _checked(output: str) -> None:
    if output not in ("text", "json"):
        raise _fail(f"--output {output!r}: text or json")


@app.command("list")
def list_(output: OutputOption = "text") -> None:
    """Every load test: its controls, what it does, its variants, how long it takes."""
    from experiments.loads import catalogue

    _checked(output)
    rows = [
        {
            "name": play.name,
            "controls": list(play.controls),
            "title": play.title,
            "variants": dict(play.variants),
            "takes_s": play.takes_s,
            "own_service": play.own_service,
        }
        for play in catalogue.every().values()
    ]
    if output == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for play in catalogue.every().values():
        own = "; also on a service of yours, with --host" if play.own_service else ""
        typer.echo(f"{' '.join(play.controls):14} {play.name:18} {play.title} (about {play.takes_s} s{own})")
        for variant, what in play.variants.items():
            typer.echo(f"{'':15}--variant {variant:14} {what}")


@app.command()
def run(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="ids of controls (ELA-05), or names of load tests")],
    cluster: Annotated[str, typer.Option("--cluster", help="lab, or kubeconfig")] = "lab",
    kubeconfig: Annotated[Path | None, typer.Option("--kubeconfig", help="file; $KUBECONFIG or ~/.kube/config")] = None,
    context: Annotated[str, typer.Option("--context", help="naming it confirms that it may be loaded")] = "",
    profile: Annotated[str, typer.Option("--profile", help="name or file: whose budgets to judge by")] = "",
    variant: Annotated[str, typer.Option("--variant", help="what `list` shows: the mistakes that must be seen")] = "",
    application: Annotated[str, typer.Option("--app", help="NAMESPACE/DEPLOYMENT of a service of yours")] = "",
    host: Annotated[str, typer.Option("--host", help="its URL. Load goes to this machine, or to what you name")] = "",
    peak: Annotated[float, typer.Option("--peak", help="requests a second at it, at the most")] = 100.0,
    base: Annotated[float, typer.Option("--base", help="and in quiet times")] = 20.0,
    path: Annotated[str, typer.Option("--path", help="what is asked for there")] = "/",
    run_directory: Annotated[Path | None, typer.Option("--run-dir", help="where recordings are kept")] = None,
    allow_disruption: Annotated[
        bool, typer.Option("--allow-disruption", help="without it nothing is loaded or changed")
    ] = False,
    output: OutputOption = "text",
) -> None:
    """Run load tests one after the other. Exit code 1: one failed; 5: none could be judged.

    Each makes what it needs in a namespace of its own and removes it, whatever happens. locust makes the load; when
    locust itself was the bottleneck nothing is concluded.

    A service of yours: --host https://shop.example --app shop/cart --context NAME, with --peak far enough above what it
    carries now that its autoscaler must act. It is loaded and watched, and not changed otherwise.
    """
    from experiments.loads import catalogue, runner
    from experiments.loads.play import OWN
    from experiments.loads.text import result_text
    from experiments.runner import leave
    from experiments.settings import Settings
    from fixtures.clusters.cluster import ClusterError
    from fixtures.profiles.profile import ProfileError

    _checked(output)
    settings = Settings(
        cluster="kubeconfig" if (kubeconfig or context) else cluster,
        kubeconfig=str(kubeconfig or ""),
        context=context,
        confirmed=bool(context),
        profile=profile,
        allow_disruption=allow_disruption,
        run_directory=str(run_directory or ""),
        **({"app": application} if application else {}),
        app_url=host,
        load_peak=peak,
        load_base=base,
        load_path=path,
    )
    variant = variant or (OWN if host else "")
    results = []
    try:
        plays = dict.fromkeys(catalogue.play(one).name for one in ids)  # two controls may be of one play
        for one in plays:
            results.append(runner.run(one, settings, variant))
            if output == "text":
                typer.echo(result_text(results[-1]))
    except (runner.UsageError, catalogue.UnknownPlayError, ClusterError, ProfileError, ValueError) as error:
        raise _fail(str(error)) from error
    finally:
        if results:
            leave(settings)
    if output == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode([r.as_dict() for r in results])).decode())
    verdicts = {r.verdict for r in results}
    if "fail" in verdicts:
        raise typer.Exit(FAILED)
    if "pass" not in verdicts:
        raise typer.Exit(NOTHING_JUDGED)
