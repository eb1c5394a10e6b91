"""The terminal's summary of a run."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import wording
from reports.model import Control, Experiment, Run, Tally, Verdict

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.UNKNOWN: "yellow",
    Verdict.WAIVED: "magenta",
    Verdict.NOT_APPLICABLE: "dim",
}
MOST_FINDINGS = 5


def render(run: Run, *, width: int = 100, color: bool = False) -> str:
    """The summary as text, with terminal colours when asked; names are never taken for markup."""
    out = StringIO()
    console = Console(
        file=out, width=max(width, 40), force_terminal=color, no_color=not color, highlight=False, legacy_windows=False
    )
    console.print(Group(*_parts(run)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _parts(run: Run) -> list[RenderableType]:
    parts: list[RenderableType] = [_header(run)]
    if run.controls:
        parts += [Text(), _layers(run)]
    wrong = sorted((c for c in run.controls if c.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), key=wording.worst_first)
    if wrong:
        parts.append(Text())
        parts += [part for control in wrong for part in _control(control)]
    if run.experiments:
        parts += [Text(), _experiments(run.experiments)]
    verdict = run.summary.verdict
    parts += [Text(), Text(f"{wording.VERDICT_WORDS[verdict].upper()}  {wording.headline(run)}", style=STYLES[verdict])]
    return parts


def _header(run: Run) -> Text:
    cluster = run.cluster
    what = [cluster.name, f"({cluster.provider})" if cluster.provider else "", cluster.distribution, cluster.version]
    facts = [
        " ".join(part for part in what if part),
        wording.count(len(cluster.nodes), "node") if cluster.nodes else "",
        f"profile {run.profile.name}" if run.profile.name else "",
        f"timings {run.timings}" if run.timings else "",
    ]
    said = wording.one_line(", ".join(fact for fact in facts if fact))
    return Text.assemble((f"Evenkeel {wording.one_line(run.tool.version)}  ", "bold"), said)


def _layers(run: Run) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Layer")
    for verdict in wording.VERDICTS:
        table.add_column(wording.VERDICT_WORDS[verdict], justify="right")
    names = [name for name in wording.LAYERS if any(c.layer == name for c in run.controls)]
    names += sorted({c.layer for c in run.controls} - set(wording.LAYERS))
    for name in names:
        tally = Tally.of(c.verdict for c in run.controls if c.layer == name)
        table.add_row(Text(wording.layer(name)), *(_number(tally, verdict) for verdict in wording.VERDICTS))
    return table


def _number(tally: Tally, verdict: Verdict) -> Text:
    n = tally.count(verdict)
    return Text(str(n), style=STYLES[verdict]) if n else Text("·", style="dim")


def _control(control: Control) -> list[RenderableType]:
    verdict = wording.VERDICT_WORDS[control.verdict]
    head = Table.grid(padding=(0, 1))
    for width in (7, 7, None):
        head.add_column(width=width)
    title = Text.assemble(wording.one_line(control.title), (f"  {wording.one_line(control.severity)}", "dim"))
    head.add_row(Text(verdict, style=STYLES[control.verdict]), Text(wording.one_line(control.id), style="bold"), title)
    lines: list[RenderableType] = [head]
    said = [Text(wording.one_line(control.reason))] if control.reason else []
    for finding in control.findings[:MOST_FINDINGS]:
        where = f"{finding.file}:{finding.line}: " if finding.file and finding.line else f"{finding.file or ''} "
        said.append(Text(wording.one_line(f"{where}{finding.object}: {finding.message}")))
    if (more := len(control.findings) - MOST_FINDINGS) > 0:
        said.append(Text(f"and {more:,} more", style="dim"))
    if control.verdict is Verdict.FAIL and control.remedy:
        said.append(Text(f"→ {wording.one_line(control.remedy)}", style="dim"))
    return lines + [Padding(line, (0, 0, 0, 16)) for line in said]


def _experiments(experiments: list[Experiment]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Fault", "", "Target", "Verdict", "Longest outage"):
        table.add_column(column, overflow="fold")
    for e in experiments:
        said = e.reason if e.verdict is Verdict.UNKNOWN and e.reason else wording.against_budget(e)
        table.add_row(
            Text(wording.one_line(e.fault)),
            Text(wording.one_line(e.title or e.name) + (" (simulated)" if e.simulated else "")),
            Text(wording.one_line(e.target)),
            Text(wording.VERDICT_WORDS[e.verdict], style=STYLES[e.verdict]),
            Text(wording.one_line(said)),
        )
    return table
