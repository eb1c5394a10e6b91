"""What an audit says of the lab, in a form that two of them can be compared in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from fixtures import catalogue, waivers
from fixtures.clusters.lab.api import Api
from fixtures.clusters.lab.lab import Lab
from fixtures.control import Control
from fixtures.nouns import NOUNS
from fixtures.profiles import profile as profiles
from fixtures.profiles.profile import Profile
from fixtures.session import LAB_WAIVERS
from fixtures.snapshot import live, reach
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import judge

AUDITS = ("system", "application", "access", "lifecycle")
Said = tuple[str, frozenset[str]]  # the verdict of a control, and the objects of its findings
Change = tuple[str, ...]  # the verdict now, the objects that were added to its findings, and -those that left them
Changes = Mapping[str, Change]

# The end of a generated name: the template's hash and five letters of Kubernetes' own alphabet.
_GENERATED = re.compile(r"(-[a-z0-9]{6,10})?-[bcdfghjklmnpqrstvwxz2456789]{5}$")
PAUSE_S = 0.3
CALM_S = 90.0
UNSTEADY = frozenset({"SYS-07", "SYS-13", "LCM-20"})
"""What the machine under the lab decides, or remembers: elections, the disk's latency, targets that were just away."""


def changes(before: Mapping[str, Said], now: Mapping[str, Said]) -> Changes:
    """Every control of which something else is said now."""
    found: dict[str, Change] = {}
    for control, (verdict, objects) in now.items():
        former, known = before[control]
        if (verdict, objects) != (former, known):
            found[control] = (verdict, *sorted(objects - known), *(f"-{name}" for name in sorted(known - objects)))
    return found


def _looks(control: Control) -> bool:
    """Whether it judges the cluster (rather than the run itself), and the same whenever nothing has changed."""
    of_the_run = "waivers" in signature(control.function).parameters
    return control.layer in AUDITS and not of_the_run and control.id not in UNSTEADY


class Eye:
    """Audits the lab, as `evenkeel audit --cluster lab` does, in this process."""

    def __init__(self, lab: Lab, profile: Profile) -> None:
        self.lab = lab
        self.api = Api(lab.kubeconfig)
        self.profile = profile
        self.controls = [c for c in catalogue.controls().values() if _looks(c)]
        self._calm: dict[bool, dict[str, Said]] = {}
        self._client = reach.client(lab)
        self._waivers = waivers.read(LAB_WAIVERS)

    @classmethod
    def impatient(cls, lab: Lab, directory: Path) -> Eye:
        """With the lab's profile, but for what must have lasted a while: here it need not."""
        file = directory / "impatient.yaml"
        file.write_text("extends: lab\napplication: {max_at_ceiling_s: 0.001}\nlifecycle: {stuck_s: 0.001}\n")
        return cls(lab, profiles.load(str(file)))

    def look(self, *, evidence: bool = False) -> dict[str, Said]:
        """One audit. Without `evidence` only objects are judged: that takes half a second."""
        snapshot = live.read(self._client, reach.facts(self.lab, self._client), evidence=evidence)
        given = _Given(snapshot, self.profile)
        return {each.id: self._said(each, snapshot, given) for each in self.controls}

    def calm(self, *, evidence: bool = False) -> Mapping[str, Said]:
        """What is said while nothing is wrong; waited for, since after a start or a fault leaders must be found."""
        deadline = time.monotonic() + CALM_S
        while evidence not in self._calm:
            found = self.look(evidence=evidence)
            failed = {control: sorted(objects) for control, (_, objects) in found.items() if objects}
            if not failed:
                self._calm[evidence] = found
            assert not failed or time.monotonic() < deadline, f"the lab is not well to begin with: {failed}"
        return self._calm[evidence]

    def _said(self, control: Control, snapshot: Snapshot, given: _Given) -> Said:
        outcome = judge(control, snapshot, given, waivers=self._waivers)
        assert outcome.error is None, f"{control.id}: {outcome.error!r}"
        return outcome.verdict, frozenset(_GENERATED.sub("-*", finding.object) for finding in outcome.open)

    def until(
        self, before: Mapping[str, Said], expected: Changes, *, within_s: float, evidence: bool = False
    ) -> Changes:
        """Look until exactly the expected has changed, and return what has; after `within_s` whatever has."""
        deadline = time.monotonic() + within_s
        while True:
            found = changes(before, self.look(evidence=evidence))
            if found == expected or time.monotonic() > deadline:
                return found
            time.sleep(PAUSE_S)


class _Given(Mapping[str, Any]):
    """What controls ask for by name, each made once a look."""

    def __init__(self, snapshot: Snapshot, profile: Profile) -> None:
        self._made: dict[str, Any] = {"snapshot": snapshot, "profile": profile}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            noun = NOUNS[name]
            self._made[name] = noun(*(self._made[each] for each in signature(noun).parameters))
        return lambda: self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter({*self._made, *NOUNS})

    def __len__(self) -> int:
        return len({*self._made, *NOUNS})
