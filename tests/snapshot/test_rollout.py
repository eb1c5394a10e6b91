"""Plain numbers are told apart without trying every number of replicas, and come to the same."""

from __future__ import annotations

from itertools import product

import pytest

from fixtures.nouns import given
from fixtures.profiles.profile import Profile
from fixtures.snapshot import rollout
from fixtures.snapshot.decode import one
from fixtures.snapshot.kinds import by_model
from fixtures.snapshot.model.policy import PodDisruptionBudget
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.snapshot import Snapshot

UPDATES = [{"maxUnavailable": u, "maxSurge": s} for u, s in product((0, 1, 2, "50%"), (0, 1, "25%"))]


@pytest.mark.parametrize("update", UPDATES, ids=str)
def test_the_short_way_comes_to_the_same(update: dict[str, int | str], monkeypatch: pytest.MonkeyPatch) -> None:
    for replicas, allowed in product(range(1, 8), (0, 1, 2, 3, "30%")):
        spec = {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": update}}
        deployment = one(by_model(Deployment), {"kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
        budget = one(by_model(PodDisruptionBudget), {"metadata": {"name": "web"}, "spec": {"maxUnavailable": allowed}})
        assert isinstance(budget, PodDisruptionBudget)
        workloads = given(Snapshot({Deployment: [deployment]}, source="manifests"), Profile(name="test"))["workloads"]()
        (workload,) = workloads.everywhere()
        short = rollout.exceeds(workload, budget, 0)
        with monkeypatch.context() as patch:
            patch.setattr(rollout, "_never_exceeds", lambda *_: False)
            assert short == rollout.exceeds(workload, budget, 0), (replicas, allowed)
