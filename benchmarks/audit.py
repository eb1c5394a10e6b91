"""What an audit costs, from 100 to 5,000 services, beside the least that it could and beside other tools.

    python benchmarks/audit.py [--services 100 1000 5000] [--times 3] [--kube-score FILE]
                               [--live 1000 5000] [--popeye FILE]

The corpora are made up (benchmarks/corpus.py, benchmarks/shown.py). Manifests are a directory of one file a service.
A cluster is a replay server that answers LISTs (benchmarks/replay.py), so that any size can be measured anywhere;
with `--live` it is a real API server (benchmarks/apiserver.py) in which every object is made through the API. Each
figure is the cheapest of `--times` runs, a peer's of one. Prints Markdown, as in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import apiserver, corpus, populate, replay  # noqa: E402
from benchmarks.measure import Cost, best  # noqa: E402

EVENKEEL = Path(sys.executable).with_name("evenkeel")
FLOOR: list[str | Path] = [sys.executable, str(ROOT / "benchmarks" / "floor.py")]
EXAMPLE = ROOT / "examples" / "four-layers"


def audited(*options: str, times: int) -> Cost:
    return best([EVENKEEL, "audit", *options, "--output", "json"], times)


def row(subject: str, who: str, cost: Cost, floor: Cost | None) -> None:
    ratio = f"{cost.cpu_s / floor.cpu_s:.2f}" if floor else ""
    numbers = f"{cost.wall_s:.2f} | {cost.cpu_s:.2f} | {ratio} | {cost.memory_mib:.0f}"
    print(f"| {subject} | {who} | {numbers} |", flush=True)


def heading() -> None:
    print("| what | who | wall s | CPU s | CPU ÷ floor | peak MiB |\n| --- | --- | --- | --- | --- | --- |", flush=True)


def of_manifests(services: int, times: int, kube_score: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="evenkeel-corpus-") as folder:
        documents, size = corpus.write(Path(folder), services)
        subject = f"{services:,} services: {documents:,} documents, {size / 1e6:.1f} MB"
        floor = best([*FLOOR, "manifests", folder], times)
        row(subject, "floor", floor, floor)
        row(subject, "evenkeel", audited("--manifests", folder, times=times), floor)
        if kube_score:
            files = sorted(str(path) for path in Path(folder).rglob("*.yaml"))
            row(subject, "kube-score", best([kube_score, "score", "--output-format", "ci", *files], 1), floor)


@contextmanager
def kubeconfig(address: str) -> Iterator[str]:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "replay",
        "clusters": [{"name": "replay", "cluster": {"server": address}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "replay", "context": {"cluster": "replay", "user": "nobody"}}],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(content, file)
        file.flush()
        yield file.name


def of_replay(services: int, times: int) -> None:
    pods = sum(corpus.replicas(number) for number in range(services))
    with replay.serving(services) as (address, size), kubeconfig(address) as file:
        subject = f"{services:,} services, {pods:,} pods: {size / 1e6:.0f} MB of LISTs"
        floor = best([*FLOOR, "cluster", address], times)
        row(subject, "floor", floor, floor)
        row(subject, "evenkeel", audited("--kubeconfig", file, "--profile", "managed", times=times), floor)


def of_server(services: int, times: int, popeye: str | None) -> None:
    with apiserver.running() as server:
        pods = populate.populate(server, services)
        told = sum(populate.size(server)) / 1e6
        subject = f"{services:,} services, {pods:,} pods in a real API server: {told:.0f} MB of LISTs"
        floor = best([*FLOOR, "cluster", server.address, server.token, server.authority], times)
        row(subject, "floor", floor, floor)
        options = ("--kubeconfig", str(server.kubeconfig), "--profile", "managed")
        row(subject, "evenkeel", audited(*options, times=times), floor)
        if popeye:
            asked = ["--kubeconfig", server.kubeconfig, "--all-namespaces", "--out", "json", "--force-exit-zero"]
            row(subject, "popeye", best([popeye, *asked], 1), floor)


def machine() -> str:
    name = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    processors = len(os.sched_getaffinity(0))
    return f"{processors} × {name}, {memory:.0f} GiB, Python {platform.python_version()}; load average before: {load}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--services", type=int, nargs="*", default=[100, 1000, 5000])
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--kube-score", default=shutil.which("kube-score"), help="its binary; left out without")
    options.add_argument("--live", type=int, nargs="*", default=[], help="services to make in a real API server")
    options.add_argument("--popeye", default=shutil.which("popeye"), help="its binary; left out without")
    asked = options.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    heading()
    row("examples/four-layers", "evenkeel", audited("--manifests", str(EXAMPLE), times=asked.times), None)
    for services in asked.services:
        of_manifests(services, asked.times, asked.kube_score)
    for services in asked.services:
        of_replay(services, asked.times)
    for services in asked.live:
        of_server(services, asked.times, asked.popeye)


if __name__ == "__main__":
    main()
