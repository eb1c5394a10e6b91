"""Judges the manifests of examples/, each read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fixtures import verdict
from fixtures.control import Control
from fixtures.expect import Finding
from fixtures.nouns import given
from fixtures.profiles import profile as profiles
from fixtures.snapshot import manifests
from fixtures.snapshot.snapshot import Snapshot
from fixtures.verdict import Outcome
from fixtures.waivers import Waivers

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@cache
def snapshot(example: str) -> Snapshot:
    return manifests.read([EXAMPLES / example])


def judged(example: str, control: Control, profile: str = "kubeadm") -> Outcome:
    read = snapshot(example)
    return verdict.judge(control, read, given(read, profiles.load(profile), waivers=Waivers()))


@cache
def findings(example: str, control: Control) -> list[Finding]:
    return judged(example, control).open
