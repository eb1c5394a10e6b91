"""How short of processors a machine is, as its kernel counts it."""

from __future__ import annotations

from pathlib import Path

from fixtures.clusters.lab.pressure import waited_s

SAID = """some avg10=72.17 avg60=67.03 avg300=68.71 total=22948149828
full avg10=0.00 avg60=0.00 avg300=0.00 total=7
"""


def test_the_kernels_microseconds_of_waiting_are_seconds(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text(SAID)
    assert waited_s(tmp_path / "cpu") == 22948.149828


def test_a_kernel_that_does_not_count_says_nothing(tmp_path: Path) -> None:
    assert waited_s(tmp_path / "cpu") is None
    (tmp_path / "cpu").write_text("")
    assert waited_s(tmp_path / "cpu") is None
