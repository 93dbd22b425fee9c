"""A conversation in words: recorded cards, then card numbers in every place, then noise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emv import masking, tlv
from emv.apdu import CommandAPDU, generate_ac, get_processing_options, put_data, select, verify
from emv.dialogue import Exchange, Told, as_plain, as_text, tell
from emv.errors import MalformedData

VISA = "4761340000000050"
ODD = "60191234567812345"  # No check digit fits: only its place tells that it is one.
OK = b"\x90\x00"


@pytest.fixture(scope="module")
def traces(shared: Path) -> dict[str, list[Exchange]]:
    found = {}
    for name in ("traces_testcards", "traces_anonymised_cards"):
        for trace in json.loads((shared / f"vectors/emv/{name}.json").read_text())["traces"]:
            found[trace["id"]] = [
                Exchange(
                    bytes.fromhex(each["command"]),
                    bytes.fromhex(each["response"].partition("#")[0]),
                )
                for each in trace["apdus"]
            ]
    return found


def everything(told: list[Told]) -> str:
    return as_text(told) + json.dumps(as_plain(told))


def test_a_recorded_payment_is_told_command_by_command(traces: dict[str, Any]) -> None:
    told = tell(traces["contact-mastercard"])

    assert [each.title for each in told] == [
        "SELECT A0000000041010",
        "GET PROCESSING OPTIONS",
        "READ RECORD 2 of file 2",
        "READ RECORD 1 of file 3",
        "READ RECORD 1 of file 4",
        "READ RECORD 1 of file 5",
        "READ RECORD 2 of file 5",
        "GENERATE AC ARQC",
        "GENERATE AC TC",
    ]
    first, second = told[-2:]
    assert [f"{each.tag:X}" for each in first.asked[:4]] == ["9F02", "9F03", "9F09", "95"]
    assert [f"{each.tag:X}" for each in second.asked] == ["91", "8A", "95", "9F37", "9F4C"]
    assert "byte 4 bit 8: transaction exceeds floor limit" in first.asked[3].notes
    assert not any(each.notes for each in told)


def test_template_80_is_told_apart(traces: dict[str, Any]) -> None:
    options, cryptogram = (
        next(each for each in tell(traces["contact-visa"]) if each.title.startswith(name))
        for name in ("GET PROCESSING", "GENERATE AC")
    )

    assert [f"{each.tag:X}" for each in options.answered] == ["82", "94"]
    assert [f"{each.tag:X}" for each in cryptogram.answered] == ["9F27", "9F36", "9F26", "9F10"]


def test_no_recorded_card_shows_its_number(traces: dict[str, list[Exchange]]) -> None:
    """What every answer names openly is nowhere whole, in digits or in characters."""
    seen = 0
    for exchanges in traces.values():
        text = everything(tell(exchanges))
        for exchange in exchanges:
            try:
                pans = masking.pans_in(tlv.decode(exchange.response[:-2]))
            except MalformedData:
                continue
            for pan in pans:
                seen += 1
                assert pan not in text
                assert pan.encode().hex().upper() not in text
    assert seen >= 20


def test_what_was_masked_before_is_told_alike(traces: dict[str, list[Exchange]]) -> None:
    """Stars stand where nothing is decided by them, so a masked trace reads as it did."""
    for exchanges in traces.values():
        told = tell(exchanges)
        again = tell([Exchange.of_masked(each.command, each.response) for each in told])

        assert [replace(each, notes=()) for each in again] == [
            replace(each, notes=()) for each in told
        ]
        assert [bool(each.notes) for each in again] == [bool(each.notes) for each in told]


def test_whole_hides_nothing(traces: dict[str, list[Exchange]]) -> None:
    exchanges = traces["contact-mastercard"]

    told = tell(exchanges, whole=True)

    assert [each.command for each in told] == [each.command.hex().upper() for each in exchanges]
    assert [each.response for each in told] == [each.response.hex().upper() for each in exchanges]


pans = st.text("123456789", min_size=8, max_size=19)


def packed(pan: str) -> bytes:
    return bytes.fromhex(pan + "F" * (len(pan) % 2))


@settings(max_examples=60)
@given(pans)
@example(ODD)
@example(VISA)
def test_a_number_is_hidden_wherever_card_and_reader_put_it(pan: str) -> None:
    """Of any length, with or without a check digit: one answer names it, so none may show it."""
    number, track = packed(pan), packed(f"{pan}D2512201123456789"[:38])
    record = tlv.encode(0x70, tlv.encode(0x5A, number) + tlv.encode(0x9F7C, b"\x01" + number))
    fci = tlv.encode(0x6F, tlv.encode(0xA5, tlv.encode(0x9F38, bytes.fromhex("570A5A0A9F0206"))))
    lists = tlv.encode(0x70, tlv.encode(0x8C, bytes.fromhex("5A0A9F0206")))
    filled = (track[:10].ljust(10, b"\x00"), number.ljust(10, b"\xff"), bytes(6))
    told = tell(
        [
            Exchange(select(bytes.fromhex("A0000000031010")), fci + OK),
            Exchange(get_processing_options(b"".join(filled)), OK),
            Exchange(bytes.fromhex("00B2010C00"), record + OK),
            Exchange(bytes.fromhex("00B2020C00"), lists + OK),
            Exchange(generate_ac(0x80, number.ljust(10, b"\xff") + bytes(6)), OK),
            Exchange(bytes.fromhex("00B2030C00"), record[:-3] + OK),
            Exchange(put_data(0x9F77, number), OK),
            Exchange(CommandAPDU(0x00, 0xDC, 1, 0x0C, record).encode(), OK),
            Exchange(CommandAPDU(0x00, 0xD6, 1, 0x0C, b"\x5a" + number).encode(), OK),
        ]
    )

    text = everything(told)
    assert pan not in text
    assert pan[-8:] not in text
    assert "answer not shown" in as_text(told[5:6])


def test_a_pin_is_hidden_even_where_a_log_holds_it() -> None:
    block = bytes.fromhex("241234FFFFFFFFFF")

    told = tell([Exchange(verify(0x80, block), OK)])

    assert told[0].command == "0020008008" + "*" * 16
    assert "1234" not in everything(told)


def test_a_list_that_was_never_seen_hides_what_was_filled_in() -> None:
    told = tell([Exchange(generate_ac(0x80, packed(ODD)), OK)])

    assert told[0].command == "80AE800009" + "*" * 18 + "00"
    assert told[0].notes == (
        "command data not shown: no answer before it holds the list it follows",
    )


@settings(max_examples=150)
@given(st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=40)), max_size=5))
def test_any_bytes_are_told(noise: list[tuple[bytes, bytes]]) -> None:
    told = tell([Exchange(command, response) for command, response in noise])

    assert len(told) == len(noise)
    for each, (command, response) in zip(told, noise, strict=True):
        assert len(each.command) == 2 * len(command)
        assert len(each.response) == 2 * len(response)
    json.dumps(as_plain(told))
