"""The plays there are: every subclass of `Play` in plays/."""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from experiments.loads import plays
from experiments.loads.play import Play


class UnknownPlayError(Exception):
    """Nothing has this name or id; the text says what there is."""


@cache
def every() -> dict[str, Play]:
    """By name, in order of their controls."""
    for module in pkgutil.iter_modules(plays.__path__):
        import_module(f"{plays.__name__}.{module.name}")
    made = [kind() for kind in _subclasses(Play)]
    return {play.name: play for play in sorted(made, key=lambda p: (p.controls, p.name))}


def _subclasses(kind: Any) -> list[Any]:
    found = [one for sub in kind.__subclasses__() for one in (sub, *_subclasses(sub))]
    return [one for one in found if not inspect.isabstract(one)]


def play(id_: str) -> Play:
    """By name or by the id of a control. Raises `UnknownPlayError`."""
    found = every().get(id_) or next((p for p in every().values() if id_.upper() in p.controls), None)
    if found is None:
        known = ", ".join(f"{name} ({' '.join(p.controls)})" for name, p in every().items())
        raise UnknownPlayError(f"no load test {id_!r}; there are {known}")
    return found
