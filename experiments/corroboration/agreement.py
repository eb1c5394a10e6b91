"""Whether Prometheus and the prober tell the same story. Where they don't, both are said, and the prober's counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.result import NOT_APPLICABLE, PASS, UNKNOWN, Check, Statement, Target

NAME = "prometheus-agrees"


def judge(
    statements: Sequence[Statement], kinds: Mapping[str, str], targets: Sequence[Target], healthy_s: float | None
) -> Check:
    """`kinds`: by statement, the kind of target whose requests it counts; `healthy_s`: since the injection. Pure."""
    compared, apart = 0, []
    for one in statements:
        if one.resolution_s is None:
            continue
        of = [t for t in targets if t.kind == kinds.get(one.name)]
        if of:
            compared += 1
            apart += _errors(one, of)
        elif one.back_s is not None and healthy_s is not None and one.name not in kinds:
            compared += 1
            if one.back_s - one.resolution_s > healthy_s:
                apart.append(
                    f"{one.name}: the cluster's API showed everything healthy at {healthy_s:+.1f} s, "
                    f"Prometheus at {one.back_s:+.1f} s ± {one.resolution_s:.1f}"
                )
    if apart:
        return Check(name=NAME, verdict=UNKNOWN, message="; ".join(apart), judged=False)
    if not compared:
        return Check(name=NAME, verdict=NOT_APPLICABLE, message="nothing that both can see", judged=False)
    return Check(name=NAME, verdict=PASS, message=f"in all {compared} that both can see", judged=False)


def _errors(one: Statement, of: Sequence[Target]) -> list[str]:
    """An outage that Prometheus should have seen and did not, or failures that no probe met."""
    assert one.resolution_s is not None
    worst = max(of, key=lambda t: t.longest_outage_s)
    failed, sent = sum(t.failed for t in of), sum(t.requests for t in of)
    seen = one.lost_s is not None
    figures = (
        f"{one.name}: {failed} of {sent} probes failed, longest outage {worst.longest_outage_s:.2f} s "
        f"± {worst.error_bar_s:.2f}; Prometheus: {one.message}"
    )
    if worst.longest_outage_s - worst.error_bar_s > one.resolution_s and not seen:
        return [figures]
    return [figures] if seen and not failed else []
