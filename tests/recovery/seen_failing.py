"""Controls of recovery that were seen to fail, for the right reason: in the lab, on subjects that are bad on purpose.

`@seen_failing("REC-01")` marks a lab test that shows it anew each time. What would take too long is recorded: a real
run's results, kept under recorded/ (made by `record.py`) and judged again by the control as it is today.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from experiments.measured import Measured
from experiments.result import NOT_APPLICABLE, Result
from fixtures import catalogue, verdict
from fixtures.clusters.cluster import Capability
from fixtures.expect import NotApplicable
from fixtures.profiles import profile as profiles
from fixtures.profiles.profile import Profile
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import Outcome

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"
LAB_TESTS = HERE.parent / "lab"
MARK = "seen_failing"

Run = Callable[..., Result]

ABLE = SimpleNamespace(capabilities=frozenset(Capability), why_not=lambda _: "")
"""What controls ask of a cluster before they choose targets: here they ask for all that they have."""


class Recording(msgspec.Struct, kw_only=True):
    """A real run with a broken set-up."""

    control: str
    made: str  # how: which set-up was broken, in words that allow doing it again
    cluster: str  # its shape and timings
    when: str
    says: list[str]  # parts of messages that the findings must contain: the right reason
    profile: str = "lab"
    results: list[Result] = []


def seen_failing(*controls: str) -> pytest.MarkDecorator:
    """Marks a lab test that sees these controls fail."""
    return pytest.mark.seen_failing(*controls)


def recordings() -> dict[str, Recording]:
    """By the name of their file."""
    return {p.stem: msgspec.json.decode(p.read_bytes(), type=Recording) for p in sorted(RECORDED.glob("*.json"))}


def in_the_lab() -> Iterator[str]:
    """The ids that lab tests are marked with."""
    for path in sorted(LAB_TESTS.glob("test_*.py")):
        module = importlib.import_module(f"tests.lab.{path.stem}")
        for value in vars(module).values():
            for mark in getattr(value, "pytestmark", ()) if callable(value) else ():
                if mark.name == MARK:
                    yield from mark.args


def judged(control: str, run: Run, profile: Profile, before: Sequence[Result] = ()) -> Outcome:
    """A control's verdict on what `run(name, target)` measures; those about all experiments of a run get `before`."""

    def measured(name: str, target: str = "") -> Measured:
        result = run(name, target)
        if result.verdict == NOT_APPLICABLE:
            raise NotApplicable(result.reason)
        return Measured(result)

    given: Mapping[str, Callable[[], Any]] = {
        "run": lambda: measured,
        "profile": lambda: profile,
        "experiments": lambda: [Measured(one) for one in before],
        "cluster": lambda: ABLE,
    }
    return verdict.judge(catalogue.controls()[control], Snapshot({}, source="live"), given)


def judged_again(recording: Recording) -> Outcome:
    """A recording, by the control as it is today. Experiments are handed out in the order they were made."""
    waiting = list(recording.results)

    def run(name: str, target: str = "") -> Result:
        found = next((one for one in waiting if one.name == name), None)
        if found is None:
            pytest.fail(f"{recording.control} now runs {name} {target}, which was not recorded: record it again")
        waiting.remove(found)
        return found

    return judged(recording.control, run, profiles.load(recording.profile), recording.results)


def reasons(outcome: Outcome) -> str:
    """All that was found, in one text."""
    return " | ".join(f"{finding.object}: {finding.message}" for finding in outcome.open)
