"""Which controls a run is about: the standard set, the complete one, and those that are named."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SUITE = '''
from fixtures.control import control

HOW = dict(severity="low", reason="because", remedy="mend it", source="S0-1")


@control("APP-97", "Quick", **HOW)
def test_quick(expect):
    """Judged at once."""
    expect("object", True)


@control("APP-98", "Takes long", set="complete", **HOW)
def test_long(expect):
    """Judged after a while."""
    expect("object", True)
'''


def judged(pytester: pytest.Pytester, *options: str) -> set[str]:
    pytester.makepyfile(test_suite=SUITE)
    manifest = pytester.path / "nothing.yaml"
    manifest.write_text("")
    done = pytester.runpytest_inprocess("-pfixtures.plugin", f"--manifests={manifest}", "-v", *options)
    return {name for name in ("test_quick", "test_long") if f"{name} " in done.stdout.str()}


def test_what_takes_long_is_left_out_of_the_standard_set(pytester: pytest.Pytester) -> None:
    assert judged(pytester) == {"test_quick"}


def test_the_complete_set_has_everything(pytester: pytest.Pytester) -> None:
    assert judged(pytester, "--set=complete") == {"test_quick", "test_long"}


def test_a_control_that_is_named_belongs_to_the_run_whatever_its_set(pytester: pytest.Pytester) -> None:
    assert judged(pytester, "--controls=APP-98") == {"test_long"}


def test_its_layer_alone_does_not_name_it(pytester: pytest.Pytester) -> None:
    assert judged(pytester, "--controls=APP") == {"test_quick"}


def test_sets_select_by_marker_too(pytester: pytest.Pytester) -> None:
    assert judged(pytester, "--set=complete", "-m", "set_complete") == {"test_long"}


def test_a_set_that_does_not_exist_is_refused() -> None:
    from fixtures.control import control

    with pytest.raises(ValueError, match="set 'huge'"):
        control("APP-99", "t", severity="low", reason="r", remedy="m", source="s", set="huge")
