"""Verdicts: what can't be read is never a pass, and what breaks says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from fixtures.control import Control, control, control_of
from fixtures.expect import Expect
from fixtures.snapshot.decode import Problem
from fixtures.snapshot.model.base import Metadata
from fixtures.snapshot.model.workload import Deployment
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import Outcome, judge
from fixtures.waivers import Selector, Waiver, Waivers

WEB = Deployment(kind="Deployment", metadata=Metadata(name="web", namespace="shop"))


def made(body: Callable[..., None], *, live: bool = False) -> Control:
    body.__doc__ = "How it is judged, for this test."
    marked = control("APP-99", "A claim", severity="low", reason="because", remedy="mend it", source="S0-1", live=live)(
        body
    )
    found = control_of(marked)
    assert found is not None
    return found


def outcome(body: Callable[..., None], *, live: bool = False, waivers: Waivers | None = None, **more: Any) -> Outcome:
    snapshot = Snapshot({Deployment: [WEB]}, source=more.pop("source", "saved"), **more)
    return judge(made(body, live=live), snapshot, {"snapshot": lambda: snapshot}, waivers=waivers or Waivers())


def test_an_object_that_holds_makes_a_pass() -> None:
    def body(expect: Expect) -> None:
        expect(WEB, True)

    assert outcome(body).verdict == "pass"


def test_a_finding_makes_a_fail_and_judging_goes_on() -> None:
    def body(expect: Expect) -> None:
        expect(WEB, False, "wrong", path="spec.replicas", value=1)
        expect("other", False, "wrong too")

    found = outcome(body)
    assert found.verdict == "fail"
    assert found.as_dict()["findings"] == [
        {"object": "Deployment shop/web", "path": "spec.replicas", "value": 1, "message": "wrong"},
        {"object": "other", "path": "", "value": None, "message": "wrong too"},
    ]


def test_judging_nothing_is_not_applicable() -> None:
    def body(expect: Expect) -> None:
        expect.note("looked")

    assert outcome(body).verdict == "not-applicable"


def test_a_kind_that_may_not_be_listed_is_unknown_with_the_reason() -> None:
    def body(snapshot: Snapshot, expect: Expect) -> None:
        expect(WEB, True)
        snapshot.of(Deployment)

    found = outcome(body, unreadable={Deployment: "forbidden"})
    assert (found.verdict, found.reason) == ("unknown", "deployments could not be read: forbidden")


def test_a_finding_that_may_rest_on_what_could_not_be_read_is_unknown() -> None:
    def body(snapshot: Snapshot, expect: Expect) -> None:
        expect(WEB, False, "wrong")
        snapshot.of(Deployment)

    assert outcome(body, unreadable={Deployment: "forbidden"}).verdict == "unknown"


def test_an_object_that_did_not_decode_spoils_a_pass_of_its_readers_only() -> None:
    def reader(snapshot: Snapshot, expect: Expect) -> None:
        for each in snapshot.of(Deployment):
            expect(each, True)

    def stranger(expect: Expect) -> None:
        expect("cluster", True)

    problems = [Problem(kind="Deployment", object="Deployment bad", message="spec.replicas: expected int, got str")]
    assert outcome(reader, problems=problems).verdict == "unknown"
    assert "Deployment bad" in outcome(reader, problems=problems).reason
    assert outcome(stranger, problems=problems).verdict == "pass"


def test_a_reader_of_a_cached_index_counts_as_a_reader_of_what_it_was_built_from() -> None:
    def index(snapshot: Snapshot) -> int:
        return len(snapshot.of(Deployment))

    def body(snapshot: Snapshot, expect: Expect) -> None:
        snapshot.derive(index)
        snapshot.reads.clear()  # as between two controls
        expect("cluster", snapshot.derive(index))

    problems = [Problem(kind="Deployment", message="bad")]
    assert outcome(body, problems=problems).verdict == "unknown"


def test_a_control_that_breaks_is_unknown_and_says_how() -> None:
    def body(expect: Expect) -> None:
        expect(WEB, True)
        raise KeyError("oops")

    found = outcome(body)
    assert found.verdict == "unknown"
    assert "KeyError" in found.reason
    assert isinstance(found.error, KeyError)


def test_an_assertion_is_a_finding() -> None:
    def body() -> None:
        raise AssertionError("6.1 s, of 5 s")

    found = outcome(body)
    assert found.verdict == "fail"
    assert found.open[0].message == "6.1 s, of 5 s"


def test_a_control_without_expectations_passes_by_not_asserting() -> None:
    def body() -> None:
        pass

    assert outcome(body).verdict == "pass"


def test_a_skip_is_unknown() -> None:
    def body() -> None:
        pytest.skip("no such capability")

    found = outcome(body)
    assert (found.verdict, found.reason) == ("unknown", "no such capability")


def test_one_uncertain_object_makes_the_rest_unknown_but_not_a_finding() -> None:
    def body(expect: Expect) -> None:
        expect(WEB, True)
        expect.uncertain(WEB, "out of sight")

    def with_finding(expect: Expect) -> None:
        expect.uncertain(WEB, "out of sight")
        expect(WEB, False, "wrong")

    assert outcome(body).verdict == "unknown"
    assert outcome(with_finding).verdict == "fail"


def test_a_live_control_is_not_applicable_to_manifests_and_is_not_run() -> None:
    def body(expect: Expect) -> None:
        raise AssertionError("run")

    found = outcome(body, live=True, source="manifests")
    assert (found.verdict, found.reason) == ("not-applicable", "needs a live cluster")


def waiver(**changes: Any) -> Waivers:
    given = {
        "control": "APP-99",
        "selector": Selector(kind="Deployment", namespace="shop", name="w*"),
        "justification": "being replaced",
        "owner": "shop team",
        "expires": date(2027, 3, 31),
    } | changes
    return Waivers([Waiver(**given)], today=date(2027, 3, 31))


def failing(expect: Expect) -> None:
    expect(WEB, False, "wrong")


def test_a_waived_finding_makes_the_verdict_waived_with_who_answers_for_it() -> None:
    found = outcome(failing, waivers=waiver())
    assert found.verdict == "waived"
    said = found.as_dict()["findings"][0]
    assert said["waiver"]["owner"] == "shop team"
    assert "waived until 2027-03-31" in said["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": date(2027, 3, 30)},
        {"control": "APP-98"},
        {"selector": Selector(kind="StatefulSet")},
        {"selector": Selector(namespace="other")},
        {"selector": Selector(name="x*")},
        {"selector": Selector(labels=(("app", "web"),))},
    ],
)
def test_a_waiver_that_is_expired_or_of_something_else_waives_nothing(changes: dict[str, Any]) -> None:
    assert outcome(failing, waivers=waiver(**changes)).verdict == "fail"


def test_one_finding_without_a_waiver_is_still_a_fail() -> None:
    def body(expect: Expect) -> None:
        expect(WEB, False, "wrong")
        expect("cluster", False, "wrong")

    found = outcome(body, waivers=waiver())
    assert found.verdict == "fail"
    assert [f.object for f in found.open] == ["cluster"]


def test_an_annotation_waives_only_where_the_profile_allows_it() -> None:
    web = Deployment(
        kind="Deployment",
        metadata=Metadata(name="web", namespace="shop", annotations={"evenkeel.dev/waive": "APP-99: known"}),
    )

    def body(expect: Expect) -> None:
        expect(web, False, "wrong")

    assert outcome(body).verdict == "fail"
    allowed = Waivers(annotations=True)
    assert outcome(body, waivers=allowed).verdict == "waived"


def test_a_control_without_a_word_of_remedy_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="remedy is empty"):
        control("APP-99", "A claim", severity="low", reason="because", remedy=" ", source="S0-1")(failing)
    with pytest.raises(ValueError, match="control id"):
        control("XYZ-1", "A claim", severity="low", reason="because", remedy="mend", source="S0-1")
    with pytest.raises(ValueError, match="severity"):
        control("APP-99", "A claim", severity="urgent", reason="because", remedy="mend", source="S0-1")
