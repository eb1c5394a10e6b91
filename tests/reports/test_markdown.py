"""The job page's summary: everything that did not pass, and no name turned into markup."""

from __future__ import annotations

from reports import markdown
from reports.model import Run


def test_everything_that_did_not_pass_is_there(run: Run) -> None:
    page = markdown.render(run)
    for control in run.controls:
        assert (f" {control.id} " in page) == (control.verdict.value in ("fail", "unknown"))
    assert page.startswith("## ❌ 4 controls and 1 fault failed, 1 control and 1 fault could not be judged.")
    assert "deploy out for 6.4 s (± 50 ms) of 5 s allowed" in page


def test_a_long_list_is_cut_and_says_so(example) -> None:
    page = markdown.render(example(findings=10_000))
    assert len(page) < 20_000
    assert "and 6,647 more, in the HTML report" in page


def test_the_tables_have_a_cell_a_column(hostile: Run) -> None:
    for line in markdown.render(hostile).splitlines():
        if line.startswith("|"):
            assert line.count("|") == 7 if line.count("|") > 6 else line.count("|") == 6


def test_hostile_names_stay_text(hostile: Run) -> None:
    page = markdown.render(hostile)
    for active in ("<img", "`x`", "[a](", "@all", "\x1b", "\x00", "\u202e"):
        assert active not in page
    page.encode()


def test_addresses_mentions_and_references_do_not_become_links() -> None:
    said = markdown.escaped("see https://evil.example, www.evil.example, #12, @team :boom: a_b *c* ~~d~~")
    for active in ("https://", "www.evil", "#12,", "@team", ":boom:", "a_b", "*c*", "~~d"):
        assert active not in said
    assert markdown.escaped("Deployment shop/cart-1: 1 replica (2 wanted), 5% of 3") == (
        "Deployment shop/cart-1: 1 replica (2 wanted), 5% of 3"
    )
