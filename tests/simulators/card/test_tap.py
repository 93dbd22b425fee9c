"""Whole taps by hand: nothing here is the terminal's, nothing the card's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyemv import ac, kd

from simulators.card import AnyCard, make_card
from simulators.card.keys import CardKeys
from simulators.card.profile import Method, Profile

Make = Callable[[str], AnyCard]

COVERED = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")


def expected_cryptogram(home: Path, reading: Any) -> bytes:
    """The cryptogram as pyemv makes it."""
    objects, given = reading.options, reading.given
    pan = objects["57"].hex().upper().partition("D")[0]
    key = kd.derive_icc_mk_a(CardKeys(home).issuer_master_key(), pan, objects["5F34"].hex())
    data = b"".join(given[tag] for tag in COVERED) + objects["82"] + objects["9F36"]
    issuer_data = objects["9F10"]
    if issuer_data[2] == 10:
        return ac.generate_ac(key, data + issuer_data[3:7], ac.PaddingType.VISA)
    session = kd.derive_common_sk(key, objects["9F36"] + bytes(6))
    return ac.generate_ac(session, data + issuer_data, ac.PaddingType.EMV)


def kind(reading: Any) -> int:
    """The cryptogram's type, as the card verification results say."""
    return int(reading.options["9F10"][4] >> 4 & 0b11)


AAC, TC, ARQC = 0b00, 0b01, 0b10
ONLINE_WANTED, CVM_WANTED = "22804080", "22404080"


def test_an_online_card_asks_the_issuer_with_a_cryptogram_the_issuer_can_make(
    card: Make, reader: Any, home: Path
) -> None:
    reading = reader.tap(card("visa-online"))

    assert kind(reading) == ARQC
    assert reading.options["9F26"] == expected_cryptogram(home, reading)
    assert reading.options["9F10"] == bytes.fromhex("06011203A00000")
    assert reading.options["57"].hex().startswith("4761739001010119d3112201")
    assert reading.records == []


def test_the_older_cryptogram_version_covers_the_results_alone(
    card: Make, reader: Any, home: Path
) -> None:
    reading = reader.tap(card("visa-cvn10"))

    assert reading.options["9F10"][2] == 10
    assert reading.options["9F26"] == expected_cryptogram(home, reading)


def test_an_offline_card_signs_amount_currency_and_number(
    card: Make, reader: Any, prove: Any, home: Path
) -> None:
    reading = reader.tap(card("visa-offline"))

    assert kind(reading) == TC
    assert reading.options["9F26"] == expected_cryptogram(home, reading)
    dynamic = prove(reading, 0x95)
    assert dynamic == b"\x02" + reading.options["9F36"]
    related = reading.card["9F69"]
    assert related[:1] == b"\x01"
    assert related[5:7] == reading.options["9F6C"]
    assert reading.card["5F24"] == bytes.fromhex("311231")


def test_what_the_card_wants_of_the_cardholder_is_signed(
    card: Make, new_reader: Any, prove: Any
) -> None:
    reading = new_reader(ttq=CVM_WANTED).tap(card("visa-offline"))

    assert prove(reading, 0x95)
    assert reading.options["9F6C"] == reading.card["9F69"][5:7] == b"\x40\x00"


@pytest.mark.spec("Book C-3, Annex C", source="two")
@pytest.mark.parametrize("tag", ["9F02", "5F2A", "9F37"])
def test_what_was_signed_is_proved_for_no_other_transaction(
    card: Make, reader: Any, prove: Any, not_genuine: type[Exception], tag: str
) -> None:
    reading = reader.tap(card("visa-offline"))
    reading.given[tag] = bytes((reading.given[tag][0] ^ 1,)) + reading.given[tag][1:]

    with pytest.raises(not_genuine, match="dynamic data"):
        prove(reading, 0x95)


@pytest.mark.spec("Book C-3, Annex C", source="two")
def test_the_older_signature_covers_the_number_alone(card: Make, reader: Any, prove: Any) -> None:
    reading = reader.tap(card("visa-fdda-00"))

    assert "9F69" not in reading.card
    assert prove(reading, 0x05) == b"\x02" + reading.options["9F36"]


def test_a_reader_that_knows_only_the_older_signature_gets_it(
    card: Make, new_reader: Any, prove: Any
) -> None:
    """TTQ byte 4, bit 8 is off, and the card could do version 01."""
    reading = new_reader(ttq="22004000").tap(card("visa-offline"))

    assert kind(reading) == TC
    assert "9F69" not in reading.card
    assert prove(reading, 0x05) == b"\x02" + reading.options["9F36"]


def test_a_long_signature_stands_in_the_last_record(card: Make, reader: Any, prove: Any) -> None:
    reading = reader.tap(card("visa-long-key"))

    assert "9F4B" not in reading.options
    assert b"\x9f\x4b" in reading.records[-1]
    assert prove(reading, 0x95) == b"\x02" + reading.options["9F36"]


def test_a_forged_certificate_does_not_open(
    card: Make, reader: Any, prove: Any, not_genuine: type[Exception]
) -> None:
    reading = reader.tap(card("visa-wrong-certificate"))

    assert kind(reading) == TC
    with pytest.raises(not_genuine, match="format 04"):
        prove(reading, 0x95)


def test_a_forged_cryptogram_is_not_the_issuers(card: Make, reader: Any, home: Path) -> None:
    reading = reader.tap(card("visa-wrong-cryptogram"))

    assert kind(reading) == ARQC
    assert reading.options["9F26"] != expected_cryptogram(home, reading)


def test_a_declining_card_declines(card: Make, reader: Any, home: Path) -> None:
    reading = reader.tap(card("visa-declined"))

    assert kind(reading) == AAC
    assert reading.options["9F26"] == expected_cryptogram(home, reading)
    assert reading.records == []


def test_the_counter_goes_up_with_each_transaction_and_outlives_the_card(
    card: Make, new_reader: Any
) -> None:
    counters = [
        int.from_bytes(new_reader().tap(card("visa-online")).options["9F36"], "big")
        for _ in range(3)
    ]

    assert counters == [counters[0], counters[0] + 1, counters[0] + 2]


def test_two_transactions_share_neither_cryptogram_nor_card_number(
    card: Make, new_reader: Any
) -> None:
    """The card's own unpredictable number, inside 9F69."""
    same = card("visa-offline")
    first, second = new_reader().tap(same), new_reader().tap(same)

    assert first.options["9F26"] != second.options["9F26"]
    assert first.card["9F69"][1:5] != second.card["9F69"][1:5]


@pytest.mark.parametrize(
    ("name", "ttq", "cryptogram", "qualifiers"),
    [
        pytest.param("visa-offline", ONLINE_WANTED, ARQC, "0000", id="the reader wants online"),
        pytest.param("visa-offline", "2A004080", TC, "0000", id="offline card, offline reader"),
        pytest.param("visa-online", "2A004080", AAC, "0000", id="online card, offline reader"),
        pytest.param("visa-online", CVM_WANTED, ARQC, "4000", id="no PIN pad: signature"),
        pytest.param("visa-online-pin", "26404080", ARQC, "8000", id="PIN before signature"),
        pytest.param("visa-online-pin", "26004080", ARQC, "8000", id="for any amount"),
        pytest.param("visa-online-pin", CVM_WANTED, ARQC, "4000", id="no PIN pad: the next method"),
        pytest.param("visa-offline", CVM_WANTED, TC, "4000", id="a signature stays offline"),
        pytest.param("visa-online", "20404080", ARQC, "0000", id="nothing in common"),
        pytest.param("visa-pin-required", CVM_WANTED, ARQC, "8000", id="insists on the PIN"),
        pytest.param("visa-pin-required", "22004080", ARQC, "0000", id="not below the limit"),
    ],
)
def test_the_card_heeds_what_the_reader_can_and_wants(
    card: Make, new_reader: Any, name: str, ttq: str, cryptogram: int, qualifiers: str
) -> None:
    reading = new_reader(ttq=ttq).tap(card(name))

    assert kind(reading) == cryptogram
    assert reading.options["9F6C"].hex() == qualifiers


def test_a_card_that_would_approve_offline_asks_the_issuer_for_a_pin(
    home: Path, profiles: dict[str, Profile], new_reader: Any
) -> None:
    profile = msgspec.structs.replace(profiles["visa-offline"], cvm=(Method.ONLINE_PIN,))
    reading = new_reader(ttq="26404080").tap(make_card(profile, home))

    assert kind(reading) == ARQC
    assert reading.options["9F6C"].hex() == "8000"


def test_a_reader_that_authenticates_online_payments_too_is_served(
    card: Make, new_reader: Any, prove: Any
) -> None:
    reading = new_reader(ttq="23004080").tap(card("visa-online"))

    assert kind(reading) == ARQC
    assert prove(reading, 0x95) == b"\x02" + reading.options["9F36"]


def test_each_application_has_its_own_number_and_counter(card: Make, new_reader: Any) -> None:
    both = card("two-applications")
    debit = new_reader().tap(both, "A000000003101002")
    credit = new_reader().tap(both, "A000000003101001")

    assert debit.options["57"].hex().startswith("4012000077777777d")
    assert credit.options["57"].hex().startswith("4012000033330026d")
    assert debit.card["50"] == b"VISA DEBIT"
    assert credit.card["87"] == b"\x01"
