"""A load test's result as a person at a terminal reads it."""

from __future__ import annotations

from experiments.loads.result import Result, explain


def result_text(result: Result) -> str:
    """A line a figure, a line a moment."""
    variant = f" ({result.variant})" if result.variant else ""
    lines = [
        f"{result.verdict.upper():8} {' '.join(result.controls)} {result.name}{variant}: {result.title}",
        f"  {result.reason}",
    ]
    for figure in result.figures:
        sign = figure.verdict if figure.budget is not None else "seen"
        lines.append(f"  {sign:8} {figure.control} {explain(figure)}")
    lines += [f"  {m.t_s:+8.2f} s {m.kind}: {m.what}" for m in result.moments]
    for one in result.series:
        if one.traffic is None:
            continue
        use = one.generator
        lines.append(
            f"  {one.name}: locust {one.traffic.user}, {use.achieved:g} of {use.asked:g} requests a second; "
            f"it used up to {use.cpu:.2f} cores and was late in {use.limited} of {use.seconds} s"
        )
    return "\n".join(lines)
