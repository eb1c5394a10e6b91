"""Whether a run that dies leaves anything behind: SIGKILL at moments of chance, across faults, on the lab that is up.

    python benchmarks/kills.py [--kills 50] [--seed 1] [--within 15] [--only pod-kill partition:halves]

Every experiment is started as a user starts it and killed: one in five before its fault, the others up to 12 s after
its fault was written into the undo journal. Then the lab must be as it was: every node, control-plane pod and replica
Ready, no service or process stopped, no queueing discipline, rule, cordon, taint or object more or less than before.
Seconds are counted from the kill; namespaces that are being deleted have 120 of them to be gone. Prints a table; exit
code 1 when something was left, or took longer than `--within`, or than the lab's profile grants the cluster itself to
come back from that fault (`return` and `*` in its budgets): where all six nodes were without power, or no API server
was left, undoing it is only where the cluster's work begins.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import runner  # noqa: E402
from experiments.faults import catalogue  # noqa: E402
from experiments.trial import extension  # noqa: E402
from fixtures.clusters.lab.lab import Lab  # noqa: E402
from fixtures.profiles import profile as profiles  # noqa: E402
from tests.lab import killing  # noqa: E402
from tests.lab.killing import Kill  # noqa: E402


def targets(lab: Lab, only: list[str]) -> list[tuple[str, str]]:
    """Every experiment that this lab can do, with each of its targets."""
    found = []
    for name in runner.names():
        faults = [catalogue.fault(id_) for id_ in extension(runner.load(name)).get("faults") or ()]
        if any(fault.needs - lab.capabilities for fault in faults):
            continue
        first = faults[0]
        found += [
            (name, target)
            for target in first.targets
            if not first.also_needs.get(target, frozenset()) - lab.capabilities
            and (not only or name in only or f"{name}:{target}" in only)
        ]
    return found


def allowed(name: str, within_s: float) -> float:
    """Seconds for an experiment: what was asked for, or the cluster's own budget for its faults, if that is longer."""
    budgets = profiles.load("lab").budgets
    faults = extension(runner.load(name)).get("faults") or ()
    return max([within_s, *(budgets.get(fault, {}).get(key, 0.0) for fault in faults for key in ("return", "*"))])


def row(number: int, kill: Kill, within_s: float, least_s: float) -> str:
    undone, seconds, gone = (
        "never" if at is None else f"{at:.1f}" for at in (kill.undone_s, kill.healthy_s, kill.gone_s)
    )
    what = "; ".join(kill.undone) or ("had ended" if kill.ended else "nothing to undo")
    if kill.good(least_s):
        verdict = "ok"
    elif kill.good(within_s):
        verdict = f"ok, allowed {within_s:.0f} s; last amiss: {'; '.join(kill.last[:2])}"
    else:
        verdict = f"LATE: {'; '.join((kill.left or kill.last)[:4])}"
    return f"| {number} | {kill.plan} | {undone} | {seconds} | {gone} | {what} | {verdict} |"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--within", type=float, default=15.0, help="seconds from the kill to a healthy lab")
    options.add_argument("--minutes", type=float, default=0.0, help="begin no further kill after so long; 0: all")
    options.add_argument("--only", nargs="*", default=[], help="names of experiments, or NAME:TARGET")
    asked = options.parse_args()
    lab = Lab.open()
    began = time.monotonic()
    kills: list[tuple[Kill, float]] = []  # each with the seconds it is allowed
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, seed {asked.seed}, {len(lab.nodes())} nodes\n")
    print("| | killed | undone s | healthy s | all gone s | what was undone | |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="evenkeel-kills-") as folder:
        for number, plan in enumerate(killing.plans(asked.kills, asked.seed, targets(lab, asked.only)), 1):
            if asked.minutes and time.monotonic() - began > asked.minutes * 60:
                break
            before = killing.steady(lab)
            within_s = allowed(plan.experiment, asked.within)
            kill = killing.kill(lab, plan, Path(folder) / str(number), before)
            kills.append((kill, within_s))
            print(row(number, kill, within_s, asked.within), flush=True)
    quick = sum(kill.good(asked.within) for kill, _ in kills)
    good = sum(kill.good(within_s) for kill, within_s in kills)
    print(f"\n{quick} of {len(kills)} healthy within {asked.within:g} s, {good} within what they are allowed")
    return 0 if good == len(kills) else 1


if __name__ == "__main__":
    raise SystemExit(main())
