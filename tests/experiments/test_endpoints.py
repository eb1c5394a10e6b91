"""What is made of looks at a Service: its list, who is reached, and for how long somebody is reached in vain."""

from __future__ import annotations

import pytest

from experiments.faults import endpoints
from experiments.faults.endpoint_loss import EndpointLoss
from experiments.faults.endpoints import SUBJECT, Serving
from experiments.faults.fault import Victim
from experiments.observer import Change
from fixtures.safety.ground import NAMESPACE

ALL = "abc"


def look(number: int, listed: str, reached: str = "") -> Serving:
    return Serving(number=number, listed=frozenset(listed), ready=frozenset(listed), reached=frozenset(reached))


def seen(*looks: tuple[str, str]) -> list[tuple[float, Serving]]:
    """One look a second, each with who is listed and who is reached."""
    return [(float(number), look(number, *one)) for number, one in enumerate(looks)]


def test_a_list_that_goes_from_three_to_two_and_back_is_as_it_should_be() -> None:
    check = endpoints.counted(seen((ALL, ""), ("bc", ""), ("bc", ""), ("bcd", "")))
    assert (check.verdict, check.message) == ("pass", "the Service's list went 3 → 2 → 3")


@pytest.mark.parametrize(
    "lists", [["abc", "abc"], ["abc", "bc"], ["abc", "c", "abc"], ["abc", "bc", "abc", "ab", "abc"], []]
)
def test_any_other_course_fails(lists: list[str]) -> None:
    assert endpoints.counted(seen(*((one, "") for one in lists))).verdict == "fail"


def test_a_pod_still_reached_long_after_it_left_the_list_is_named() -> None:
    check = endpoints.reached(seen((ALL, "a"), ("bc", "ab"), ("bc", "b"), ("bc", "a")), budget_s=1.5)
    assert check.verdict == "fail"
    assert check.message == "a was still reached 2.0 s after it had left the Service's list"


def test_proxies_may_follow_the_list_with_a_little_delay() -> None:
    check = endpoints.reached(seen((ALL, "a"), ("bc", "ab"), ("bc", "a"), ("bc", "b"), (ALL, "a")), budget_s=1.5)
    assert check.verdict == "pass"
    assert "1.0 s more at most" in check.message


def test_a_pod_that_came_back_may_be_reached_again() -> None:
    assert endpoints.reached(seen((ALL, ""), ("bc", "b"), (ALL, "a"), (ALL, "a"), (ALL, "a"))).verdict == "pass"


def test_a_pod_that_comes_back_while_it_is_looked_may_be_reached_before_it_is_listed() -> None:
    back = [(ALL, "a"), ("bc", "b"), ("bc", "b"), ("bc", "b"), ("bc", "a"), (ALL, "a")]
    assert endpoints.reached(seen(*back)).verdict == "pass"
    assert endpoints.reached(seen(*back[:-1], ("bc", "a"), (ALL, "a"))).verdict == "fail"


def test_where_nobody_answered_nothing_is_known() -> None:
    assert endpoints.reached(seen((ALL, ""), ("bc", ""), (ALL, ""))).verdict == "unknown"


def changes(*looks: tuple[str, str]) -> list[Change]:
    return [Change(at=at, since=at - 1, subject=SUBJECT, old=None, new=one) for at, one in seen(*looks)]


def test_only_the_last_look_before_the_injection_counts() -> None:
    found = endpoints.looks(changes(("", ""), ("a", ""), (ALL, ""), ("bc", ""), (ALL, "")), injected=2.5)
    assert [len(one.listed) for _, one in found] == [3, 2, 3]


def test_the_list_is_complete_again_once_it_was_not() -> None:

    victim = Victim(kind="Service", name="endpoints", namespace=NAMESPACE, target="deleted")
    course = changes((ALL, ""), ("bc", ""), ("bc", ""), (ALL, ""))
    left, complete = EndpointLoss().recoveries(None, victim, course, injected=0.5)  # type: ignore[arg-type]
    assert (left.seconds, complete.seconds) == (0.5, 2.0)
    left, complete = EndpointLoss().recoveries(None, victim, course[:3], injected=0.5)  # type: ignore[arg-type]
    assert (left.seconds, complete.seconds) == (0.5, None)
