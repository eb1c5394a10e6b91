"""The picture of a fault shows what was measured, where it was measured."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import msgspec
import pytest

from reports import picture, timeline
from reports.axis import Linear, spread, ticks
from reports.model import Experiment, Run


def drawn(experiment: Experiment) -> ElementTree.Element:
    return ElementTree.fromstring(str(timeline.draw(experiment)))


def of(svg: ElementTree.Element, css: str) -> list[ElementTree.Element]:
    return [node for node in svg.iter() if css in (node.get("class") or "").split()]


@pytest.fixture
def power_cut(run: Run) -> Experiment:
    return next(e for e in run.experiments if e.fault == "F-10")


def test_there_is_a_lane_a_target_with_its_outage_and_budget(power_cut: Experiment) -> None:
    svg = drawn(power_cut)
    assert [node.text for node in of(svg, "t-name")] == ["api-read", "api-write", "app", "control"]
    assert [node.text for node in of(svg, "t-result")] == ["✓ 150 ms", "✓ 2.15 s", "✓ 0 s", "0 s"]
    assert len(of(svg, "t-within")) == 3
    assert len(of(svg, "t-budget")) == 3


def test_an_outage_over_budget_is_marked(run: Run) -> None:
    failed = next(e for e in run.experiments if e.fault == "F-12")
    over = of(drawn(failed), "t-over")
    assert len(over) == 1
    assert "6.4 s" in (over[0].findtext("title") or "")


def test_an_outage_is_as_wide_as_it_was_long(power_cut: Experiment) -> None:
    svg = drawn(power_cut)
    scale = {node.text: float(node.get("x", "")) for node in of(svg, "t-tick")}
    per_second = (scale["10 s"] - scale["0 s"]) / 10
    longest = max(of(svg, "t-within"), key=lambda node: float(node.get("width", "")))
    assert float(longest.get("width", "")) == pytest.approx(2.15 * per_second, abs=0.2)
    assert float(longest.get("x", "")) == pytest.approx(scale["0 s"] + 0.1 * per_second, abs=0.2)


def test_the_fault_is_shaded_from_injection_to_healing(power_cut: Experiment) -> None:
    svg = drawn(power_cut)
    scale = {node.text: float(node.get("x", "")) for node in of(svg, "t-tick")}
    per_second = (scale["10 s"] - scale["0 s"]) / 10
    (fault,), (healing,) = of(svg, "t-fault"), of(svg, "t-healing")
    assert float(fault.get("width", "")) == pytest.approx(12 * per_second, abs=0.2)
    assert float(healing.get("width", "")) == pytest.approx(14.5 * per_second, abs=0.2)


def test_every_moment_has_its_number_in_order(power_cut: Experiment) -> None:
    moments = timeline.events(power_cut)
    assert [m.t_s for m in moments] == sorted(m.t_s for m in moments)
    assert {m.kind for m in moments} == {"injected", "proven", "detected", "acted", "recovered", "healed", "healthy"}
    marks = of(drawn(power_cut), "t-mark")
    assert [mark.findtext("text") for mark in marks] == [str(n) for n in range(1, len(moments) + 1)]


def test_a_gap_without_a_good_probe_is_no_latency(power_cut: Experiment) -> None:
    target = next(t for t in power_cut.targets if t.name == "api-write")
    silent = sum(1 for b in target.timeline if b.ok == 0)
    assert silent > 0
    path = of(drawn(power_cut), "t-latency")[1].get("d", "")
    assert path.count("M") == 2 + sum(
        1 for a, b in zip(target.timeline, target.timeline[1:], strict=False) if a.ok and not b.ok and b.t_s > 3
    )


def test_a_fault_that_never_healed_is_shaded_to_the_end(power_cut: Experiment) -> None:
    svg = drawn(msgspec.structs.replace(power_cut, healed=None, healthy=None))
    (fault,) = of(svg, "t-fault")
    assert float(fault.get("x", "")) + float(fault.get("width", "")) == pytest.approx(timeline.RIGHT, abs=0.2)


def test_nothing_is_drawn_of_a_fault_that_was_never_injected(power_cut: Experiment) -> None:
    assert timeline.draw(msgspec.structs.replace(power_cut, injected=None)) == ""
    assert timeline.draw(msgspec.structs.replace(power_cut, targets=[])) == ""


def test_hostile_names_leave_it_well_formed(hostile: Run) -> None:
    for experiment in hostile.experiments:
        svg = drawn(experiment)
        assert not list(svg.iter("img"))


def test_all_numbers_are_finite(run: Run) -> None:
    for experiment in run.experiments:
        assert not re.search(r"\b(nan|inf)\b", str(timeline.draw(experiment)))


@pytest.mark.parametrize(("first", "last"), [(-5, 31), (0, 0.9), (-10, 400), (0, 3600)])
def test_ticks_are_round_and_few(first: float, last: float) -> None:
    marks = ticks(first, last, 12)
    assert 4 <= len(marks) <= 13
    assert all(first <= t <= last for t in marks)
    steps = {round(b - a, 9) for a, b in itertools.pairwise(marks)}
    assert len(steps) == 1


def test_there_are_no_ticks_on_an_axis_without_length() -> None:
    assert ticks(1, 1, 12) == []


@pytest.mark.parametrize("wanted", [[0, 0, 0], [5, 6, 7, 50, 99, 100, 100], [50], [], [100] * 5])
def test_labels_keep_their_distance_their_order_and_their_room(wanted: list[float]) -> None:
    places = spread(wanted, 10, 0, 100)
    assert len(places) == len(wanted)
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(places))
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in places)


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert spread([0, 30, 80], 10, 0, 100) == [0, 30, 80]


def test_too_many_labels_share_the_room() -> None:
    places = spread([50] * 21, 10, 0, 100)
    assert places == pytest.approx([n * 5 for n in range(21)])


def test_a_place_outside_the_axis_is_put_on_its_edge() -> None:
    axis = Linear(0, 10, 100, 200)
    assert [axis.at(-1), axis.at(5), axis.at(11)] == [100, 150, 200]


def test_every_fault_that_was_injected_is_a_picture_of_its_own(hostile: Run) -> None:
    hostile.experiments[0] = msgspec.structs.replace(hostile.experiments[0], injected=None)
    files = picture.render(hostile)
    assert len(files) == len(hostile.experiments) - 1
    for name, content in files.items():
        assert re.fullmatch(r"[a-z0-9-]+\.svg", name)
        root = ElementTree.fromstring(content)
        assert not [node for node in root.iter() if node.tag.endswith(("}img", "}script"))]
