"""The page: whole, self-contained, true to the run, and never run by what a cluster calls its objects."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest

from reports import html
from reports.model import Cluster, Finding, Run, State

VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """Reads the page strictly: every element that is opened is closed, in order."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[int, str] = {}
        self.feed(content)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        n = self.open[-1][1] if self.open else -1
        self.text[n] = self.text.get(n, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def content(self, tag: str) -> list[str]:
        return [self.text.get(n, "") for n, (name, _) in enumerate(self.elements) if name == tag]


def test_the_page_is_well_formed(run: Run) -> None:
    Page(html.render(run))


def test_the_page_needs_nothing_from_anywhere(run: Run) -> None:
    page = Page(html.render(run))
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "embed", "base")]
    for _, attrs in page.elements:
        assert not attrs.get("src")
        assert not (attrs.get("href") or "#").removeprefix("#").startswith(("http", "//", "javascript"))
    assert "url(" not in page.content("style")[0]
    assert "@import" not in page.content("style")[0]


def test_the_policy_allows_exactly_the_pages_own_style_and_script(run: Run) -> None:
    page = Page(html.render(run))
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy") or ""
    scripts = [body for attrs, body in zip(page.all("script"), page.content("script"), strict=True) if not attrs]
    for body in [*scripts, *page.content("style")]:
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy
    assert len(scripts) == 1
    assert "unsafe" not in policy
    assert not [attrs for _, attrs in page.elements if "style" in attrs or any(name.startswith("on") for name in attrs)]


def test_every_control_and_experiment_is_there_once(run: Run) -> None:
    page = Page(html.render(run))
    controls = [attrs for attrs in page.all("details") if attrs.get("class") == "control"]
    assert sorted(str(attrs["id"]) for attrs in controls) == sorted(c.id for c in run.controls)
    by_id = {c.id: c.verdict.value for c in run.controls}
    assert all(attrs["data-verdict"] == by_id[str(attrs["id"])] for attrs in controls)
    faults = [attrs for attrs in page.all("article") if "fault" in str(attrs.get("class"))]
    assert len(faults) == len(run.experiments)
    assert len([a for a in page.all("svg") if a.get("class") == "timeline"]) == len(run.experiments)


def test_what_failed_stands_first(run: Run) -> None:
    page = Page(html.render(run))
    order = [str(attrs["data-verdict"]) for attrs in page.all("details") if attrs.get("class") == "control"]
    assert order == sorted(order, key=["fail", "unknown", "waived", "pass", "not-applicable"].index)


def test_hostile_names_stay_text(hostile: Run) -> None:
    content = html.render(hostile)
    page = Page(content)
    assert not page.all("img")
    assert len(page.all("script")) == 2
    assert not [attrs for _, attrs in page.elements if "onerror" in attrs]
    assert "49" not in re.findall(r"&#34;&#39;&amp;(.{0,8})", content)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", content)
    content.encode()


def test_hostile_names_stay_text_in_the_findings_for_the_script(hostile: Run) -> None:
    hostile.controls[0].findings.extend(Finding(object=hostile.cluster.name) for _ in range(100))
    page = Page(html.render(hostile))
    data = json.loads(page.content("script")[0])
    assert any("<img" in text for text in data["texts"])
    assert "<" not in page.content("script")[0]


def test_ten_thousand_findings_are_all_there_in_less_than_a_megabyte(example: Callable[..., Run]) -> None:
    run = example(findings=10_000)
    content = html.render(run)
    assert len(content) < 1_000_000
    page = Page(content)
    data = json.loads(page.content("script")[0])
    assert sum(len(rows) for rows in data["rows"].values()) == 10_000
    objects = {data["texts"][row[0]] for rows in data["rows"].values() for row in rows}
    assert objects >= {f.object for c in run.controls if c.id in ("APP-01", "APP-02") for f in c.findings}
    assert len(page.all("tr")) < 300


def test_a_long_value_is_shortened(run: Run) -> None:
    run.controls[0].findings.append(Finding(object="ConfigMap a/b", path="data", value="x" * 10_000))
    assert "x" * 301 not in html.render(run)


@pytest.mark.parametrize("state", [State.RUNNING, State.INTERRUPTED])
def test_a_run_that_did_not_end_says_so(run: Run, state: State) -> None:
    run.state, run.finished = state, None
    run.summarize()
    assert "did not come to its end" in html.render(run)


def test_who_led_and_what_prometheus_saw_stand_with_their_resolution(run: Run) -> None:
    content = html.render(run)
    assert "3.9 s<small>± 100 ms" in content
    assert "4 → 5" in content
    assert "± 2 s" in content
    assert "apiserver_request_total is not exported" in content
    assert "prometheus-agrees</b> <small>(not judged)" in content


def test_an_empty_run_is_a_page(run: Run) -> None:
    empty = Run(id=run.id, started=run.started, state=State.FINISHED)
    empty.summarize(exit_code=5)
    content = html.render(empty)
    Page(content)
    assert "There was nothing to judge." in content


def test_problems_are_named_and_spoil_a_pass(run: Run) -> None:
    fine = Run(id=run.id, started=run.started, state=State.FINISHED, cluster=Cluster(name="x"))
    fine.controls = [c for c in run.controls if c.verdict.value == "pass"]
    fine.summarize()
    assert fine.summary.verdict.value == "pass"
    fine.problems = ["shop.yaml:12: mapping values are not allowed here"]
    fine.summarize()
    assert fine.summary.verdict.value == "unknown"
    assert "shop.yaml:12" in html.render(fine)


def test_the_same_run_gives_the_same_page(run: Run) -> None:
    again = msgspec.convert(msgspec.to_builtins(run), Run)
    assert html.render(run) == html.render(again)
