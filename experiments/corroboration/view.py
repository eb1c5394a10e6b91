"""What Prometheus is asked about: which stretch of time, and how far its clock is from ours."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fixtures.prometheus.client import Prometheus
from fixtures.prometheus.series import Series

RECENT = 3  # scrapes
LEAD_S = 10.0  # looked at before the baseline began, so that every counter has a value to begin with


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One trial as Prometheus' clock has it. All instants are Unix seconds there."""

    prometheus: Prometheus
    injected: float
    healthy: float | None  # None: it never was
    now: float
    steady: float  # everything was well from here to the injection
    probed_until: float  # the application has hardly any requests but those of the prober
    up: Sequence[Series]  # of every target, whether it could be scraped
    clock_error_s: float
    namespace: str
    app: str

    def samples(self, selector: str) -> list[Series]:
        """From shortly before the baseline until now. Raises `PrometheusError`."""
        return since(self.prometheus, selector, self.steady, self.now)

    def recently(self, interval_s: float) -> float:
        """From here on a sample tells how it is now: one of so many scrapes was in time, on a busy machine too."""
        return self.now - RECENT * interval_s - self.clock_error_s

    def since(self, at: float) -> float:
        """Seconds since the injection."""
        return round(at - self.injected, 3)

    def resolution(self, interval_s: float) -> float:
        """How finely anything may be said: twice the time between two scrapes, and what the clocks differ by."""
        return round(2 * interval_s + self.clock_error_s, 2)


def since(prometheus: Prometheus, selector: str, steady: float, now: float) -> list[Series]:
    """Samples from shortly before the baseline until now. Raises `PrometheusError`."""
    return prometheus.samples(selector, now, now - steady + LEAD_S)


def seconds(since_s: float, resolution_s: float) -> str:
    """An instant in words: +3.2 s ± 2."""
    return f"{since_s:+.1f} s ± {resolution_s:.1f}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
