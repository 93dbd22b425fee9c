"""A kernel 2 card, asked by hand: what it refuses, keeps and signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emv import tlv
from simulators.card import Answer, Card, Torn, load_profiles, make_card

SELECT = "00A4040007A000000004101000"
OPTIONS = "80A8000005830322015600"
NUMBER = "7FBC4049"
CDOL = (
    f"000000012345 000000000000 0156 0000008001 0156 261124 00 {NUMBER} 22 0000 {'00' * 8} 1F0302"
)
CDOL_BYTES = len(bytes.fromhex(CDOL))


def generate(control: str, data: str = CDOL) -> str:
    return f"80AE{control}00{len(bytes.fromhex(data)):02X}{data}00"


@dataclass
class Asker:
    """Sends commands, and keeps the last answer."""

    card: Card
    data: bytes = b""

    def __call__(self, *commands: str) -> str:
        status = ""
        for command in commands:
            response = self.card.respond(bytes.fromhex(command))
            assert isinstance(response, Answer)
            self.data, status = response.data[:-2], response.data[-2:].hex()
        return status


@pytest.fixture
def ask(home: Path) -> Callable[[str], Asker]:
    """Put a card into a fresh field."""

    def take(name: str) -> Asker:
        card = make_card(load_profiles()[name], home)
        assert isinstance(card, Card)
        card.power_up()
        return Asker(card)

    return take


@pytest.mark.parametrize(
    ("commands", "status"),
    [
        pytest.param((SELECT, OPTIONS, generate("50")), "9000", id="as it should be"),
        pytest.param((SELECT, generate("50")), "6985", id="before the options"),
        pytest.param((SELECT, OPTIONS, generate("50"), generate("50")), "6985", id="twice"),
        pytest.param((SELECT, OPTIONS, OPTIONS), "6985", id="options twice"),
        pytest.param((SELECT, "80A8010005830322015600"), "6a86", id="options with P1"),
        pytest.param((SELECT, "80A8000003830122 00"), "6700", id="options too short"),
        pytest.param((SELECT, OPTIONS, generate("C0")), "6a86", id="a fourth cryptogram"),
        pytest.param((SELECT, OPTIONS, generate("41")), "6a86", id="an unknown bit"),
        pytest.param((SELECT, OPTIONS, generate("40", CDOL + "00")), "6700", id="too much data"),
        pytest.param((SELECT, OPTIONS, "00AE400000"), "6e00", id="another class"),
        pytest.param((SELECT, OPTIONS, "00840000"), "6d00", id="no challenge here"),
        pytest.param((SELECT, OPTIONS, f"80EA000004{NUMBER}00"), "6985", id="no relay resistance"),
        pytest.param((SELECT, OPTIONS, f"80D0000004{NUMBER}00"), "6985", id="nothing to recover"),
        pytest.param((SELECT, OPTIONS, "80CA9F5000"), "6a88", id="no balance"),
        pytest.param((SELECT, OPTIONS, "80DA9F7001AA"), "6a88", id="no storage"),
        pytest.param((SELECT, "00B2011400"), "6a83", id="a record before the options"),
        pytest.param((SELECT, OPTIONS, "00B2011400"), "9000", id="a record"),
        pytest.param((SELECT, OPTIONS, "00B2041400"), "6a83", id="no fourth record"),
    ],
)
def test_a_command_is_answered_with(
    ask: Callable[[str], Asker], commands: tuple[str, ...], status: str
) -> None:
    assert ask("mastercard-online")(*commands) == status


@pytest.mark.parametrize(
    ("name", "control", "kind", "is_signed"),
    [
        ("mastercard-cda-offline", "50", "40", True),
        ("mastercard-cda-offline", "40", "40", False),
        ("mastercard-cda-offline", "90", "80", True),
        ("mastercard-cda-offline", "00", "00", False),
        ("mastercard-online", "50", "80", True),
        ("mastercard-declined", "50", "00", False),
    ],
)
def test_a_card_gives_at_most_what_it_is_asked_for(
    ask: Callable[[str], Asker], name: str, control: str, kind: str, is_signed: bool
) -> None:
    asker = ask(name)

    assert asker(SELECT, OPTIONS, generate(control)) == "9000"
    objects = tlv.collect(tlv.decode(asker.data))
    assert objects[0x9F27].hex() == kind
    assert (0x9F4B in objects, 0x9F26 in objects) == (is_signed, not is_signed)


def test_relay_resistance_tells_its_times(ask: Callable[[str], Asker]) -> None:
    asker = ask("mastercard-rrp-too-slow")
    asker(SELECT, OPTIONS)
    response = asker.card.respond(bytes.fromhex(f"80EA000004{NUMBER}00"))

    assert isinstance(response, Answer)
    assert response.delay_us == 150_000
    assert response.data[:2].hex() == "800a"
    assert response.data[6:12].hex() == "0000" + "000a" + "0018"
    assert asker("80EA000003AABBCC00") == "6700"


def test_a_torn_cryptogram_is_told_once_to_who_knows_its_payment(
    ask: Callable[[str], Asker],
) -> None:
    asker = ask("mastercard-cda-torn")
    asker(SELECT, OPTIONS)
    assert isinstance(asker.card.respond(bytes.fromhex(generate("50"))), Torn)
    asker = ask("mastercard-cda-torn")
    recover = f"80D000000A 000000012345 {NUMBER} 00"
    assert asker(SELECT, OPTIONS, recover) == "9000"
    assert b"\x9f\x4b" in asker.data
    assert asker(SELECT, OPTIONS, recover) == "6985", "once"


def test_another_payment_does_not_hear_a_torn_cryptogram(ask: Callable[[str], Asker]) -> None:
    asker = ask("mastercard-cda-torn")
    asker(SELECT, OPTIONS)
    asker.card.respond(bytes.fromhex(generate("50")))
    asker = ask("mastercard-cda-torn")

    assert asker(SELECT, OPTIONS, f"80D000000A 000000099999 {NUMBER} 00") == "6985"
    assert asker(generate("50")) == "9000"


def test_storage_keeps_what_a_shop_writes(ask: Callable[[str], Asker]) -> None:
    asker = ask("mastercard-storage")

    assert asker(SELECT, "80DA9F7503AABBCC", "80CA9F7500") == "9000"
    assert asker.data.hex() == "9f7503aabbcc"
    assert asker("80DA9F6901AA") == "6a88"


def test_a_stripe_computes_codes_for_one_payment(ask: Callable[[str], Asker]) -> None:
    asker = ask("mastercard-magstripe")

    assert asker(SELECT, f"802A8E8004{NUMBER}00") == "6985"
    assert asker("80A8000002830000", f"802A8E8004{NUMBER}00") == "9000"
    first = asker.data
    assert first[2:5].hex() == "9f6102"
    assert asker(SELECT, "80A8000002830000", f"802A8E8004{NUMBER}00") == "9000"
    assert asker.data != first, "the counter goes on"
    assert asker("802A8E800411") == "6700"


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(commands=st.lists(st.binary(min_size=4, max_size=40), max_size=4))
def test_any_command_gets_an_answer(ask: Callable[[str], Asker], commands: list[bytes]) -> None:
    card = ask("mastercard-storage").card
    for command in (bytes.fromhex(SELECT), bytes.fromhex(OPTIONS), *commands):
        response = card.respond(command)
        assert isinstance(response, Answer)
        assert len(response.data) >= 2
