"""Offline data authentication by contact: SDA, DDA, CDA, and each thing that is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv.authentication import CAKeyStore
from emv.bits import AIP, TVR, TerminalCapabilities
from emv.conversation import AskIssuer
from emv.entry_point import Terminal
from emv.kernels.contact.authentication import Method, select_method
from emv.outcome import Outcome, Reason, Status

pytestmark = pytest.mark.spec(
    "Book 2, 5",
    "Book 2, 6.5",
    "Book 2, 6.6",
    "Book 3, 7.2",
    "Book 3, 10.3",
    "Book 4, 6.3.2",
    source="ours",
)

Chip = Callable[..., Any]

SDA, DDA, CDA = "5C00", "3C00", "1D00"
EVERYTHING = TerminalCapabilities(0x00_00_C8)


def tvr(outcome: Outcome) -> TVR:
    return TVR.decode(outcome.data_record[0x95])


@pytest.mark.parametrize("capable", [0x80, 0x40, 0x08, 0xC0, 0x88, 0x48, 0xC8, 0x00])
@pytest.mark.parametrize("aip", [0x4000, 0x2000, 0x0100, 0x6000, 0x4100, 0x2100, 0x6100, 0x0000])
def test_the_best_common_method_is_chosen(aip: int, capable: int) -> None:
    both = [
        method
        for method, bit, ability in (
            (Method.CDA, 0x0100, 0x08),
            (Method.DDA, 0x2000, 0x40),
            (Method.SDA, 0x4000, 0x80),
        )
        if aip & bit and capable & ability
    ]

    assert select_method(AIP(aip), TerminalCapabilities(capable)) is (both[0] if both else None)


@pytest.mark.parametrize(
    ("aip", "expected"), [(SDA, TVR.SDA_SELECTED), (DDA, TVR(0)), (CDA, TVR(0))]
)
def test_a_genuine_card_leaves_no_finding(
    slot: Any, new_chip: Chip, aip: str, expected: TVR
) -> None:
    outcome = slot.insert(new_chip(aip=aip))

    assert (outcome.status, tvr(outcome)) == (Status.APPROVED, expected)
    assert outcome.data_record[0x9B][0] & 0x80


def test_without_a_common_method_nothing_was_performed(slot: Any, new_chip: Chip) -> None:
    slot.terminal = Terminal(country=156, capabilities=bytes.fromhex("E0F800"))

    outcome = slot.insert(new_chip(aip="7D00"))

    assert tvr(outcome) == TVR.ODA_NOT_PERFORMED
    assert not outcome.data_record[0x9B][0] & 0x80


@pytest.mark.parametrize(
    ("aip", "tag", "bit"),
    [
        *((SDA, tag, TVR.SDA_FAILED | TVR.SDA_SELECTED) for tag in ("8F", "90", "9F32", "93")),
        *((DDA, tag, TVR.DDA_FAILED) for tag in ("8F", "90", "9F32", "9F46", "9F47")),
        *((CDA, tag, TVR.CDA_FAILED) for tag in ("8F", "90", "9F32", "9F46", "9F47")),
    ],
)
def test_what_is_missing_is_missing_data_and_a_failure(
    slot: Any, new_chip: Chip, aip: str, tag: str, bit: TVR
) -> None:
    outcome = slot.insert(new_chip(aip=aip, without=frozenset({tag})))

    assert tvr(outcome) == bit | TVR.ICC_DATA_MISSING
    assert outcome.status is Status.APPROVED


@pytest.mark.parametrize(
    ("aip", "bit"),
    [
        (SDA, TVR.SDA_FAILED | TVR.SDA_SELECTED),
        (DDA, TVR.DDA_FAILED),
        (CDA, TVR.CDA_FAILED),
    ],
)
@pytest.mark.parametrize("flaw", ["no CA key", "tag list", "another AIP"])
def test_each_flaw_fails_the_method_that_was_chosen(
    slot: Any, new_chip: Chip, aip: str, bit: TVR, flaw: str
) -> None:
    card = new_chip(aip=aip)
    if flaw == "no CA key":
        slot.configuration = replace(slot.configuration, ca_keys=CAKeyStore())
    elif flaw == "tag list":
        card.signed = {"9F4A": "9F02"}
    else:
        card.records = new_chip(aip="1C00").records

    outcome = slot.insert(card)

    assert tvr(outcome) == bit


def test_after_a_failed_key_the_cryptogram_is_not_asked_to_be_signed(
    slot: Any, new_chip: Chip
) -> None:
    card = new_chip(aip=CDA, without=frozenset({"9F46"}))

    outcome = slot.insert(card)

    assert card.requested() == [0x40, 0x40]
    assert outcome.status is Status.APPROVED


def test_combined_authentication_is_asked_for_in_both_cryptograms(
    slot: Any, new_chip: Chip
) -> None:
    card = new_chip(aip=CDA)

    outcome = slot.insert(card)

    assert card.requested() == [0x50, 0x50]
    assert outcome.data_record[0x9F26] == b"CRYPTOGR"


def test_a_declined_payment_needs_no_signature(slot: Any, new_chip: Chip) -> None:
    card = new_chip(aip=CDA, answers=["00"])

    assert slot.insert(card).reason == Reason.CARD_DECLINED


@pytest.mark.parametrize(
    "flaw",
    [
        {"breaks_signature": True},
        {"ac_without": frozenset({"9F4B"})},
        {"signed_cid": "00"},
    ],
)
@pytest.mark.parametrize(("answers", "requested"), [(["40"], [0x50]), (["80", "00"], [0x50, 0x00])])
def test_a_forged_cryptogram_is_refused_without_asking_the_issuer(
    slot: Any, new_chip: Chip, flaw: dict[str, Any], answers: list[str], requested: list[int]
) -> None:
    card = new_chip(aip=CDA, answers=answers, **flaw)

    outcome = slot.insert(card)

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)
    assert tvr(outcome) & TVR.CDA_FAILED
    assert card.requested() == requested
    assert slot.people.was_asked(AskIssuer) == []
    assert outcome.data_record[0x8A] == b"Z1"
    # The second time the card is given what its second list asks for.
    assert [len(sent) for sent in card.sent(0xAE)] == [34, 39][: len(requested)]


def test_a_forged_second_cryptogram_takes_the_approval_back(slot: Any, new_chip: Chip) -> None:
    card = new_chip(aip=CDA)
    honest = card.cryptogram

    def forge(command: bytes, data: bytes) -> bytes:
        card.breaks_signature = card.counts[0xAE] == 2
        answer: bytes = honest(command, data)
        return answer

    card.cryptogram = forge

    outcome = slot.insert(card)

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)
    assert len(slot.people.was_asked(AskIssuer)) == 1
    # Neither the forged one nor the first one is the payment's.
    assert 0x9F26 not in outcome.data_record


def test_combined_authentication_needs_the_unpredictable_number(slot: Any, new_chip: Chip) -> None:
    outcome = slot.insert(new_chip(aip=CDA, signed={"8C": "9F02069F0306"}))

    assert tvr(outcome) == TVR.CDA_FAILED


@pytest.mark.parametrize(
    ("ddol", "bit", "data"),
    [
        ("9F3704", TVR(0), "7FBC4049"),
        ("9A039F3704", TVR(0), "2611247FBC4049"),
        (None, TVR(0), "7FBC4049"),
        ("9A03", TVR.DDA_FAILED, None),
        ("9F3700", TVR.DDA_FAILED, None),
        ("9F37", TVR.DDA_FAILED, None),
        ("9F37049F7CF8", TVR(0), "7FBC4049" + "00" * 248),
        ("9F37049F7CF9", TVR.DDA_FAILED, None),
    ],
)
def test_the_card_signs_what_its_list_or_the_terminals_says(
    slot: Any, new_chip: Chip, ddol: str | None, bit: TVR, data: str | None
) -> None:
    card = new_chip(aip=DDA, ddol=ddol)

    outcome = slot.insert(card)

    assert tvr(outcome) == bit
    assert [each.hex().upper() for each in card.sent(0x88)] == ([] if data is None else [data])


def test_a_broken_dynamic_signature_is_a_finding(slot: Any, new_chip: Chip) -> None:
    assert tvr(slot.insert(new_chip(aip=DDA, breaks_signature=True))) == TVR.DDA_FAILED


@pytest.mark.parametrize(
    ("answer", "bit"),
    [
        (lambda encode, signed: encode("77", encode("9F4B", signed)), TVR(0)),
        (lambda encode, signed: encode("77", encode("9F4C", signed[:2])), TVR.DDA_FAILED),
    ],
)
def test_a_dynamic_signature_may_stand_in_a_template(
    slot: Any, new_chip: Chip, encode: Any, answer: Any, bit: TVR
) -> None:
    card = new_chip(aip=DDA)
    card.sign = lambda _command, data: answer(encode, card.dynamic(b"\x02\x00\x2a", data))

    assert tvr(slot.insert(card)) == bit


def test_a_signature_in_no_known_format_ends_the_application(
    slot: Any, new_chip: Chip, encode: Any
) -> None:
    card = new_chip(aip=DDA)
    for answer in (encode("70", "0102"), encode("70", ""), b""):
        card.sign = lambda _command, _data, answer=answer: answer
        card.counts.clear()
        assert slot.insert(card).reason == Reason.CARD_DATA_ERROR


def test_the_dynamic_number_is_there_for_the_cryptogram(slot: Any, new_chip: Chip) -> None:
    card = new_chip(aip=DDA, signed={"8C": "9F4C029F3704"})

    slot.insert(card)

    assert card.sent(0xAE)[0] == bytes.fromhex("002A7FBC4049")


def test_what_follows_the_dynamic_number_is_not_of_it(slot: Any, new_chip: Chip) -> None:
    card = new_chip(aip=DDA, signed={"8C": "9F4C039F3704"})
    card.sign = lambda _command, data: card.encode("80", card.dynamic(b"\x02\x00\x2a\xff", data))

    assert tvr(slot.insert(card)) == TVR(0)
    assert card.sent(0xAE)[0] == bytes.fromhex("002A007FBC4049")


def test_the_data_authentication_code_is_there_for_the_cryptogram(
    slot: Any, new_chip: Chip
) -> None:
    card = new_chip(aip=SDA, signed={"8C": "9F45029F3704"})

    slot.insert(card)

    assert card.sent(0xAE)[0] == bytes.fromhex("DAC07FBC4049")
