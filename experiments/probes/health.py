"""Chaos Toolkit probes of the steady state: true before a fault, and true again after it."""

from __future__ import annotations

import logging

from experiments.trial import current

logger = logging.getLogger("evenkeel.experiments")


def all_is_well() -> bool:
    """Every node Ready and schedulable, every control-plane pod Ready, every replica of the application Ready."""
    trial = current()
    troubles = trial.scene.troubles()
    for trouble in troubles:
        logger.warning("not steady: %s", trouble)
    if troubles:
        trial.troubles.append(f"not in its steady state: {'; '.join(troubles)}")
    return not troubles


def what_is_wrong() -> list[str]:
    """The same in words; empty when all is well."""
    return current().scene.troubles()
