"""The summary for a CI job's page: GitHub-flavoured Markdown, short, with everything that did not pass."""

from __future__ import annotations

import re

from reports import wording
from reports.model import Control, Experiment, Run, Tally, Verdict

SIGNS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.UNKNOWN: "❔",
    Verdict.WAIVED: "☑️",
    Verdict.NOT_APPLICABLE: "➖",
}
MOST_FINDINGS = 20

# Markup, mentions, references to issues, emoji, formulas; then bare addresses, which become links by themselves.
_ACTIVE = re.compile(r"[\\`*_\[\]<>#|~&@$]|:(?=//|\w+:)|(?<=www)\.", re.IGNORECASE)


def render(run: Run) -> str:
    """The page. Every name is escaped: none becomes a link, a mention or markup."""
    blocks = [f"## {SIGNS[run.summary.verdict]} {wording.headline(run)}", _header(run)]
    if run.problems:
        blocks.append("\n".join(f"- {escaped(problem)}" for problem in run.problems[:MOST_FINDINGS]))
    if run.controls:
        blocks.append(_layers(run))
    if run.experiments:
        blocks.append(_experiments(run.experiments))
    wrong = sorted((c for c in run.controls if c.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), key=wording.worst_first)
    blocks += [_control(control) for control in wrong]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Text as Markdown that shows exactly this text, on one line."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", wording.one_line(text))


def _header(run: Run) -> str:
    cluster = run.cluster
    facts = [
        ("Cluster", " ".join(filter(None, [cluster.name, cluster.distribution, cluster.version]))),
        ("Nodes", str(len(cluster.nodes)) if cluster.nodes else ""),
        ("Profile", run.profile.name),
        ("Timings", run.timings),
        ("Started", wording.clock(run.started)),
        ("Run", run.id),
    ]
    return " · ".join(f"**{name}** {escaped(value)}" for name, value in facts if value)


def _table(head: list[str], align: list[str], rows: list[list[str]]) -> str:
    lines = [head, align, *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _layers(run: Run) -> str:
    names = [name for name in wording.LAYERS if any(c.layer == name for c in run.controls)]
    names += sorted({c.layer for c in run.controls} - set(wording.LAYERS))
    rows = []
    for name in names:
        tally = Tally.of(c.verdict for c in run.controls if c.layer == name)
        rows.append([escaped(wording.layer(name)), *(str(tally.count(v) or "") for v in wording.VERDICTS)])
    return _table(["Layer", *(wording.VERDICT_WORDS[v] for v in wording.VERDICTS)], ["---"] + ["--:"] * 5, rows)


def _experiments(experiments: list[Experiment]) -> str:
    rows = [
        [
            SIGNS[e.verdict],
            escaped(e.fault),
            escaped(e.title or e.name) + (" (simulated)" if e.simulated else ""),
            escaped(e.target),
            escaped(e.reason if e.verdict is Verdict.UNKNOWN and e.reason else wording.against_budget(e)),
        ]
        for e in experiments
    ]
    return _table(["", "Fault", "What", "Target", "Longest outage"], ["---"] * 5, rows)


def _control(control: Control) -> str:
    lines = [f"### {SIGNS[control.verdict]} {escaped(control.id)} {escaped(control.title)}"]
    if control.reason:
        lines.append(escaped(control.reason))
    found = []
    for finding in control.findings[:MOST_FINDINGS]:
        where = f"{finding.file}:{finding.line}" if finding.file and finding.line else finding.file or ""
        place = f" ({escaped(where)})" if where else ""
        found.append(f"- {escaped(finding.object)}{place}: {escaped(finding.message)}")
    if (more := len(control.findings) - MOST_FINDINGS) > 0:
        found.append(f"- and {more:,} more, in the HTML report")
    if found:
        lines.append("\n".join(found))
    if control.remedy and control.verdict is Verdict.FAIL:
        lines.append(f"**Remedy:** {escaped(control.remedy)}")
    return "\n\n".join(lines)
