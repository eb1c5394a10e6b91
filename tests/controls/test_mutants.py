"""Every control against small files that it must fail, and near misses that it must pass.

A directory of this one is a control's id; a file's name begins with the verdict it must get: `fails-`, `passes-`,
`unknown-`, `skips-` (not-applicable). A `# finds: OBJECT FIELD…` comment names an object, and optionally words, that a
finding must have. A control that needs a live cluster reads its files as the recording of one; a document of
`apiVersion: evenkeel.dev/v1`, `kind: Evidence` holds what only a cluster can say. `# taken:` is the cluster's clock,
`# profile:` the profile, `# with:` what differs from it, as YAML; `# unreadable: Kind reason`
a kind that may not be listed. A file with `# judged: ID` is a waivers file, in whose run that control found fault with
the object `# found:`.
"""

from __future__ import annotations

import functools
import re
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from fixtures import catalogue, verdict
from fixtures.control import Control
from fixtures.expect import Finding
from fixtures.nouns import given
from fixtures.profiles import profile as profiles
from fixtures.snapshot import kinds, manifests
from fixtures.snapshot.saved import Answer, answers
from fixtures.snapshot.snapshot import Snapshot
from fixtures.waivers import Waivers
from fixtures.waivers import read as read_waivers

HERE = Path(__file__).parent
VERDICTS = {"fails": "fail", "passes": "pass", "unknown": "unknown", "skips": "not-applicable"}
FILES = sorted(HERE.glob("*-*/*.yaml"))
_HEADER = re.compile(r"^# (\w+): (.*)$", re.MULTILINE)


def recorded(path: Path, control: Control) -> Snapshot:
    """The file as manifests, or as the recording of a cluster where the control needs one."""
    reader = manifests.Reader()
    reader.path(path)
    read = manifests.snapshot(reader)
    headers = dict(_HEADER.findall(path.read_text()))
    if not control.live and "taken" not in headers:
        return read
    unreadable = {}
    for name, _, reason in (
        line.partition(" ") for key, line in _HEADER.findall(path.read_text()) if key == "unreadable"
    ):
        kind = kinds.by_key(name)
        assert kind is not None, f"{path}: unreadable: no kind {name}"
        unreadable[kind.model] = reason
    evidence = {
        name: Answer(unreadable=data["unreadable"]) if set(data) == {"unreadable"} else Answer(data=data)
        for name, data in reader.evidence.items()
    }
    return Snapshot(
        read.objects,
        source="saved",
        taken=datetime.fromisoformat(headers.get("taken", "2026-01-01T12:00:00+00:00")),
        unreadable=unreadable,
        problems=read.problems,
        ask=answers(evidence),
    )


@functools.cache
def _profile(name: str, more: str = "{}") -> profiles.Profile:
    """A built-in profile, with some values changed."""
    values = profiles.load(name).model_dump()
    for section, changed in yaml.safe_load(more).items():
        values[section] = {**values[section], **changed} if isinstance(changed, dict) else changed
    return profiles.Profile.model_validate(values)


def judged(path: Path, control: Control) -> verdict.Outcome:
    snapshot = recorded(path, control)
    headers = dict(_HEADER.findall(path.read_text()))
    waivers = read_waivers(path) if "judged" in headers else Waivers()
    for each in headers.get("judged", "").split():
        waivers.judged.add(each)
        waivers.waiver(each, Finding(headers["found"], "", None, ""))
    profile = _profile(headers.get("profile", "kubeadm"), headers.get("with", "{}"))
    return verdict.judge(control, snapshot, given(snapshot, profile, waivers=waivers))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_control_gives_each_of_its_files_exactly_the_verdict_in_its_name(path: Path) -> None:
    control = catalogue.controls()[path.parent.name]
    expected = VERDICTS[path.stem.partition("-")[0]]
    outcome = judged(path, control)
    said = "\n".join([outcome.reason, verdict.summary(outcome)])
    assert outcome.error is None, f"the control broke: {outcome.error!r}"
    assert outcome.verdict == expected, said
    wanted = [line for key, line in _HEADER.findall(path.read_text()) if key == "finds"]
    for line in wanted:
        found = [f"{f.object} {f.path} {f.value} {f.message}" for f in outcome.open]
        assert any(all(word in text for word in line.split()) for text in found), f"nothing found about {line}\n{said}"
    if wanted:
        assert len(outcome.open) == len(wanted), f"as many findings as `# finds:` lines\n{said}"


@pytest.mark.parametrize(
    "control",
    [c for c in catalogue.controls().values() if c.layer not in ("recovery", "elasticity")],
    ids=lambda control: control.id,
)
def test_every_control_has_a_file_that_it_fails_and_one_that_it_passes(control: Control) -> None:
    names = [path.name for path in (HERE / control.id).glob("*.yaml")]
    assert any(name.startswith("fails-") for name in names), f"tests/controls/{control.id} has no fails-*.yaml"
    assert any(name.startswith("passes-") for name in names), f"tests/controls/{control.id} has no passes-*.yaml"


@pytest.mark.parametrize("control", catalogue.controls().values(), ids=lambda control: control.id)
def test_every_control_says_why_how_what_to_do_and_whence(control: Control) -> None:
    for name in ("title", "reason", "judged", "remedy", "source"):
        text = getattr(control, name)
        assert len(text.strip()) > (3 if name == "source" else 15), f"{control.id}: {name} says nothing: {text!r}"
    assert not control.title.endswith("."), f"{control.id}: a title is a claim, without a full stop"


def test_every_directory_of_files_belongs_to_a_control() -> None:
    strangers = {path.parent.name for path in FILES} - set(catalogue.controls())
    assert not strangers, f"no control has the id {strangers}"


def test_every_file_name_begins_with_a_verdict() -> None:
    strangers = [path for path in FILES if path.stem.partition("-")[0] not in VERDICTS]
    assert not strangers
