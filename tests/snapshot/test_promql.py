"""The reader of Prometheus' query language takes what Prometheus takes, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.snapshot.promql import Broken, parse

RIGHT = [
    "up == 0",
    "1",
    'rate(http_requests_total{status=~"5.."}[5m]) > 0.01',
    "sum by (job) (rate(x[5m])) / sum(rate(y[5m])) without (a) > bool 2",
    "histogram_quantile(0.99, sum(rate(a_bucket[5m])) by (le)) > 1",
    "max_over_time(deriv(rate(d[5m])[1h:])[5m:1m])",
    "-up + 2 ^ 3 ^ 2",
    "a and on(x) b unless ignoring(y) c",
    "x * on(a) group_left(b) y",
    "up == on() group_left up",
    '{__name__="foo",a!~"b"}',
    '{"foo.bar", x="y"}',
    "time() - y > 3600",
    'absent(up{job="a"})',
    "foo offset 5m @ start()",
    "quantile_over_time(0.9, x[1h])",
    'count_values("v", x)',
    'x{a="}"}  # a comment\n > 1',
    "predict_linear(x[6h], 24*60*60) < 0",
    "sum(x) by (a, b,)",
    'label_replace(up, "a", "$1", "b", "(.*)")',
    "a:b:c > 1",
    "rate(x[300])",
]
WRONG = [
    "rate(x)",
    "rate(x[5m]",
    "x[5m]",
    "foo[5m] offset 1d",
    "sum(",
    "up = 0",
    "foo{a=b}",
    "nofunc(x)",
    "x >",
    "sum(x[5m])",
    "(x + 1)[5m]",
    "{}",
    "x y",
    "x > > 1",
    "rate(x[five])",
    "a + x[5m]",
    "abs(x[5m])",
    "x + bool 1",
    "rate()",
    '"a" + x',
    "",
    "x{a='b'",
    "((((x)))",
    "rate(rate(x[5m])[5m])",
]


@pytest.mark.parametrize("expression", RIGHT)
def test_a_right_expression_is_read(expression: str) -> None:
    parse(expression)


@pytest.mark.parametrize("expression", WRONG)
def test_a_wrong_expression_is_told(expression: str) -> None:
    with pytest.raises(Broken):
        parse(expression)


_PARTS = st.sampled_from(
    ["up", "rate", "sum", "(", ")", "[5m]", "{", "}", ",", "by", "+", ">", "1", '"a"', "a=", "offset", "@"]
)


@given(st.one_of(st.text(max_size=40), st.lists(_PARTS, max_size=20).map(" ".join)))
def test_whatever_is_written_is_read_or_told(expression: str) -> None:
    with contextlib.suppress(Broken):
        parse(expression)


def test_deep_nesting_is_told_and_not_a_crash() -> None:
    with pytest.raises(Broken):
        parse("(" * 5000 + "x" + ")" * 5000)
