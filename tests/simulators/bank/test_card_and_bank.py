"""A simulated card at the bank: two halves of one cryptogram, written apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emv import tlv
from simulators.card import Answer, find_card, make_card

if TYPE_CHECKING:
    from tests.simulators.bank.conftest import Shop, Till

VISA = bytes.fromhex("A0000000031010")


def tap(shop: Shop, name: str, amount_minor: int) -> dict[int, bytes]:
    """Return what a card gives for a sale in yuan, and what it was told."""
    told = {
        0x9F66: bytes.fromhex("36804000"),
        0x9F02: bytes.fromhex(f"{amount_minor:012d}"),
        0x9F03: bytes(6),
        0x9F1A: bytes.fromhex("0156"),
        0x95: bytes(5),
        0x5F2A: bytes.fromhex("0156"),
        0x9A: bytes.fromhex("261124"),
        0x9C: b"\x00",
        0x9F37: shop.chance.randbytes(4),
    }
    card = make_card(find_card(name), shop.home)
    card.power_up()
    selected = card.respond(b"\x00\xa4\x04\x00\x07" + VISA + b"\x00")
    assert isinstance(selected, Answer)
    wanted = tlv.find(tlv.decode(selected.data[:-2]), 0x9F38)
    assert wanted is not None
    given, position = b"", 0
    while position < len(wanted):
        size = 2 if wanted[position] & 0x1F == 0x1F else 1
        tag = int.from_bytes(wanted[position : position + size], "big")
        given += told.get(tag, bytes(wanted[position + size]))
        position += size + 1
    body = b"\x83" + bytes([len(given)]) + given
    answered = card.respond(b"\x80\xa8\x00\x00" + bytes([len(body)]) + body + b"\x00")
    assert isinstance(answered, Answer)
    return told | tlv.collect(tlv.decode(answered.data[:-2]))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("visa-online", "00"),
        ("visa-cvn10", "00"),
        ("visa-wrong-cryptogram", "05"),
        ("visa-insufficient-funds", "51"),
        ("visa-issuer-down", "91"),
    ],
)
def test_a_simulated_card_gets_its_banks_decision(
    shop: Shop, till: Till, name: str, code: str
) -> None:
    for _ in range(2):
        values = tap(shop, name, 1250)
        attempt = shop.uuid()
        emv = b"".join(tlv.encode(tag, value) for tag, value in values.items()).hex()
        sealed = till.seal({"attempt": attempt, "entry": "contactless", "emv": emv})
        tender = {"type": "card", "sealed": sealed}

        assert till.pay(till.sale(1250, attempt=attempt) | {"tender": tender})[1]["code"] == code
