"""Every fault by its id: whatever the modules beside this one define. A new fault is one file and no registration."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from experiments import faults
from experiments.faults.fault import Fault


@cache
def every() -> dict[str, Fault]:
    """Faults by id, in order of id. Raises `ValueError` when two have the same."""
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(faults.__path__):
        for _, kind in inspect.getmembers(importlib.import_module(f"{faults.__name__}.{module.name}"), inspect.isclass):
            if (
                not issubclass(kind, Fault)
                or inspect.isabstract(kind)
                or kind.__module__.rpartition(".")[2] != module.name
            ):
                continue
            if kind.id in found:
                raise ValueError(
                    f"fault {kind.id} is defined twice: {found[kind.id].__class__.__name__}, {kind.__name__}"
                )
            found[kind.id] = kind()
    return dict(sorted(found.items()))


def fault(id: str) -> Fault:  # noqa: A002 - the word of the catalogue
    """Raises `KeyError` with the known ids."""
    try:
        return every()[id]
    except KeyError:
        raise KeyError(f"no fault {id!r}; there are {', '.join(every())}") from None
