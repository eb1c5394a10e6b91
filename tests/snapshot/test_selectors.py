"""Selectors: absent is not empty, and all parts must hold."""

import pytest

from fixtures.snapshot.model.pod import LabelSelector, Requirement
from fixtures.snapshot.selectors import matches, matches_map

WEB = {"app": "web", "tier": "front"}


def test_an_absent_selector_selects_nothing_and_an_empty_one_everything() -> None:
    assert not matches(None, WEB)
    assert matches(LabelSelector(), {})


def test_a_services_empty_selector_selects_nothing() -> None:
    assert not matches_map(None, WEB)
    assert not matches_map({}, WEB)
    assert matches_map({"app": "web"}, WEB)
    assert not matches_map({"app": "web", "track": "stable"}, WEB)


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("In", "app", ["web", "api"], True),
        ("In", "app", ["api"], False),
        ("In", "track", ["stable"], False),
        ("NotIn", "app", ["web"], False),
        ("NotIn", "track", ["canary"], True),
        ("Exists", "tier", None, True),
        ("Exists", "track", None, False),
        ("DoesNotExist", "track", None, True),
        ("DoesNotExist", "tier", None, False),
        ("Like", "tier", ["f"], False),
    ],
)
def test_each_expression_is_read_as_the_api_server_reads_it(
    operator: str, key: str, values: list[str] | None, holds: bool
) -> None:
    selector = LabelSelector(match_expressions=[Requirement(key=key, operator=operator, values=values)])
    assert matches(selector, WEB) is holds


def test_labels_and_expressions_are_anded() -> None:
    absent = Requirement(key="tier", operator="DoesNotExist")
    assert not matches(LabelSelector(match_labels={"app": "web"}, match_expressions=[absent]), WEB)
