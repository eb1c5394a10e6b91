"""How soon the lab recovers with Kubernetes' own timings and with tuned ones, as one page. Needs root, and no lab up.

    .venv/bin/python benchmarks/timings.py > docs/recovery-times.md
    .venv/bin/python benchmarks/timings.py --only F-01,F-12    # a few of the faults; page to standard output
    .venv/bin/python benchmarks/timings.py --of DIR DIR        # of two runs there are: `evenkeel run --timings …`

Each timing gets a lab of its own and the same faults in the same order; both runs are kept as run.json, so that
`evenkeel report compare` shows them again. Takes 15 to 20 minutes: with the defaults a dead node's pods are replaced
only after 40 to 50 s of grace and 300 s of toleration, and that is waited for.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from experiments import runner
from experiments.trial import extension
from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import start, state, stop
from fixtures.clusters.lab.lab import Lab
from fixtures.clusters.lab.layout import Topology
from fixtures.clusters.lab.supply import prepare
from fixtures.profiles import profile as profiles
from fixtures.snapshot import reach
from reports import compared, runs
from reports.comparison import compare
from reports.model import Cluster, Experiment, Profile, Run, State, Tool, timestamp

TIMINGS = ("default", "fast")
FAULTS = (
    ("pod-kill", "kill"),
    ("container-kill", ""),
    ("api-server-kill", ""),
    ("controller-manager-kill", "controller-manager"),
    ("controller-manager-kill", "scheduler"),
    ("coredns-kill", "one"),
    ("coredns-kill", "all"),
    ("etcd-member-kill", "leader"),
    ("partition", "worker"),
    ("partition", "leader"),
    ("master-power-cut", "leader"),
    ("kubelet-stop", "kubelet"),
    ("node-power-cut", ""),
)
"""Experiments and what they are aimed at, the quick ones first."""

PAGE = """\
# Recovery times: Kubernetes' defaults against tuned ones

Made by `benchmarks/timings.py` from two runs in the lab that ended {when}: {machine}. The clock is the prober's
(decision [0008](decisions/0008-the-prober-is-the-clock.md)); times are seconds since the fault was injected. *default*
sets nothing, *fast* is `fixtures/clusters/lab/timings.py`, where each value says what it is traded against. What is
**bold** exceeds what the lab's profile allows. Under *where the time went*: who *detected* the fault first, who *acted*
first, what was *recovered* last.

"""


def main() -> int:
    """Exit code 1 when the tuned lab missed a budget, 4 when nothing could be begun."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="IDS", default="", help="ids of faults, separated by commas")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where the runs are kept; as `evenkeel run` otherwise")
    parser.add_argument(
        "--of", nargs=2, type=Path, metavar=("DEFAULT", "FAST"), help="directories of two runs there are"
    )
    given = parser.parse_args()
    if given.of:
        made = common([runs.read_run(runs.find_run_file(where)) for where in given.of])
    else:
        try:
            Lab.open()
        except ClusterError:
            pass
        else:
            print("a lab is up; take it down first: evenkeel lab down", file=sys.stderr)
            return 4
        logging.getLogger("chaostoolkit").setLevel(logging.CRITICAL + 1)
        chosen = list(_chosen(given.only.upper().split(",") if given.only else []))
        if not chosen:
            print(f"--only {given.only}: none of the compared faults; see `evenkeel chaos list`", file=sys.stderr)
            return 4
        made = [measured(timings, chosen, runs.new_run_directory(given.runs)) for timings in TIMINGS]
    comparison = compare(*made)
    when = max(run.finished or run.started for run in made)
    print(PAGE.format(when=when, machine=machine(now=not given.of)) + compared.markdown(comparison), end="")
    for side in (0, 1):
        say(compared.summary(comparison, side))
    return int(bool(comparison.missed(TIMINGS.index("fast"))))


def common(made: Sequence[Run]) -> list[Run]:
    """The runs without what only one of them broke. Raises `SystemExit` when their timings are not the page's."""
    if tuple(run.timings for run in made) != TIMINGS:
        raise SystemExit(f"--of: the timings of these runs are {[run.timings for run in made]}, not {list(TIMINGS)}")
    names = [{one.name for one in run.experiments} for run in made]
    for run in made:
        run.experiments = [one for one in run.experiments if all(one.name in there for there in names)]
    return list(made)


def measured(timings: str, chosen: Sequence[tuple[str, str]], directory: Path) -> Run:
    """One lab, every fault, one run.json."""
    with lab(timings) as found:
        settings = runner.settings_for(found, allow_disruption=True, run_directory=str(directory))
        profile = profiles.load(settings.profile_name)
        run = Run(
            id=directory.name,
            started=timestamp(),
            tool=Tool(),
            cluster=msgspec.convert(reach.facts(found, reach.client(found)), Cluster),
            profile=Profile(name=profile.name, values=profile.model_dump(mode="json")),
            timings=timings,
        )
        try:
            for name, target in chosen:
                began = time.monotonic()
                result = runner.run(name, settings, target)
                run.experiments.append(msgspec.convert(result.as_dict(), Experiment))
                runs.write_run(run, directory)
                say(f"{timings}: {result.fault} {name} {target}: {result.verdict}, {time.monotonic() - began:.0f} s")
        finally:
            runner.leave(settings)
    run.state, run.finished = State.FINISHED, timestamp()
    run.summarize()
    say(f"{timings}: {runs.write_run(run, directory)}")
    return run


@contextmanager
def lab(timings: str) -> Iterator[Lab]:
    """A lab of three and three with these timings, for as long as the block lasts."""
    home = state.home()
    start.up(home, Topology(timings=timings), prepare(say), lambda _: None)
    try:
        yield Lab.open()
    finally:
        stop.down(home)


def _chosen(only: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, target in FAULTS:
        faults = extension(runner.load(name))["faults"]
        if not only or any(fault in only for fault in faults):
            yield name, target


def machine(*, now: bool) -> str:
    """What it ran on; `now`: with how busy it was until just now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in cpus if line.startswith("model name")),
        platform.machine(),
    )
    load = f"; load average at the end {', '.join(f'{one:.1f}' for one in os.getloadavg())}" if now else ""
    system = f"Linux {platform.release().partition('-')[0]}"
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, {system}{load}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
