"""Record a control of recovery failing in a lab whose set-up is broken, for recorded/.

python -m tests.recovery.record REC-10 tests/recovery/recorded/REC-10-default-timings.json \\
    --made "evenkeel lab up --timings default" --says "another kube-controller-manager leads"
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from experiments import runner
from experiments.result import Result
from fixtures.clusters.lab.lab import Lab
from fixtures.profiles import profile as profiles
from tests.lab.bad_subjects import Subject, deployed
from tests.recovery.seen_failing import Recording, judged, reasons


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("control")
    parser.add_argument("file", type=Path)
    parser.add_argument("--made", required=True, help="which set-up was broken, and how")
    parser.add_argument("--says", required=True, action="append", help="what the findings must contain")
    parser.add_argument("--profile", default="lab")
    parser.add_argument("--app", default="reference/web")
    parser.add_argument("--app-url", default="")
    parser.add_argument("--together-on", metavar="NODE", help="aim at two replicas that both prefer this node")
    given = parser.parse_args()
    lab = Lab.open()
    with ExitStack() as stack:
        if given.together_on:
            subject = stack.enter_context(deployed(lab, Subject(node=given.together_on, start_s=8)))
            given.app, given.app_url = subject.app, subject.app_url
        return record(lab, given)


def record(lab: Lab, given: argparse.Namespace) -> int:
    """Exit code 0 when the control failed for the reason given."""
    settings = runner.settings_for(
        lab, profile=given.profile, allow_disruption=True, app=given.app, app_url=given.app_url
    )
    kept: list[Result] = []

    def run(name: str, target: str = "") -> Result:
        result = runner.run(name, settings, target)
        kept.append(small(result))
        return result

    try:
        outcome = judged(given.control, run, profiles.load(given.profile))
    finally:
        runner.leave(settings)
    said = reasons(outcome)
    print(f"{given.control} {outcome.verdict}: {said or outcome.reason}", file=sys.stderr)  # noqa: T201
    nodes = lab.nodes()
    masters = sum(n.role == "control-plane" for n in nodes)
    recording = Recording(
        control=given.control,
        made=given.made,
        cluster=f"{masters} control plane(s) + {len(nodes) - masters} worker(s), {lab.timings} timings",
        when=datetime.now(UTC).date().isoformat(),
        says=given.says,
        results=kept,
    )
    given.file.write_bytes(msgspec.json.format(msgspec.json.encode(recording), indent=1) + b"\n")
    return 0 if outcome.verdict == "fail" and all(text in said for text in given.says) else 1


def small(result: Result) -> Result:
    """Without what no control looks at: every probe's bucket, and windows beyond the longest."""
    targets = [
        msgspec.structs.replace(
            target, timeline=[], samples=None, windows=sorted(target.windows, key=lambda w: -w.duration_s)[:1]
        )
        for target in result.targets
    ]
    return msgspec.structs.replace(result, targets=targets)


if __name__ == "__main__":
    sys.exit(main())
