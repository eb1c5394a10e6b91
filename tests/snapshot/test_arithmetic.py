"""Kubernetes' numbers: what rounds up, what rounds down, what is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.snapshot.arithmetic import Malformed, quantity, scaled


@pytest.mark.parametrize(
    ("value", "total", "down", "up"),
    [
        (1, 9, 1, 1),
        ("25%", 4, 1, 1),
        ("25%", 5, 1, 2),
        ("1%", 2, 0, 1),
        ("100%", 3, 3, 3),
        ("0%", 3, 0, 0),
        ("150%", 2, 3, 3),
    ],
)
def test_a_percentage_rounds_as_its_field_demands(value: int | str, total: int, down: int, up: int) -> None:
    assert scaled(value, total, up=False) == down
    assert scaled(value, total, up=True) == up


@given(st.integers(0, 200), st.integers(0, 10_000))
def test_rounding_up_and_down_enclose_the_exact_share(percent: int, total: int) -> None:
    low, high = scaled(f"{percent}%", total, up=False), scaled(f"{percent}%", total, up=True)
    assert low <= Fraction(percent * total, 100) <= high
    assert high - low <= 1


@pytest.mark.parametrize("value", ["half", "25", "-5%", "2.5%", "%", ""])
def test_what_the_api_refuses_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        scaled(value, 10, up=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", Fraction(1, 10)),
        ("1", Fraction(1)),
        (2, Fraction(2)),
        (0.5, Fraction(1, 2)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("1e3", Fraction(1000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(2**60)),
        ("12k", Fraction(12_000)),
        (".5", Fraction(1, 2)),
        ("-1", Fraction(-1)),
        ("5n", Fraction(5, 10**9)),
    ],
)
def test_a_quantity_is_exact(text: str | int | float, value: Fraction) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1KiB", "1K i", "ten", "1,5"])
def test_what_is_no_quantity_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        quantity(text)
