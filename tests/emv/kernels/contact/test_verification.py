"""Cardholder verification by contact: each method, each way a PIN can end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv.bits import TSI, TVR
from emv.conversation import PINAnswer, PINEntry, TakeOnlinePIN, VerifyPIN
from emv.entry_point import Terminal
from emv.outcome import CVM, Outcome, Reason, Status

pytestmark = pytest.mark.spec(
    "Book 3, 10.5",
    "Book 3, 10.5.1",
    "Book 3, 10.5.2",
    "Book 3, 10.5.3",
    "Book 3, 10.5.4",
    "Book 2, 7.1",
    "Book 4, 6.3.4",
    source="ours",
)

Chip = Callable[..., Any]

NO_RISK = TVR.ODA_NOT_PERFORMED
FAILED = TVR.CARDHOLDER_VERIFICATION_FAILED
ENTERED = PINEntry.ENTERED
RIGHT = PINAnswer(ENTERED, 0x9000)
TAKEN = PINAnswer(ENTERED)
BYPASSED, ABSENT = PINAnswer(PINEntry.BYPASSED), PINAnswer(PINEntry.NO_PIN_PAD)
CANCELLED = PINAnswer(PINEntry.CANCELLED)


def wrong(tries_left: int) -> PINAnswer:
    return PINAnswer(ENTERED, 0x63C0 | tries_left)


def rules(*each: str, x: int = 0, y: int = 0) -> dict[str, str]:
    return {"8E": f"{x:08X}{y:08X}{''.join(each)}"}


def found(outcome: Outcome) -> tuple[TVR, str, CVM]:
    record = outcome.data_record
    return (
        TVR.decode(record[0x95]).without(NO_RISK),
        record[0x9F34].hex().upper(),
        outcome.cvm,
    )


@pytest.mark.parametrize(
    ("list_", "pins", "findings", "results", "cvm"),
    [
        (["1F00"], [], TVR(0), "1F0002", CVM.NONE),
        (["1E00"], [], TVR(0), "1E0000", CVM.SIGNATURE),
        (["0200"], [TAKEN], TVR.ONLINE_CVM_CAPTURED, "020000", CVM.ONLINE_PIN),
        (["0100"], [RIGHT], TVR(0), "010002", CVM.OFFLINE_PIN),
        (["0400"], [RIGHT], TVR(0), "040002", CVM.OFFLINE_PIN),
        (["0300"], [RIGHT], TVR(0), "030000", CVM.SIGNATURE),
        (["0500"], [RIGHT], TVR(0), "050000", CVM.SIGNATURE),
        (["0100"], [wrong(2), RIGHT], TVR(0), "010002", CVM.OFFLINE_PIN),
        (["0100"], [wrong(2), wrong(1), RIGHT], TVR(0), "010002", CVM.OFFLINE_PIN),
        # The next rule saves it; its byte 7 is kept in the result.
        (["4000", "5E00"], [], TVR(0), "5E0000", CVM.SIGNATURE),
        (["4200", "1F00"], [BYPASSED], TVR.PIN_NOT_ENTERED, "1F0002", CVM.NONE),
        (["4200", "1F00"], [ABSENT], TVR.PIN_PAD_ABSENT, "1F0002", CVM.NONE),
        (["4100", "4200", "1E00"], [BYPASSED], TVR.PIN_NOT_ENTERED, "1E0000", CVM.SIGNATURE),
        (["4600", "1F00"], [], TVR.UNRECOGNISED_CVM, "1F0002", CVM.NONE),
        (["7F00", "1F00"], [], TVR.UNRECOGNISED_CVM, "1F0002", CVM.NONE),
        # Rules whose condition does not hold are passed over, b7 or not.
        (["0001", "0004", "0005", "000A", "1F00"], [], TVR(0), "1F0002", CVM.NONE),
    ],
)
def test_a_list_is_worked_through_to_the_first_success(
    slot: Any,
    new_chip: Chip,
    list_: list[str],
    pins: list[PINAnswer],
    findings: TVR,
    results: str,
    cvm: CVM,
) -> None:
    slot.people.pins = list(pins)

    outcome = slot.insert(new_chip(signed=rules(*list_)))

    assert found(outcome) == (findings, results, cvm)
    assert slot.people.pins == []
    assert TSI.decode(outcome.data_record[0x9B]) & TSI.CARDHOLDER_VERIFICATION_PERFORMED
    assert outcome.receipt is (cvm is CVM.SIGNATURE)


@pytest.mark.parametrize(
    ("list_", "pins", "findings", "results"),
    [
        (["0000"], [], TVR(0), "000001"),
        (["4000"], [], TVR(0), "400001"),
        (["0001"], [], TVR(0), "3F0001"),
        (["0600"], [], TVR.UNRECOGNISED_CVM, "3F0001"),
        (["0600", "1F00"], [], TVR.UNRECOGNISED_CVM, "3F0001"),
        (["0200"], [BYPASSED], TVR.PIN_NOT_ENTERED, "3F0001"),
        (["0200"], [ABSENT], TVR.PIN_PAD_ABSENT, "3F0001"),
        (["0100"], [BYPASSED], TVR.PIN_NOT_ENTERED, "3F0001"),
        (["0100"], [wrong(0)], TVR.PIN_TRY_LIMIT_EXCEEDED, "010001"),
        (["0100"], [wrong(2), wrong(0)], TVR.PIN_TRY_LIMIT_EXCEEDED, "010001"),
        (["0100"], [wrong(2), BYPASSED], TVR.PIN_NOT_ENTERED, "010001"),
        (["0100"], [PINAnswer(ENTERED, 0x6983)], TVR.PIN_TRY_LIMIT_EXCEEDED, "010001"),
        (["0100"], [PINAnswer(ENTERED, 0x6984)], TVR.PIN_TRY_LIMIT_EXCEEDED, "010001"),
        (["0100"], [PINAnswer(ENTERED, 0x6F00)], TVR(0), "010001"),
        # A card whose tries do not become fewer is not asked again.
        (["0100"], [wrong(3)], TVR(0), "010001"),
        (["0100"], [wrong(2), wrong(2)], TVR(0), "010001"),
    ],
)
def test_a_list_without_a_success_is_a_finding(
    slot: Any,
    new_chip: Chip,
    list_: list[str],
    pins: list[PINAnswer],
    findings: TVR,
    results: str,
) -> None:
    slot.people.pins = list(pins)

    outcome = slot.insert(new_chip(signed=rules(*list_)))

    assert found(outcome) == (findings | FAILED, results, CVM.NONE)
    assert slot.people.pins == []


@pytest.mark.parametrize(
    ("capabilities", "rule", "findings"),
    [
        ("E028C8", "0200", TVR.PIN_PAD_ABSENT),
        ("E028C8", "0100", TVR.PIN_PAD_ABSENT),
        ("E028C8", "0400", TVR.PIN_PAD_ABSENT),
        ("E0A8C8", "0400", TVR(0)),
        ("E038C8", "0100", TVR(0)),
        ("E0D8C8", "1E00", TVR(0)),
        ("E0F0C8", "1F00", TVR(0)),
        # With "if supported" the rule does not apply at all.
        ("E028C8", "0203", TVR(0)),
    ],
)
def test_what_the_terminal_cannot_do_fails(
    slot: Any, new_chip: Chip, capabilities: str, rule: str, findings: TVR
) -> None:
    slot.terminal = Terminal(country=156, capabilities=bytes.fromhex(capabilities))

    outcome = slot.insert(new_chip(signed=rules(rule)))

    assert found(outcome) == (findings | FAILED, "3F0001", CVM.NONE)
    assert slot.people.was_asked(VerifyPIN) == slot.people.was_asked(TakeOnlinePIN) == []


@pytest.mark.parametrize(("amount", "rule"), [(999, "1E06"), (1_000, "1F00"), (1_001, "0207")])
def test_the_amount_chooses_between_rules(
    slot: Any, new_chip: Chip, amount: int, rule: str
) -> None:
    slot.transaction = replace(slot.transaction, amount_authorised_minor=amount)
    slot.people.pins = [TAKEN]

    outcome = slot.insert(new_chip(signed=rules("1E06", "0207", "1F00", x=1_000)))

    assert outcome.data_record[0x9F34].hex().upper()[:4] == rule


@pytest.mark.parametrize("fields", [{"without": frozenset({"8E"})}, {"signed": rules()}])
def test_without_a_list_data_are_missing(slot: Any, new_chip: Chip, fields: dict[str, Any]) -> None:
    outcome = slot.insert(new_chip(**fields))

    assert found(outcome) == (TVR.ICC_DATA_MISSING, "3F0000", CVM.NONE)
    assert not TSI.decode(outcome.data_record[0x9B]) & TSI.CARDHOLDER_VERIFICATION_PERFORMED


def test_a_card_that_wants_no_verification_gets_none(slot: Any, new_chip: Chip) -> None:
    outcome = slot.insert(new_chip(aip="0C00", signed=rules("0200")))

    assert found(outcome) == (TVR(0), "3F0000", CVM.NONE)
    assert slot.people.was_asked(TakeOnlinePIN) == []


def test_a_cancelled_pin_ends_the_payment(slot: Any, new_chip: Chip) -> None:
    slot.people.pins = [CANCELLED]

    outcome = slot.insert(new_chip(signed=rules("0100")))

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CANCELLED)


# Offline PIN


def test_tries_are_told_before_and_between(slot: Any, new_chip: Chip) -> None:
    slot.people.pins = [wrong(2), wrong(1), RIGHT]

    slot.insert(new_chip(signed=rules("0100")))

    asked = slot.people.was_asked(VerifyPIN)
    assert [(each.tries_left, each.is_retry) for each in asked] == [
        (3, False),
        (2, True),
        (1, True),
    ]
    assert all(each.icc_key is None and each.challenge == b"" for each in asked)


def test_a_blocked_pin_is_not_asked_for(slot: Any, new_chip: Chip) -> None:
    outcome = slot.insert(new_chip(signed=rules("0100"), objects={"9F17": "00"}))

    assert found(outcome) == (TVR.PIN_TRY_LIMIT_EXCEEDED | FAILED, "3F0001", CVM.NONE)
    assert slot.people.was_asked(VerifyPIN) == []


def test_a_card_that_does_not_tell_its_tries_is_asked_all_the_same(
    slot: Any, new_chip: Chip
) -> None:
    slot.people.pins = [RIGHT]

    outcome = slot.insert(new_chip(signed=rules("0100"), objects={}))

    assert outcome.cvm is CVM.OFFLINE_PIN
    assert slot.people.was_asked(VerifyPIN)[0].tries_left is None


@pytest.mark.parametrize(("pin_key", "aip"), [(False, "1C00"), (True, "1C00"), (False, "1D00")])
def test_an_enciphered_pin_has_the_cards_key_and_a_challenge_for_each_try(
    slot: Any, new_chip: Chip, pki: Any, pin_key: bool, aip: str
) -> None:
    slot.people.pins = [wrong(2), RIGHT]
    card = new_chip(aip=aip, signed=rules("0400"), pin_key=pin_key)

    outcome = slot.insert(card)

    asked = slot.people.was_asked(VerifyPIN)
    assert outcome.cvm is CVM.OFFLINE_PIN
    assert card.counts[0x84] == 2
    for each in asked:
        assert each.icc_key.modulus == pki.icc.n
        assert each.challenge == bytes(range(1, 9))


@pytest.mark.parametrize(
    "fields",
    [
        {"without": frozenset({"9F46"})},
        {"without": frozenset({"90"})},
        {"statuses": {(0x84, 1): "6D00"}},
        {"statuses": {(0x84, 1): "9000"}},
        {"pin_key": True, "without": frozenset({"9F2E"})},
    ],
)
def test_a_pin_that_cannot_be_enciphered_is_not_asked_for(
    slot: Any, new_chip: Chip, fields: dict[str, Any]
) -> None:
    outcome = slot.insert(new_chip(signed=rules("0400"), **fields))

    assert found(outcome) == (FAILED, "3F0001", CVM.NONE)
    assert slot.people.was_asked(VerifyPIN) == []


def test_an_online_pin_is_asked_for_with_the_card_it_belongs_to(slot: Any, new_chip: Chip) -> None:
    slot.people.pins = [TAKEN]

    slot.insert(new_chip(signed=rules("0200")))

    assert slot.people.was_asked(TakeOnlinePIN) == [TakeOnlinePIN("4761739001010119")]
