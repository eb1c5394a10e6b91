"""Fault after fault for as long as is wanted: which ones, chance says, and the same seed says the same again.

Only faults that declare it (`Fault.soaks`) are drawn: each leaves a quorum, and somebody who serves.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from experiments import runner
from experiments.faults.catalogue import fault as find
from experiments.result import Result
from experiments.trial import extension
from fixtures.clusters.cluster import Capability

TIME_IS_UP, INTERRUPTED, NOTHING = "time is up", "interrupted", "nothing to draw from"


class Pick(msgspec.Struct, frozen=True, order=True):
    """One experiment, aimed at one target."""

    fault: str
    experiment: str
    target: str

    def __str__(self) -> str:
        return f"{self.fault} {self.experiment} --target {self.target}"


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """The longest outage that any experiment saw of one kind of target."""

    seconds: float
    experiment: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a soak came to."""

    seed: int
    drawn_from: int  # picks there were
    ran: int
    verdicts: dict[str, int]
    worst: dict[str, Worst]  # by kind of target, those that have a budget
    not_passed: list[str]
    ended: str


def picks(capabilities: Collection[Capability]) -> list[Pick]:
    """Every fault that may soak, with each of its targets that a cluster can do; in order, so that a seed means the
    same wherever they are the same."""
    faults = [(find(str(f)), name) for name, one in runner.every().items() for f in extension(one).get("faults") or ()]
    return sorted(
        Pick(kind.id, name, target)
        for kind, name in faults
        if kind.soaks and not kind.exceeds
        for target in kind.targets
        if (kind.needs | kind.also_needs.get(target, frozenset())) <= set(capabilities)
    )


def drawn(seed: int, number: int, among: Sequence[Pick]) -> Pick:
    """The pick with this number: a function of the seed and of what there is, and of nothing else. Pure."""
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return among[int.from_bytes(digest, "big") % len(among)]


def soak(
    among: Sequence[Pick], seed: int, run: Callable[[Pick], Result], enough: Callable[[], str]
) -> tuple[list[Result], str]:
    """Pick after pick, until `enough` says why it is, or the cluster does not get well: then a further fault would be a
    second one. Returns the results and why it ended."""
    results: list[Result] = []
    while among:
        if reason := enough():
            return results, reason
        pick = drawn(seed, len(results), among)
        results.append(run(pick))
        if results[-1].injected is not None and results[-1].healthy is None:
            return results, f"the cluster did not get well after {pick}"
    return results, NOTHING


def reason(interrupted: bool, late: bool) -> str:
    """Why no further experiment may begin; empty when one may. Pure."""
    return INTERRUPTED if interrupted else TIME_IS_UP if late else ""


def summary(seed: int, among: Sequence[Pick], results: Sequence[Result], ended: str) -> Summary:
    """Pure."""
    worst: dict[str, Worst] = {}
    for result in results:
        for target in result.targets:
            known = worst.get(target.kind)
            if target.budget_s is not None and (known is None or target.longest_outage_s > known.seconds):
                worst[target.kind] = Worst(seconds=target.longest_outage_s, experiment=f"{result.fault} {result.name}")
    return Summary(
        seed=seed,
        drawn_from=len(among),
        ran=len(results),
        verdicts=dict(Counter(r.verdict for r in results)),
        worst=dict(sorted(worst.items())),
        not_passed=[f"{r.fault} {r.name}: {r.verdict}: {r.reason}" for r in results if r.verdict != "pass"],
        ended=ended,
    )


def text(of: Summary) -> str:
    """For a person at a terminal."""
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(of.verdicts.items())) or "none"
    lines = [f"soak with seed {of.seed}: {of.ran} experiments of {of.drawn_from} that may be drawn: {counted}"]
    lines += [f"  longest outage of {kind}: {w.seconds:.2f} s, in {w.experiment}" for kind, w in of.worst.items()]
    lines += [f"  {line}" for line in of.not_passed]
    return "\n".join([*lines, f"  ended: {of.ended}"])
