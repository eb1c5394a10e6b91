"""A bad cable keeps the order of frames, is as late as it should be, and breaks what it should. No network needed."""

from __future__ import annotations

import random
import struct

from fixtures.clusters.cluster import Netem
from fixtures.clusters.lab import impairment
from fixtures.clusters.lab.bad_cable import HEADER, NEEDS_CHECKSUM, PLAIN, Cable, Line, checksum, corrupted
from fixtures.clusters.lab.layout import Topology

FRAME = PLAIN + bytes(60)


def test_a_cable_without_faults_delivers_at_once() -> None:
    cable = Cable(Line(), random.Random(1))
    cable.take(FRAME, 1, 10.0)
    assert cable.due(10.0) == [(1, FRAME)]
    assert cable.counts.delayed == 0


def test_frames_are_as_late_as_the_delay_and_never_overtake_each_other() -> None:
    cable = Cable(Line(delay_s=0.1, jitter_s=0.09), random.Random(1))
    frames = [PLAIN + struct.pack("!I", n) + bytes(60) for n in range(200)]
    for number, frame in enumerate(frames):
        cable.take(frame, 0, number / 1000)
    assert cable.due(0.009) == []
    assert [frame for _, frame in cable.due(1.0)] == frames
    assert cable.counts.delayed == 200


def test_each_direction_waits_for_itself_only() -> None:
    cable = Cable(Line(delay_s=0.1), random.Random(1))
    cable.take(FRAME, 0, 0.0)
    cable.take(FRAME, 1, 0.05)
    assert [to for to, _ in cable.due(0.11)] == [0]
    assert [to for to, _ in cable.due(0.16)] == [1]


def test_as_many_frames_are_broken_as_asked_for() -> None:
    cable = Cable(Line(corrupt=0.1), random.Random(7))
    for _ in range(2000):
        cable.take(FRAME, 0, 0.0)
    assert 150 < cable.counts.corrupted < 250


def test_a_broken_frame_differs_in_one_bit_behind_its_ethernet_header() -> None:
    broken = corrupted(FRAME, random.Random(3))
    assert broken is not None
    differing = [a ^ b for a, b in zip(FRAME, broken, strict=True)]
    assert sum(d.bit_count() for d in differing) == 1
    assert not any(differing[: HEADER.size + 14])


def test_a_checksum_left_to_the_kernel_is_made_before_the_frame_is_broken() -> None:
    """Else the kernel would make one that fits the broken frame, and the error would reach the application."""
    start, offset = 34, 16
    header = HEADER.pack(NEEDS_CHECKSUM, 0, 0, 0, start, offset)
    broken = corrupted(header + bytes(range(80)), random.Random(3))
    assert broken is not None
    assert broken[: HEADER.size] == PLAIN
    data = broken[HEADER.size :]
    assert checksum(data[start:]) != 0xFFFF  # the sum over data and a right checksum would be


def test_a_large_frame_that_must_be_broken_is_lost() -> None:
    header = HEADER.pack(NEEDS_CHECKSUM, 1, 54, 1448, 34, 16)
    assert corrupted(header + bytes(4000), random.Random(3)) is None


def test_loss_is_ruled_for_every_boot_and_each_direction_with_counters() -> None:
    spec = Topology().nodes()[0]
    rules = impairment.loss_rules(spec, "evenkeel_impairment_0", 2.5)
    assert rules.count('"n0.*" counter name "met" numgen random mod 10000 < 250 counter name "lost" drop') == 2
    assert "iifname" in rules
    assert "oifname" in rules


def test_the_report_says_what_is_simulated() -> None:
    if impairment.netem_available():
        return
    assert "simulated" in impairment.how(Netem(delay_ms=10))
    assert "simulated" not in impairment.how(Netem(loss_percent=5, rate_kbit=100))
