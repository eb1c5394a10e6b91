"""Record a control of recovery failing in a lab whose set-up is broken, for recorded/.

python -m tests.recovery.record REC-13 tests/recovery/recorded/REC-13-one-server.json \\
    --broken front-knows-the-leader-only --says "api-read: longest outage"

--made says what was done to the lab before, when that is what is broken: "evenkeel lab up --timings default".

With --from RUN.JSON nothing is run: the control judges that run's experiments again, and those it asked for are kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from experiments import runner
from experiments.result import Result
from fixtures.clusters.lab.lab import Lab
from fixtures.profiles import profile as profiles
from tests.lab.killing import steady
from tests.recovery.broken import SETUPS
from tests.recovery.seen_failing import Recording, Run, judged, reasons


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("control")
    parser.add_argument("file", type=Path)
    parser.add_argument("--made", default="evenkeel lab up", help="how the lab was made")
    parser.add_argument("--broken", choices=sorted(SETUPS), help="break this first, and mend it afterwards")
    parser.add_argument("--says", required=True, action="append", help="what the findings must contain")
    parser.add_argument("--profile", default="lab")
    parser.add_argument("--app", default="reference/web")
    parser.add_argument("--app-url", default="")
    parser.add_argument(
        "--from", dest="run", type=Path, metavar="RUN.JSON", help="a run that failed, instead of one now"
    )
    given = parser.parse_args()
    if given.run:
        return again(given)
    lab = Lab.open()
    with ExitStack() as stack:
        if given.broken:
            given.made = f"{given.made}; tests.recovery.record --broken {given.broken}"
            subject = stack.enter_context(SETUPS[given.broken](lab))
            if subject is not None:
                given.app, given.app_url = subject.app, subject.app_url
        steady(lab)
        return record(lab, given)


def record(lab: Lab, given: argparse.Namespace) -> int:
    """Exit code 0 when the control failed for the reason given."""
    settings = runner.settings_for(
        lab, profile=given.profile, allow_disruption=True, app=given.app, app_url=given.app_url
    )
    try:
        return keep(
            given,
            lambda name, target="": runner.run(name, settings, target),
            shape([n.role for n in lab.nodes()], lab.timings),
            datetime.now(UTC).date().isoformat(),
        )
    finally:
        runner.leave(settings)


def again(given: argparse.Namespace) -> int:
    """The same, of a run that has ended."""
    made = msgspec.json.decode(given.run.read_bytes())
    waiting = msgspec.convert(made["experiments"], list[Result])
    cluster = shape([node["role"] for node in made["cluster"]["nodes"]], made["timings"])

    def run(name: str, target: str = "") -> Result:
        found = next(one for one in waiting if one.name == name)
        waiting.remove(found)
        return found

    return keep(given, run, cluster, made["started"][:10], list(waiting))


def shape(roles: Sequence[str], timings: str) -> str:
    """A lab in a few words."""
    masters = sum(role == "control-plane" for role in roles)
    return f"{masters} control plane(s) + {len(roles) - masters} worker(s), {timings} timings"


def keep(given: argparse.Namespace, run: Run, cluster: str, when: str, before: Sequence[Result] = ()) -> int:
    """Let the control judge what `run` measures, and write down what it asked for."""
    kept: list[Result] = []

    def kept_run(name: str, target: str = "") -> Result:
        result = run(name, target)
        kept.append(small(result))
        return result

    outcome = judged(given.control, kept_run, profiles.load(given.profile), before)
    said = reasons(outcome)
    print(f"{given.control} {outcome.verdict}: {said or outcome.reason}", file=sys.stderr)  # noqa: T201
    recording = Recording(
        control=given.control, made=given.made, cluster=cluster, when=when, says=given.says, results=kept
    )
    given.file.parent.mkdir(exist_ok=True)
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
