"""Headers of key blocks: lengths of their parts, written and read."""

from __future__ import annotations

import pytest

from emv.keys.key_block_header import Header, KeyBlockRefused, encode_header, parse_header


def header(*blocks: tuple[str, str]) -> Header:
    return Header("P0", "A", "E", blocks=blocks)


@pytest.mark.parametrize("length", [0, 1, 250, 251, 252, 253, 300, 4000])
def test_an_optional_block_of_any_length_reads_back(length: int) -> None:
    """From 256 characters on, the length has a length."""
    written = header(("KS", "A" * length), ("TS", "20261124"))

    text = encode_header(written, 64, 16)

    assert text[16:].startswith(f"KS{length + 4:02X}A" if 0 < length < 252 else "KS0")
    assert parse_header(text + "0" * 64) == (written, len(text))
    assert len(text) % 16 == 0


def test_a_block_has_at_most_four_digits_of_length() -> None:
    """16 fixed characters, 10 before the contents, 96 of the key."""
    longest = header(("KS", "A" * (9999 - 16 - 10 - 96)))

    assert encode_header(longest, 96, 1).startswith("D9999")
    with pytest.raises(KeyBlockRefused, match="10000 characters, at most 9999"):
        encode_header(longest, 97, 1)


@pytest.mark.parametrize(
    "written",
    [Header("p0", "A", "E"), header(("ks", "1")), header(("KS", "\n")), header(("K", "1"))],
)
def test_what_no_header_can_hold_is_not_written(written: Header) -> None:
    with pytest.raises(KeyBlockRefused):
        encode_header(written, 64, 16)


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        ("KS04", ""),
        ("KS05A", ""),
        ("KS0004000A", ""),
        ("KS000209A", ""),
        ("KS03", "is not one"),
        ("KS06A", "is not one"),
        ("Ks04", "is not one"),
        ("KS0004FFFF", "is not one"),
        ("KS000207", "is not one"),
        ("KS0004000G", "not hexadecimal"),
        ("KS00000000", "not hexadecimal"),
        ("KSXX", "not hexadecimal"),
        ("KS0a", "not hexadecimal"),
        ("KS", "not hexadecimal"),
    ],
)
def test_each_fault_of_an_optional_block(blocks: str, fault: str) -> None:
    length = 16 + len(blocks)
    text = f"D{length:04}P0AE00N0100{blocks}"
    if not fault:
        assert parse_header(text)[1] == length
        return
    with pytest.raises(KeyBlockRefused, match=fault):
        parse_header(text)
