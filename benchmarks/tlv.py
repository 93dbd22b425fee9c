"""A record of 300 bytes, decoded to its whole tree, beside pyemv."""

from __future__ import annotations

from pyemv import tlv as pyemv_tlv

from benchmarks.harness import Bar, Row, in_turns, row
from emv import tlv

RECORD_BYTES = 300


def record() -> bytes:
    """Return a record as cards have them, application data beside a certificate."""
    objects = (
        (0x5A, bytes.fromhex("4761739001010119")),
        (0x5F24, bytes.fromhex("311231")),
        (0x5F25, bytes.fromhex("240101")),
        (0x5F28, bytes.fromhex("0156")),
        (0x5F34, b"\x01"),
        (0x8C, bytes.fromhex("9F02069F03069F1A0295055F2A029A039C019F3704")),
        (0x8D, bytes.fromhex("8A029F02069F03069F1A0295055F2A029A039C019F3704")),
        (0x8E, bytes.fromhex("000000000000000042035E031F03")),
        (0x9F07, bytes.fromhex("FFC0")),
        (0x9F0D, bytes(5)),
        (0x9F0E, bytes(5)),
        (0x9F0F, bytes(5)),
        (0x9F4A, b"\x82"),
        (0xA5, tlv.encode(0x50, b"VISA DEBIT") + tlv.encode(0x9F12, b"Visa Debit")),
    )
    content = b"".join(tlv.encode(tag, value) for tag, value in objects)
    # '70 82 xx xx' before, '9F46 81 xx' before the certificate.
    room = RECORD_BYTES - 4 - 4 - len(content)
    whole = tlv.encode(0x70, content + tlv.encode(0x9F46, bytes(room)))
    if len(whole) != RECORD_BYTES:
        raise ValueError(f"the record is {len(whole)} bytes long, not {RECORD_BYTES}")
    return whole


def measure() -> list[Row]:
    """Measure both decoders on the same bytes."""
    data = record()
    samples = in_turns(
        lambda: tlv.decode(data), lambda: pyemv_tlv.decode(data), rounds=21, batch=500
    )
    return [
        row(
            "TLV decode of a 300-byte record",
            samples.scaled(1e6),
            "µs",
            "pyemv",
            Bar(1.0, is_ratio=True),
        )
    ]
