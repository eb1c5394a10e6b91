"""What is known of one injection when it is over: every probe, and when what was done. What `Fault.examine` judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from experiments.result import FAIL, PASS, UNKNOWN, Check
from fixtures.prober.outage import GOOD_RUN, Interval
from fixtures.prober.sample import Header, Outcome, Sample
from fixtures.profiles.profile import Profile

if TYPE_CHECKING:
    from experiments.trial import Injection

NEVER = float("inf")


class Aftermath(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since the samples' anchor; what did not happen is infinitely late."""

    fault: str  # its id
    profile: Profile
    samples: Mapping[str, Sequence[Sample]]
    injected: float  # when the injection began
    in_place: float = NEVER  # when it had ended
    proven: float = NEVER
    healing: float = NEVER  # when healing began
    healed: float = NEVER

    @property
    def forgotten(self) -> Interval:
        """What was acknowledged in it may be gone, when the fault forgets."""
        return Interval(self.injected, self.in_place)

    def during(self, target: str) -> list[Sample]:
        """The judged probes of a target sent once the fault was proven and answered before healing began."""
        return [s for s in self._judged(target) if s.started >= self.proven and s.finished <= self.healing]

    def back(self, target: str) -> float | None:
        """Seconds from when healing began until the first of the next run of good probes; None: not back at all."""
        run: list[Sample] = []
        for sample in self._judged(target):
            if sample.scheduled < self.healing:
                continue
            run = [*run, sample] if sample.ok else []
            if len(run) == GOOD_RUN:
                return max(0.0, run[0].scheduled - self.healing)
        return None

    def budget(self, name: str) -> float:
        """Seconds that the profile allows this fault."""
        return self.profile.budget(self.fault, name)

    def returned(self, target: str) -> Check:
        """Whether a target that the fault had stopped answered again within the profile's budget `return`."""
        seconds, budget = self.back(target), self.budget("return")
        name = f"{target}-return"
        if not self._judged(target):
            return Check(name=name, verdict=UNKNOWN, message=f"{target} was not probed")
        if seconds is None:
            return Check(name=name, verdict=FAIL, message=f"not seen: {target} answers again")
        said = f"{target} answers again {seconds:.2f} s after healing began, budget {budget:g} s"
        return Check(name=name, verdict=PASS if seconds <= budget else FAIL, message=said)

    def refused(self, target: str) -> Check:
        """Whether nothing was acknowledged while it must not be."""
        during = self.during(target)
        name = f"{target}-refused"
        if not during:
            return Check(name=name, verdict=UNKNOWN, message=f"no probe of {target} between proof and healing")
        good = [s.seq for s in during if s.ok]
        if good:
            keys = ", ".join(map(str, good[:5]))
            said = f"{len(good)} of {len(during)} were acknowledged while none could be (keys {keys})"
            return Check(name=name, verdict=FAIL, message=said)
        return Check(name=name, verdict=PASS, message=f"all {len(during)} were refused while it lasted")

    def hanging(self, targets: Sequence[str]) -> Check:
        """Whether refusals are answers and not silence: how long after the injection the last probe hung, against the
        profile's budget `refusal`."""
        budget = self.budget("refusal")
        during = [s for t in targets for s in self._judged(t) if self.injected <= s.scheduled and not s.ok]
        during = [s for s in during if s.finished <= self.healing]
        hung = [s for s in during if s.outcome is Outcome.TIMEOUT]
        name = "clean-refusal"
        if not during:
            return Check(name=name, verdict=UNKNOWN, message="nothing was refused")
        last = max((s.finished - self.injected for s in hung), default=0.0)
        said = f"{len(hung)} of {len(during)} failed probes got no answer at all, the last {last:.2f} s after the fault"
        return Check(name=name, verdict=PASS if last <= budget else FAIL, message=f"{said}, budget {budget:g} s")

    def _judged(self, target: str) -> list[Sample]:
        return [s for s in self.samples.get(target, ()) if s.outcome.judged]


def of(injection: Injection, header: Header, samples: Mapping[str, Sequence[Sample]], profile: Profile) -> Aftermath:
    """Of an injection that was begun."""

    def since(monotonic_s: float | None) -> float:
        return NEVER if monotonic_s is None else header.since_anchor(monotonic_s)

    return Aftermath(
        fault=injection.fault.id,
        profile=profile,
        samples=samples,
        injected=since(injection.injected),
        in_place=since(injection.in_place),
        proven=since(injection.proven),
        healing=since(injection.healing),
        healed=since(injection.healed),
    )
