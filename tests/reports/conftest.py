"""The made-up run that the renderers' tests look at."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.model import Run


@pytest.fixture
def example() -> Callable[..., Run]:
    """`example(findings=…)` of tests/reports/example_run.py."""
    made = runpy.run_path(str(Path(__file__).with_name("example_run.py")))["example"]
    assert callable(made)
    return made


@pytest.fixture
def run(example: Callable[..., Run]) -> Run:
    return example()


HOSTILE = (
    "</script><img src=x onerror=alert(1)>\"'&{{7*7}}{% raw %}]]>\x00\x1b[31m\u202egnp.exe\ud800 | `x`"
    " [a](javascript:b) @all"
)
"""A name that tries every way out of every format at once."""


@pytest.fixture
def hostile(run: Run) -> Run:
    """The run with the hostile name in every place that takes text from a cluster."""
    return _poisoned(run)


def _poisoned(run: Run) -> Run:
    import msgspec

    times = {"started", "finished", "injected", "proven", "healed", "healthy", "at", "start", "end", "zero"}
    keep = {"schema", "id", "state", "layer", "verdict", "severity", "kind"} | times

    def poison(part: object, key: str = "") -> object:
        if isinstance(part, dict):
            return {k: poison(v, k) for k, v in part.items()}
        if isinstance(part, list):
            return [poison(v, key) for v in part]
        if isinstance(part, str) and (key not in keep or (key == "kind" and part not in PHASES)):
            return f"{part} {HOSTILE}"
        return part

    poisoned = msgspec.convert(poison(msgspec.to_builtins(run)), Run)
    poisoned.problems = [HOSTILE]
    return poisoned


PHASES = {"detected", "acted", "recovered"}
