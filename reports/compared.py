"""A comparison as text, Markdown or JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from reports.comparison import Comparison, Fault, Figure, Row
from reports.markdown import escaped
from reports.model import Verdict
from reports.wording import clock, count, duration, printable

HEADINGS = {"outage": "Longest outage", "time": "Must happen in time", "step": "Where the time went"}


def text(comparison: Comparison) -> str:
    """For a terminal: columns padded with spaces."""
    return "\n".join(_blocks(comparison, _plain_table, printable, str, "{}", "{}"))


def markdown(comparison: Comparison) -> str:
    """GitHub-flavoured."""
    return "\n\n".join(_blocks(comparison, _markdown_table, escaped, _bold, "## {}", "### {}")) + "\n"


def as_json(comparison: Comparison) -> str:
    """The comparison itself."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=1).decode() + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {"text": text, "markdown": markdown, "json": as_json}

Table = Callable[[Sequence[str], Sequence[Sequence[str]], int], str]
"""Of a head, its rows, and how many columns hold text, which begins at the left."""


def _blocks(
    comparison: Comparison, table: Table, said: Callable[[str], str], strong: Callable[[str], str], h2: str, h3: str
) -> list[str]:
    one, other = map(said, comparison.labels)
    runs = zip((one, other), comparison.runs, comparison.started, strict=True)
    blocks = [" ".join(f"{label}: run {run}, {clock(started)}." for label, run, started in runs)]
    blocks += [summary(comparison, side, said) for side in (0, 1)]
    if beyond := comparison.beyond():
        blocks.append(h2.format(f"Longer than {duration(comparison.budget_s)}"))
        rows = [
            [said(fault.fault), said(row.what), *(_beyond(f, comparison.budget_s or 0.0, strong) for f in row.figures)]
            for fault, row in beyond
        ]
        blocks.append(table(["Fault", "What", one, other], rows, 2))
    blocks.append(h2.format("Fault by fault"))
    for fault in comparison.faults:
        blocks.append(h3.format(_title(fault, comparison, said)))
        for kind, heading in HEADINGS.items():
            rows = [_cells(row, said, strong) for row in fault.rows if row.kind == kind]
            if rows:
                head = [heading, one, other] if kind == "step" else [heading, "allowed", one, other]
                blocks.append(table(head, [row if kind != "step" else [row[0], *row[2:]] for row in rows], 1))
    return blocks


def summary(comparison: Comparison, side: int, said: Callable[[str], str] = printable) -> str:
    """Which budgets one of the runs missed, and by how much."""
    label, judged, missed = said(comparison.labels[side]), comparison.judged(side), comparison.missed(side)
    if not judged:
        return f"{label}: no budget was judged."
    if not missed:
        return f"{label} meets all of its {count(judged, 'budget')}."
    told = [f"{said(fault.fault)} {said(row.what)} ({_over(row.figures[side], row.budget_s)})" for fault, row in missed]
    return f"{label} misses {len(missed)} of {count(judged, 'budget')}: {'; '.join(told)}."


def _over(figure: Figure, budget: float | None) -> str:
    if figure.seconds is None or budget is None:
        return figure.missing or "not seen"
    return f"{duration(figure.seconds)}, by {duration(figure.seconds - budget)}"


def _title(fault: Fault, comparison: Comparison, said: Callable[[str], str]) -> str:
    verdicts = ", ".join(
        f"{said(label)} {verdict.value if verdict else 'not run'}"
        for label, verdict in zip(comparison.labels, fault.verdicts, strict=True)
    )
    return f"{said(fault.fault)} {said(fault.title)} ({verdicts})"


def _cells(row: Row, said: Callable[[str], str], strong: Callable[[str], str]) -> list[str]:
    allowed = "–" if row.budget_s is None else duration(row.budget_s)
    return [said(row.what), allowed, *(_cell(figure, strong) for figure in row.figures)]


def _cell(figure: Figure, strong: Callable[[str], str]) -> str:
    if figure.seconds is None:
        told = figure.missing or "–"
    else:
        told = duration(figure.seconds) + (
            f" ± {duration(figure.error_s)}" if figure.error_s and figure.seconds else ""
        )
    return strong(told) if figure.verdict is Verdict.FAIL else told


def _beyond(figure: Figure, limit: float, strong: Callable[[str], str]) -> str:
    if figure.seconds is None:
        return figure.missing or "–"
    more = figure.seconds - limit
    told = duration(figure.seconds)
    return strong(f"{told} (+{duration(more)})") if more > figure.error_s else told


def _bold(told: str) -> str:
    return f"**{told}**"


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    lines = [head, ["---"] * left + ["--:"] * (len(head) - left), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _plain_table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in [head, *rows]:
        cells = [
            cell.ljust(width) if n < left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
