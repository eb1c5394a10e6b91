"""Whatever an object looks like, no control breaks: what the API would refuse is named, the rest is judged."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import catalogue, nouns, verdict
from fixtures.profiles import profile as profiles
from fixtures.snapshot import manifests
from fixtures.snapshot.kubernetes_yaml import Loader
from fixtures.snapshot.saved import answers
from fixtures.snapshot.snapshot import Snapshot
from fixtures.waivers import Waivers

HERE = Path(__file__).parent
AUDITED = [c for c in catalogue.controls().values() if c.layer not in ("recovery", "elasticity")]
VERDICTS = {"pass", "fail", "unknown", "waived", "not-applicable"}
GARBAGE = [None, "", "x", "1%", "-1%", "9" * 30, -1, 0, 1, 2**40, 1.5, True, [], {}, [None], [{}], {"": None}, "\0é"]


@cache
def corpus() -> list[Any]:
    """Every object of every control's files: together they have every field that some control reads."""
    found = []
    for path in sorted(HERE.glob("*-*/*.yaml")):
        try:
            documents = list(yaml.load_all(path.read_text(), Loader))
        except yaml.YAMLError:  # APP-33 has one that is broken on purpose
            continue
        found += [d for d in documents if isinstance(d, dict) and d.get("kind", "Evidence") != "Evidence"]
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything within a document, but for what makes it the kind it is."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = []
    for key in keys:
        if path or key not in ("kind", "apiVersion"):
            found.append((*path, key))
            found += places(value[key], (*path, key))
    return found


@st.composite
def broken_documents(draw: st.DrawFn) -> list[Any]:
    """Some objects of the corpus, each with up to three fields replaced or removed."""
    documents = []
    for index in draw(st.lists(st.integers(0, len(corpus()) - 1), min_size=1, max_size=6)):
        document = copy.deepcopy(corpus()[index])
        for _ in range(draw(st.integers(0, 3))):
            paths = places(document)
            if not paths:
                break
            *above, last = paths[draw(st.integers(0, len(paths) - 1))]
            parent = document
            for key in above:
                parent = parent[key]
            if draw(st.booleans()):
                parent[last] = copy.deepcopy(draw(st.sampled_from(GARBAGE)))
            else:
                del parent[last]
        documents.append(document)
    return documents


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(broken_documents(), st.booleans(), st.sampled_from(["kubeadm", "managed", "lab"]))
def test_no_object_breaks_a_control(documents: list[Any], live: bool, name: str) -> None:
    reader = manifests.Reader()
    for number, document in enumerate(documents, 1):
        reader.document(document, "fuzz.yaml", number)
    read = manifests.snapshot(reader)
    snapshot = Snapshot(
        read.objects,
        source="saved" if live else "manifests",
        problems=read.problems,
        others=read.others,
        ask=answers({}) if live else None,
    )
    arguments = nouns.given(snapshot, _profile(name), waivers=Waivers())
    for control in AUDITED:
        outcome = verdict.judge(control, snapshot, arguments)
        assert outcome.error is None, f"{control.id} broke: {outcome.error!r}"
        assert outcome.verdict in VERDICTS
        if outcome.verdict == "pass":
            assert outcome.judged, f"{control.id} passes without having looked at anything"
            assert not snapshot.unread(), f"{control.id} passes though an object it reads could not be decoded"


@cache
def _profile(name: str) -> profiles.Profile:
    return profiles.load(name)
