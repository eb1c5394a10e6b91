"""The waivers file: what it may say, and what becomes of entries that nothing needs any more."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fixtures import catalogue
from fixtures.expect import Finding
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import judge
from fixtures.waivers import WaiverError, Waivers, read

GOOD = """waivers:
- control: APP-12
  selector: {kind: Deployment, namespace: shop, name: "web*"}
  justification: being replaced by the new shop
  owner: shop team
  expires: 2027-03-31
  ticket: SHOP-7
"""
WEB = Finding("Deployment shop/web-2", "", None, "no budget")


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    return file


def verdict_of(waivers: Waivers) -> tuple[str, list[str]]:
    control = catalogue.controls()["LCM-25"]
    outcome = judge(control, Snapshot({}, source="manifests"), {"waivers": lambda: waivers})
    return outcome.verdict, [finding.message for finding in outcome.open]


def test_an_entry_is_read_whole(tmp_path: Path) -> None:
    (waiver,) = read(written(tmp_path, GOOD)).waivers
    assert (waiver.control, waiver.owner, waiver.expires, waiver.ticket) == (
        "APP-12",
        "shop team",
        date(2027, 3, 31),
        "SHOP-7",
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("owner: shop team", "owner:"), "owner is missing"),
        (("justification", "justifcation"), "unknown key 'justifcation' (did you mean justification?)"),
        (("2027-03-31", "soon"), "expires must be a day"),
        (("namespace: shop", "namspace: shop"), "unknown key 'namspace' (did you mean namespace"),
        (("waivers:", "waiver:"), "expected one key, 'waivers'"),
        (("- control", "- - control"), "broken YAML"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_entry(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    file = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(WaiverError) as error:
        read(file)
    assert complaint in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_waiver_that_is_used_and_in_date_passes(tmp_path: Path) -> None:
    waivers = read(written(tmp_path, GOOD), today=date(2027, 3, 31))
    assert waivers.waiver("APP-12", WEB) is not None
    waivers.judged.add("APP-12")
    assert verdict_of(waivers) == ("pass", [])


def test_an_expired_waiver_is_a_finding_and_waives_nothing(tmp_path: Path) -> None:
    waivers = read(written(tmp_path, GOOD), today=date(2027, 4, 1))
    assert waivers.waiver("APP-12", WEB) is None
    waivers.judged.add("APP-12")
    assert verdict_of(waivers) == ("fail", ["expired on 2027-03-31"])


def test_a_waiver_that_matches_no_finding_is_a_finding(tmp_path: Path) -> None:
    waivers = read(written(tmp_path, GOOD), today=date(2027, 1, 1))
    waivers.judged.add("APP-12")
    assert verdict_of(waivers) == ("fail", ["no finding matches it any more"])


def test_a_waiver_of_a_control_that_was_not_judged_is_left_alone(tmp_path: Path) -> None:
    waivers = read(written(tmp_path, GOOD), today=date(2027, 1, 1))
    assert verdict_of(waivers) == ("pass", [])


def test_without_waivers_there_is_nothing_to_judge() -> None:
    assert verdict_of(Waivers())[0] == "not-applicable"
