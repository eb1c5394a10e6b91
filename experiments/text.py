"""Results and plans as a person at a terminal reads them."""

from __future__ import annotations

from experiments.result import Result
from experiments.runner import Plan


def result_text(result: Result) -> str:
    """One experiment in a dozen lines."""
    lines = [f"{result.verdict.upper():8} {result.fault} {result.name}: {result.target}", f"  {result.reason}"]
    if result.proof.what:
        lines.append(f"  {'proven' if result.proof.proven else 'NOT proven'}:")
        lines += [
            f"    {what}: {value} -> {(result.proof.after or {}).get(what)}"
            for what, value in (result.proof.before or {}).items()
        ]
    for target in result.targets:
        budget = "watched" if target.budget_s is None else f"budget {target.budget_s:g} s"
        during = target.latency.during
        slowest = "" if during.max_s is None else f", p99 {during.p99_s or 0:.3f} s, max {during.max_s:.3f} s"
        lines.append(
            f"  {target.verdict:8} {target.name:16} out {target.longest_outage_s:.2f} s ± {target.error_bar_s:.2f}"
            f" ({budget}), {target.failed}/{target.requests} failed{slowest}"
        )
    lines += [f"  {c.verdict:8} {c.name}: {c.message}" for c in result.checks if c.judged]
    lines += [f"  {'not judged':8} {c.name}: {c.verdict}, {c.message}" for c in result.checks if not c.judged]
    lines += [f"  {s.verdict:8} Prometheus, {s.name}: {s.message}" for s in result.corroboration.statements]
    lines += [f"  {p.since_injection_s:+8.2f} s {p.kind}: {p.what}" for p in result.phases]
    return "\n".join(lines)


def plan_text(plan: Plan) -> str:
    """What would be done, and what speaks against it."""
    lines = [f"{plan.fault} {plan.name}: would {plan.would}" if plan.would else f"{plan.fault} {plan.name}: can't run"]
    if plan.undo:
        lines.append(f"  way back: {plan.undo}")
    lines += [f"  refused: {refusal}" for refusal in plan.refusals]
    return "\n".join(lines)
