"""Whether a Deployment is at rest: only then is a fault the only thing that happens. Synthetic, no cluster."""

from __future__ import annotations

import pytest

from experiments.scene import rolling
from fixtures.snapshot.model.base import Metadata
from fixtures.snapshot.model.workload import Deployment, DeploymentSpec, WorkloadStatus


def deployment(generation: int = 3, **status: int) -> Deployment:
    settled = {"replicas": 4, "updated_replicas": 4, "available_replicas": 4, "observed_generation": 3}
    return Deployment(
        metadata=Metadata(generation=generation),
        spec=DeploymentSpec(replicas=4),
        status=WorkloadStatus(**(settled | status)),
    )


def test_a_deployment_whose_pods_are_all_new_and_available_is_at_rest() -> None:
    assert not rolling(deployment())


@pytest.mark.parametrize("status", [{"replicas": 5}, {"updated_replicas": 3}, {"available_replicas": 3}])
def test_surplus_old_or_unavailable_pods_are_a_rollout_going_on(status: dict[str, int]) -> None:
    assert rolling(deployment(**status))


def test_what_its_controller_has_not_seen_yet_is_still_to_come() -> None:
    assert rolling(deployment(generation=4))


def test_a_status_that_nobody_writes_says_nothing() -> None:
    assert not rolling(deployment(observed_generation=0, replicas=0))
