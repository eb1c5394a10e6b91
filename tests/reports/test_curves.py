"""The picture of a load test shows what was recorded, where it was recorded."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import msgspec

from reports import curves, html, wording
from reports.loads import Load
from reports.model import Run
from tests.reports.example_load import apart, growing


def drawn(load: Load) -> ElementTree.Element:
    return ElementTree.fromstring(str(curves.draw(load)))


def of(svg: ElementTree.Element, css: str) -> list[ElementTree.Element]:
    return [node for node in svg.iter() if css in (node.get("class") or "").split()]


def test_there_are_four_panels_on_one_axis_of_time() -> None:
    svg = drawn(growing())
    assert [n.text for n in of(svg, "c-name")] == ["requests a second", "latency", "pods", "CPU, millicores"]
    assert [n.text for n in of(svg, "t-tick")][:2] == ["0 s", "20 s"]
    assert len(of(svg, "t-mark")) == 6


def test_the_line_of_wanted_replicas_rises_when_they_did() -> None:
    (wanted,) = of(drawn(growing()), "c-wanted")
    decided = curves.LEFT + (12 + 8) / 144 * (curves.RIGHT - curves.LEFT)
    places = [float(x) for x in re.findall(r"H([\d.]+)V", wanted.get("d") or "")]
    assert abs(places[0] - decided) < 0.1


def test_each_service_has_its_panels_and_lost_requests_are_drawn() -> None:
    svg = drawn(apart())
    assert [n.text for n in of(svg, "c-head")] == ["subject", "neighbour"]
    (lost,) = of(svg, "t-failed")
    assert (lost.get("d") or "").count("M") == 4
    assert "12 failed requests" in ElementTree.tostring(lost, encoding="unicode")


def test_seconds_that_were_not_seen_leave_a_gap() -> None:
    load = growing()
    for n in range(40, 50):
        load.series[0].points[n] = msgspec.structs.replace(load.series[0].points[n], wanted=None, pods=None, ready=None)
    (ready,) = of(drawn(load), "c-ready")
    assert (ready.get("d") or "").count("M") == 2


def test_nothing_recorded_is_no_picture() -> None:
    assert curves.draw(Load(name="x", verdict="unknown")) == ""  # type: ignore[arg-type]


def test_the_page_has_figures_in_their_units(run: Run) -> None:
    page = html.render(run)
    assert page.count('class="card load"') == 2
    assert "≤ 35 s" in page
    assert ">never<" in page
    ratio = next(f for f in run.loads[0].figures if f.name == "error-ratio")
    assert (wording.measured(ratio), wording.allowed(ratio)) == ("0 %", "≤ 0 %")


def test_a_hostile_name_gets_nowhere(hostile: Run) -> None:
    page = html.render(hostile)
    assert "<img" not in page
    for load in hostile.loads:
        ElementTree.fromstring(str(curves.draw(load)))
