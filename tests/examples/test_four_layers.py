"""examples/four-layers: a complete architecture, in which no control finds anything."""

from __future__ import annotations

import re

import pytest

from fixtures import catalogue, verdict
from fixtures.control import Control
from tests.examples.judging import EXAMPLES, judged, snapshot

FOUR_LAYERS = "four-layers"
ON_MANIFESTS = [control for control in catalogue.controls().values() if not control.live]


@pytest.mark.parametrize("profile", ["kubeadm", "managed"])
@pytest.mark.parametrize("control", ON_MANIFESTS, ids=lambda control: control.id)
def test_no_control_finds_anything(control: Control, profile: str) -> None:
    outcome = judged(FOUR_LAYERS, control, profile)
    assert outcome.error is None, f"the control broke: {outcome.error!r}"
    assert outcome.verdict != "fail", verdict.summary(outcome)


UNDECIDED: dict[str, str] = {}
"""Controls that no manifest can decide, and why."""


@pytest.mark.parametrize("control", ON_MANIFESTS, ids=lambda control: control.id)
def test_what_stays_unknown_is_what_no_manifest_can_say(control: Control) -> None:
    outcome = judged(FOUR_LAYERS, control)
    assert (outcome.verdict == "unknown") == (control.id in UNDECIDED), outcome.reason


NOT_HERE = {
    "SYS-27": "system add-ons come with the cluster",
    "APP-03": "there is no pod without a controller",
    "ACC-04": "no Service keeps traffic local",
    "ACC-06": "routes are the mesh's, not Ingresses or HTTPRoutes: ACC-22 judges them",
    "LCM-25": "nothing is waived",
}
"""Controls that find nothing to judge in it, and why. All others do: a complete architecture has all of these parts."""


@pytest.mark.parametrize("control", ON_MANIFESTS, ids=lambda control: control.id)
def test_what_does_not_apply_is_what_is_rightly_missing(control: Control) -> None:
    outcome = judged(FOUR_LAYERS, control)
    assert (outcome.verdict == "not-applicable") == (control.id in NOT_HERE), outcome.reason


def test_every_manifest_is_read() -> None:
    assert not snapshot(FOUR_LAYERS).problems


def test_the_page_names_every_layer_and_every_file_says_what_it_is_for() -> None:
    page = (EXAMPLES / FOUR_LAYERS / "README.md").read_text()
    for layer in sorted(path for path in (EXAMPLES / FOUR_LAYERS).iterdir() if path.is_dir()):
        assert f"]({layer.name})" in page
        for file in layer.glob("*.yaml"):
            assert re.match(r"# [A-Z]", file.read_text()), f"{file} does not begin with what it is for"
