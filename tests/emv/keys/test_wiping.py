"""What held a PIN is overwritten before the function that made it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emv.errors import MalformedData
from emv.keys import offline_pin, pin_block

PIN, PAN, KEY = b"1234", "4111111111111111", bytes(range(16))
FIELD_2 = "241234ffffffffff"
FIELD_0 = "041234ffffffffff"
FIELD_4 = "441234aaaaaaaaaa"


@pytest.fixture
def wiped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is wiped, as it was before; the wiping itself is done."""
    seen: list[str] = []
    wipe = pin_block.wipe

    def watched(buffer: bytearray) -> None:
        seen.append(buffer.hex())
        wipe(buffer)

    monkeypatch.setattr(pin_block, "wipe", watched)
    monkeypatch.setattr(offline_pin, "wipe", watched)
    return seen


def format_4() -> bytes:
    return pin_block.encipher_format_4(PIN, PAN, KEY, bytes(8))


def format_0() -> bytearray:
    return pin_block.encode_format_0(PIN, PAN, is_legacy_allowed=True)


CHALLENGE = bytes(range(8))
PADDING = bytes(128 - offline_pin.OVERHEAD_BYTES)


@pytest.mark.parametrize(
    ("make", "held"),
    [
        (format_4, [FIELD_4 + "00" * 8]),
        (lambda: pin_block.decipher_format_4(format_4(), PAN, KEY), [FIELD_4 + "00" * 8] * 2),
        (format_0, [FIELD_0]),
        (
            lambda: pin_block.decode_format_0(format_0(), PAN, is_legacy_allowed=True),
            [FIELD_0] * 2,
        ),
        (lambda: offline_pin.plaintext_verify(PIN), [FIELD_2]),
        (
            lambda: offline_pin.encipher_for_card(PIN, b"\xff" * 128, 3, CHALLENGE, PADDING),
            [FIELD_2, "7f" + FIELD_2 + CHALLENGE.hex() + PADDING.hex()],
        ),
    ],
)
def test_each_buffer_with_a_pin_is_overwritten(
    wiped: list[str], make: Callable[[], Any], held: list[str]
) -> None:
    make()
    assert wiped == held


@pytest.mark.parametrize("flaw", [0x90, 0xC0])
def test_digits_read_before_a_wrong_one_are_overwritten(wiped: list[str], flaw: int) -> None:
    block = format_0()
    block[2] ^= flaw
    with pytest.raises(MalformedData, match="wrong digit"):
        pin_block.decode_format_0(block, PAN, is_legacy_allowed=True)
    assert wiped[1] == "31320000"
