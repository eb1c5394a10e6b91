"""DNS messages as CoreDNS sends them."""

from __future__ import annotations

import struct

import pytest

from fixtures.snapshot.evidence.dns import AAAA, A, parsed

QUESTION = b"\x03web\x04shop\x00" + struct.pack(">HH", A, 1)


def message(code: int, *records: tuple[int, bytes]) -> bytes:
    """An answer whose records name the question by a pointer to it, as servers do."""
    head = struct.pack(">HHHHHH", 7, 0x8180 | code, 1, len(records), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 30, len(data)) + data for kind, data in records)
    return head + QUESTION + body


def test_addresses_of_both_families_are_read() -> None:
    six = bytes.fromhex("fd000010009600000000000000000001")
    assert parsed(message(0, (A, bytes([10, 96, 0, 1])), (AAAA, six))) == (0, ["10.96.0.1", "fd00:10:96::1"])


def test_records_of_other_kinds_are_passed_over() -> None:
    cname = b"\x03api\xc0\x10"
    assert parsed(message(0, (5, cname), (A, bytes([10, 96, 0, 1])))) == (0, ["10.96.0.1"])


def test_an_error_code_is_told() -> None:
    assert parsed(message(2)) == (2, [])


@pytest.mark.parametrize("length", [0, 5, 14, 24, 30])
def test_a_message_cut_short_is_an_error_and_no_answer(length: int) -> None:
    with pytest.raises((struct.error, IndexError, ValueError)):
        parsed(message(0, (A, bytes([10, 96, 0, 1])))[:length])
