"""Waiting for a lab that starts: what its API refuses for a moment is asked again, and what it never takes is told."""

from __future__ import annotations

import pytest

from fixtures.clusters.cluster import ClusterError
from fixtures.clusters.lab import readiness
from fixtures.clusters.lab.api import ApiError


def test_a_change_whose_connection_was_cut_is_made_again_until_it_is_taken() -> None:
    tries: list[int] = []

    def apply() -> None:
        tries.append(len(tries))
        if len(tries) < 3:
            raise ApiError("kubectl apply", 0, "Unable to connect to the server: unexpected EOF")

    readiness.insist("The add-ons are", apply, timeout_s=30)

    assert len(tries) == 3


def test_a_change_that_is_never_taken_is_told_with_the_last_refusal() -> None:
    def apply() -> None:
        raise ApiError("kubectl apply", 0, "no matches for kind Widget")

    with pytest.raises(ClusterError, match=r"are not there after 0\.2 s: kubectl apply: no matches for kind"):
        readiness.insist("The add-ons are", apply, timeout_s=0.2)


def test_what_is_no_answer_of_the_api_is_not_tried_again() -> None:
    tries: list[int] = []

    def apply() -> None:
        tries.append(len(tries))
        raise ClusterError("node master-1 is off")

    with pytest.raises(ClusterError, match="node master-1 is off"):
        readiness.insist("The add-ons are", apply, timeout_s=30)

    assert len(tries) == 1
