"""Kernel 8 behind the Entry Point: a paper card, a forger, a hostile one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emv.bits import TVR8
from emv.errors import AuthenticationFailed, ConfigurationError
from emv.kernels import c8
from emv.kernels.c8.certificates import ECKey, ECKeyStore
from emv.kernels.relay import RelayResistance
from emv.outcome import CVM, Interface, MessageId, Reason, Start, Status

if TYPE_CHECKING:
    from tests.emv.conftest import Tap
    from tests.emv.kernels.c8.conftest import PaperCard8

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec(
    "Book C-8, state 1",
    "Book C-8, state 21",
    "Book C-8, state 22",
    "Book C-8, READ DATA",
    "Book C-8, WRITE DATA",
    "Book C-8, before GENERATE AC",
    "Book C-8, terminal action analysis",
    "Book C-8, states 26 to 28",
    "Book C-8, Card TVR",
    "Book C-8, states 29 and 30",
    "Book C-8, Annex A",
    "Book E, 5",
    "Book E, 8.1",
    "Book E, data storage",
    source="ours",
)

OFFLINE, ONLINE_ONLY = "010A", "0102"
"""AIPs: one whose card may approve, one whose card must ask."""
RELAY = "010B"


def tvr(tap: Tap) -> TVR8:
    return TVR8.decode(tap.outcome.discretionary[0x95])


def instructions(tap: Tap) -> list[int]:
    return [command[1] for command in tap.commands if command[1] != 0xA4]


# The way through


def test_a_proved_card_is_approved_here(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(replace(card8, wants=0x40))

    assert tap.outcome.status is Status.APPROVED
    assert tap.outcome.ui is not None
    assert tap.outcome.ui.message is MessageId.APPROVED
    assert tvr(tap) == TVR8.KERNEL_8_FORMAT | TVR8.RELAY_RESISTANCE_NOT_PERFORMED
    assert "card is authentic" in tap.notes
    assert instructions(tap) == [0xA8, 0xB2, 0xB2, 0xB2, 0xAE]


def test_a_card_asks_its_issuer(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(card8)

    assert tap.outcome.status is Status.ONLINE_REQUEST
    record = tap.outcome.data_record
    assert record[0x5A].hex() == "5413330089600010"
    assert record[0x9F26].hex() == "0123456789abcdef"
    assert record[0x9F8109] == card8.mac


def test_the_issuer_gets_the_mac_where_the_card_has_room_for_it(
    pay8: Pay, card8: PaperCard8
) -> None:
    by_reader = pay8(card8, iad_mac_offset=3).outcome.data_record[0x9F10]
    assert by_reader == bytes(3) + card8.mac + bytes(5)

    by_card = replace(card8, aip="010C", answer_extra=bytes.fromhex("9F81070108"))
    assert pay8(by_card).outcome.data_record[0x9F10] == bytes(8) + by_card.mac

    nowhere = replace(card8, aip="0108")
    assert pay8(nowhere).outcome.data_record[0x9F10] == bytes(16)


@pytest.mark.parametrize("offset", [8, 9, 255])
def test_a_mac_that_has_no_room_ends_the_application(
    pay8: Pay, card8: PaperCard8, offset: int
) -> None:
    outcome = pay8(card8, iad_mac_offset=offset).outcome

    if offset == 8:
        assert outcome.status is Status.ONLINE_REQUEST
    else:
        assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


def test_plain_records_are_read_too(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(replace(card8, is_plain=True, wants=0x40))

    assert tap.outcome.status is Status.APPROVED


def test_nothing_that_identifies_a_card_is_sent_in_clear(pay8: Pay, card8: PaperCard8) -> None:
    sent: list[bytes] = []

    def overheard(command: bytes) -> bytes | None:
        answer = card8(command)
        sent.append(answer or b"")
        return answer

    pay8(overheard)

    assert not any(bytes.fromhex("5413330089600010") in one for one in sent)


# Selection and options


@pytest.mark.parametrize("qualifier", ["", "00 00FFFF 00 0000"])
def test_a_card_without_kernel_8_is_passed_over(
    pay8: Pay, card8: PaperCard8, qualifier: str
) -> None:
    tap = pay8(replace(card8, qualifier=qualifier))

    assert instructions(tap) == []
    assert tap.outcome.status is not Status.ONLINE_REQUEST


def test_a_suite_that_nobody_here_has_ends_the_application(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, qualifier="02 01FFFF 00 0000")).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize("tag", ["82", "94", "8C", "9F8103"])
def test_options_without_what_must_be_there_end_the_application(
    pay8: Pay, card8: PaperCard8, tag: str
) -> None:
    outcome = pay8(replace(card8, gpo_without=frozenset({tag}))).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error is not None
    assert tag in outcome.error.detail


def test_the_readers_own_list_stands_in(pay8: Pay, card8: PaperCard8) -> None:
    card = replace(card8, gpo_without=frozenset({"8C"}))

    tap = pay8(card, default_cdol1=bytes.fromhex("9F02069F3704"))

    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert tap.commands[-1][5:11] == bytes.fromhex("000000012345")


def test_options_refused_select_the_next(pay8: Pay, card8: PaperCard8) -> None:
    assert instructions(pay8(replace(card8, gpo_status="6985"))) == [0xA8]


def test_a_reader_says_what_it_is(pay8: Pay, card8: PaperCard8) -> None:
    with_local = pay8(card8).commands[2]
    without = pay8(card8, local_authentication=False).commands[2]

    assert with_local[-9:-1] == bytes.fromhex("02 80 00 10FFFF 0000")
    assert without[-9:-1] == bytes.fromhex("02 00 00 10FFFF 0000")


# Local authentication


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"is_wrong": frozenset({"issuer"})}, "issuer certificate: the signature"),
        ({"is_wrong": frozenset({"icc"})}, "ICC certificate: the signature"),
        ({"is_wrong": frozenset({"static"})}, "static data are not"),
        ({"is_wrong": frozenset({"key"})}, "not the certified key, blinded"),
        ({"issuer_head": "1200 541334FFFF 10 20311231 000001"}, "not for this card number"),
        ({"issuer_head": "1200 54FFFFFFFF 10 20311231 000001"}, "not for this card number"),
        ({"issuer_head": "1200 541333FFFF 11 20311231 000001"}, "algorithm suite 11"),
        ({"issuer_head": "1200 541333FFFF 10 20261123 000001"}, "issuer certificate has expired"),
        ({"issuer_head": "1200 541333FFFF 10 20261345 000001"}, "its date is none"),
        ({"issuer_head": "1300 541333FFFF 10 20311231 000001"}, "format 1300"),
        ({"issuer_scheme": bytes.fromhex("A00000000392")}, "another scheme"),
        ({"issuer_scheme": bytes.fromhex("A00000000493")}, "another scheme"),
        ({"icc_head": "140000 20261123 2359 000000000001 0102"}, "ICC certificate has expired"),
        ({"icc_head": "140001 20311231 2359 000000000001 0102"}, "format 140001"),
        ({"icc_head": "140000 20311231 2359 000000000001 0101"}, "hash algorithm 0101"),
        ({"record_without": frozenset({"8F"})}, "tag 8F is missing"),
        ({"record_without": frozenset({"90"})}, "tag 90 is missing"),
        ({"record_without": frozenset({"9F46"})}, "tag 9F46 is missing"),
    ],
)
def test_a_card_that_cannot_prove_itself_is_declined(
    pay8: Pay, card8: PaperCard8, changed: dict[str, str], check: str
) -> None:
    tap = pay8(replace(card8, wants=0x40, **changed))  # type: ignore[arg-type]

    assert any(check in note for note in tap.notes)
    assert TVR8.LOCAL_AUTHENTICATION_FAILED in tvr(tap)
    assert (tap.outcome.status, tap.outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)


@pytest.mark.parametrize("head", ["1200 541333FFFF 10 20261124 000001", "1200 541FFFFFFF 10 20311231 000001"])  # fmt: skip  # noqa: E501
def test_the_last_day_and_a_short_identifier_are_good(
    pay8: Pay, card8: PaperCard8, head: str
) -> None:
    assert pay8(replace(card8, wants=0x40, issuer_head=head)).outcome.status is Status.APPROVED


def test_an_unknown_scheme_key_proves_nothing(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(replace(card8, wants=0x40), ca_keys=c8.ECKeyStore())

    assert any("CA key A000000004/92 is not known" in note for note in tap.notes)
    assert tap.outcome.reason is Reason.NOT_AUTHENTIC


def test_an_acquirer_may_ask_the_issuer_instead(pay8: Pay, card8: PaperCard8) -> None:
    """The TVR that the issuer would see says so only if the reader reports it."""
    forged = replace(card8, is_wrong=frozenset({"icc"}), wants=0x40)

    reported = pay8(forged, action_denial=TVR8(0))
    silent = pay8(forged, action_denial=TVR8(0), reports_failed_authentication=False)

    assert reported.outcome.status is silent.outcome.status is Status.ONLINE_REQUEST
    assert TVR8.LOCAL_AUTHENTICATION_FAILED in tvr(reported)
    assert TVR8.LOCAL_AUTHENTICATION_FAILED not in tvr(silent)


@pytest.mark.parametrize(("aip", "local"), [("000A", True), ("010A", False)])
def test_without_local_authentication_the_issuer_decides(
    pay8: Pay, card8: PaperCard8, aip: str, local: bool
) -> None:
    card = replace(card8, aip=aip, wants=0x40, record_without=frozenset({"8F", "90", "9F46"}))

    tap = pay8(card, local_authentication=local)

    assert TVR8.LOCAL_AUTHENTICATION_NOT_PERFORMED in tvr(tap)
    assert tap.outcome.status is Status.ONLINE_REQUEST


def test_the_issuer_may_sign_more_than_records(pay8: Pay, card8: PaperCard8) -> None:
    """The label of the selection, an envelope, and an object that is not there."""
    envelopes = {0x9F8111: b"bonus"}
    card = replace(card8, wants=0x40, extended_list="50 9F8111 9F70", envelopes=envelopes)

    assert pay8(card, tags_to_read=(0x9F8111,)).outcome.status is Status.APPROVED
    assert pay8(card).outcome.reason == Reason.NOT_AUTHENTIC


# MACs


@pytest.mark.parametrize("mac", ["iad-mac", "eda-mac"])
def test_a_mac_that_does_not_fit_ends_the_application(
    pay8: Pay, card8: PaperCard8, mac: str
) -> None:
    outcome = pay8(replace(card8, is_wrong=frozenset({mac}))).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.NOT_AUTHENTIC)
    assert not outcome.data_record


def test_what_is_changed_on_the_way_breaks_the_mac(pay8: Pay, card8: PaperCard8) -> None:
    """Somebody between turns an ARQC's cryptogram into another, one bit."""

    def between(command: bytes) -> bytes | None:
        answer = card8(command)
        if command[1] != 0xAE or answer is None:
            return answer
        return answer.replace(bytes.fromhex("0F9F10"), bytes.fromhex("009F10"))

    assert pay8(between, 200_000).outcome.reason is Reason.NOT_AUTHENTIC


@pytest.mark.parametrize("tag", ["9F27", "9F36", "9F10", "9F26", "9F8102", "9F8105"])
def test_an_answer_without_what_must_be_there_ends_the_application(
    pay8: Pay, card8: PaperCard8, tag: str
) -> None:
    outcome = pay8(replace(card8, answer_without=frozenset({tag}))).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)


@pytest.mark.parametrize(
    ("where", "twice"),
    [
        ("gpo_extra", "8202010A"),
        ("record_extra", "5F2403311231"),
        ("answer_extra", "9F36020001"),
    ],
)
def test_an_object_sent_twice_ends_it(pay8: Pay, card8: PaperCard8, where: str, twice: str) -> None:
    outcome = pay8(replace(card8, **{where: bytes.fromhex(twice)})).outcome  # type: ignore[arg-type]

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


def test_a_card_without_a_number_is_charged_nothing(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, record_without=frozenset({"5A"}))).outcome

    assert outcome.reason is Reason.CARD_DATA_MISSING


@pytest.mark.parametrize(
    ("amount", "cid", "is_good"),
    [
        (12_345, 0x40, True),
        (12_345, 0x80, True),
        (12_345, 0x00, True),
        (12_345, 0xC0, False),
        (20_001, 0x40, False),
        (20_001, 0x80, True),
        (20_001, 0x00, True),
    ],
)
def test_a_card_gives_no_more_than_it_is_asked_for(
    pay8: Pay, card8: PaperCard8, amount: int, cid: int, is_good: bool
) -> None:
    outcome = pay8(replace(card8, cid=cid), amount).outcome

    assert (outcome.reason is not Reason.CARD_DATA_ERROR) == is_good


def test_generate_ac_refused_ends_the_application(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, answer_status="6985")).outcome

    assert outcome.reason is Reason.CARD_REFUSED
    assert outcome.error is not None
    assert outcome.error.status_word == 0x6985


# Decisions


@pytest.mark.parametrize(("amount", "is_over"), [(19_999, False), (20_000, False), (20_001, True)])
def test_above_the_floor_limit_the_issuer_decides(
    pay8: Pay, card8: PaperCard8, amount: int, is_over: bool
) -> None:
    tap = pay8(replace(card8, wants=0x40), amount)

    assert (TVR8.FLOOR_LIMIT_EXCEEDED in tvr(tap)) == is_over
    assert (tap.outcome.status is Status.ONLINE_REQUEST) == is_over


@pytest.mark.parametrize(
    ("aip", "terminal_type", "asked"),
    [
        (OFFLINE, 0x22, 0x40),
        (OFFLINE, 0x21, 0x80),
        (OFFLINE, 0x24, 0x80),
        (OFFLINE, 0x23, 0x40),
        (OFFLINE, 0x26, 0x40),
        (ONLINE_ONLY, 0x22, 0x80),
        (ONLINE_ONLY, 0x21, 0x80),
        (ONLINE_ONLY, 0x23, 0x00),
    ],
)
def test_who_can_be_asked_decides(
    pay8: Pay, card8: PaperCard8, aip: str, terminal_type: int, asked: int
) -> None:
    tap = pay8(replace(card8, aip=aip), terminal_type=terminal_type)

    assert tap.commands[-1][2] == asked


@pytest.mark.parametrize(
    ("amount", "capability", "limit"),
    [(100_000, 0x08, 0x00), (100_001, 0x60, 0x80)],
)
def test_above_the_cvm_limit_the_reader_says_so(
    pay8: Pay, card8: PaperCard8, amount: int, capability: int, limit: int
) -> None:
    lists = replace(card8, gpo_extra=b"", gpo_without=frozenset({"8C"}))
    tap = pay8(
        lists,
        amount,
        default_cdol1=bytes.fromhex("9F1D089F3303"),
        cvm_capability_required=0x60,
        cvm_capability_not_required=0x08,
    )

    assert tap.commands[-1][5:16] == bytes(
        (capability, limit, 0, 0, 0, 0, 0, 0, 0, capability, 0x10)
    )
    assert tap.outcome.receipt == (limit != 0)


@pytest.mark.parametrize(
    ("cvd", "able", "cvm", "results"),
    [
        ("00", 0x08, CVM.NONE, "1F0002"),
        ("00", 0xF7, CVM.NOT_APPLICABLE, "3F0001"),
        ("01", 0x20, CVM.SIGNATURE, "1E0000"),
        ("01", 0xDF, CVM.NOT_APPLICABLE, "3F0001"),
        ("02", 0x40, CVM.ONLINE_PIN, "020000"),
        ("02", 0xBF, CVM.NOT_APPLICABLE, "3F0001"),
        ("03", 0x04, CVM.CONFIRMATION_CODE_VERIFIED, "010002"),
        ("03", 0xFB, CVM.NOT_APPLICABLE, "3F0001"),
        ("0F", 0x00, CVM.NOT_APPLICABLE, "3F0000"),
        ("FF", 0xFF, CVM.NOT_APPLICABLE, "3F0001"),
        ("04", 0xFF, CVM.NOT_APPLICABLE, "3F0001"),
    ],
)
def test_the_card_decides_on_its_holder_within_what_the_reader_can(
    pay8: Pay, card8: PaperCard8, cvd: str, able: int, cvm: CVM, results: str
) -> None:
    card = replace(card8, cvd=cvd)

    tap = pay8(card, cvm_capability_not_required=able, action_denial=TVR8(0))

    assert tap.outcome.cvm is cvm
    assert tap.outcome.data_record[0x9F34].hex().upper() == results
    assert (TVR8.CARDHOLDER_VERIFICATION_FAILED in tvr(tap)) == (results == "3F0001")
    assert (TVR8.ONLINE_CVM_CAPTURED in tvr(tap)) == (cvm is CVM.ONLINE_PIN)


def test_a_holder_who_was_not_verified_is_declined(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, cvd="FF", wants=0x40)).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.CVM_NOT_POSSIBLE)


def test_a_signature_is_asked_for_with_the_approval(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, cvd="01", wants=0x40), cvm_capability_not_required=0x20).outcome

    assert outcome.status is Status.APPROVED
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.APPROVED_SIGN


def test_a_card_writes_only_what_is_not_the_kernels(pay8: Pay, card8: PaperCard8) -> None:
    """It reports that it has expired, and tries to clear the kernel's bits."""
    card = replace(card8, answer_extra=bytes.fromhex("9F8104050040000000"), wants=0x40)

    tap = pay8(card, 20_001)

    assert TVR8.EXPIRED in tvr(tap)
    assert TVR8.FLOOR_LIMIT_EXCEEDED in tvr(tap)
    expired = pay8(card, action_denial=TVR8.EXPIRED)
    assert (expired.outcome.status, expired.outcome.reason) == (Status.DECLINED, Reason.EXPIRED)


def test_a_card_of_another_name_is_marked(pay8: Pay, card8: PaperCard8) -> None:
    def renamed(command: bytes) -> bytes | None:
        answer = card8(command)
        if command[1] != 0xA4 or command[5:7] == b"2P" or answer is None:
            return answer
        return answer.replace(bytes.fromhex("8407A0000000040808"), bytes.fromhex("8407A0000000040809"))  # fmt: skip  # noqa: E501

    assert TVR8.AID_MISMATCH in tvr(pay8(renamed))


# Relay resistance


@pytest.mark.parametrize(
    ("elapsed_us", "tries", "findings"),
    [
        (4_200, 1, TVR8.RELAY_RESISTANCE_PERFORMED),
        (14_200, 1, TVR8.RELAY_RESISTANCE_PERFORMED),
        (14_300, 3, TVR8.RELAY_RESISTANCE_PERFORMED | TVR8.RELAY_TIME_LIMITS_EXCEEDED),
        (
            90_000,
            3,
            TVR8.RELAY_RESISTANCE_PERFORMED
            | TVR8.RELAY_TIME_LIMITS_EXCEEDED
            | TVR8.RELAY_THRESHOLD_EXCEEDED,
        ),
    ],
)
def test_a_card_far_away_is_found_out(
    pay8: Pay, card8: PaperCard8, elapsed_us: int, tries: int, findings: TVR8
) -> None:
    """18 and 24 units on the air; 50 announced, 50 of grace."""
    tap = pay8(replace(card8, aip=RELAY, wants=0x40), elapsed_us=lambda _command: elapsed_us)

    assert instructions(tap).count(0xEA) == tries
    assert tvr(tap) == TVR8.KERNEL_8_FORMAT | findings
    is_near = findings == TVR8.RELAY_RESISTANCE_PERFORMED
    assert (tap.outcome.status is Status.APPROVED) == is_near


def test_an_answer_sooner_than_possible_ends_the_application(pay8: Pay, card8: PaperCard8) -> None:
    card = replace(card8, aip=RELAY, relay="11223344 0064 0064 0018")

    outcome = pay8(card, elapsed_us=lambda _command: 4_200).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


def test_relay_resistance_can_be_left_out(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(replace(card8, aip=RELAY), relay_resistance=None)

    assert 0xEA not in instructions(tap)
    assert TVR8.RELAY_RESISTANCE_NOT_PERFORMED in tvr(tap)


# Data envelopes


def test_envelopes_are_read_and_written(pay8: Pay, card8: PaperCard8) -> None:
    card = replace(card8, envelopes={0x9F8111: b"old"})

    tap = pay8(
        card,
        tags_to_read=(0x9F8111, 0x9F8112),
        envelopes_to_write={0x9F8113: b"one", 0x9F8114: b"two"},
    )

    assert tap.outcome.discretionary[0x9F8111] == b"old"
    assert 0x9F8112 not in tap.outcome.discretionary
    assert tap.outcome.discretionary[0x9F821B] == b"\x80"
    assert card.envelopes == {0x9F8111: b"old", 0x9F8113: b"one", 0x9F8114: b"two"}
    generate, first, last = (one for one in tap.commands if one[1] in (0xAE, 0x34))
    assert (generate[3], first[3], last[3]) == (0x80, 0x80, 0x00)


def test_an_envelope_that_was_changed_is_not_believed(pay8: Pay, card8: PaperCard8) -> None:
    card = replace(card8, envelopes={0x9F8111: b"old"}, is_wrong=frozenset({"envelope"}))

    tap = pay8(card, tags_to_read=(0x9F8111,), envelopes_to_write={0x9F8113: b"one"})

    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert 0x9F8111 not in tap.outcome.discretionary
    assert tap.outcome.discretionary[0x9F821B] == b"\x00"


def test_a_card_that_leaves_while_it_is_written_has_paid(pay8: Pay, card8: PaperCard8) -> None:
    tap = pay8(replace(card8, leaves_at=0x34), envelopes_to_write={0x9F8113: b"one"})

    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert tap.outcome.discretionary[0x9F821B] == b"\x00"


# Restarts and refusals


def test_a_card_may_ask_for_another_tap(pay8: Pay, card8: PaperCard8) -> None:
    card = replace(card8, answer_extra=bytes.fromhex("9F8108022020"), qualifier="02 00FFFF 80 0000")

    outcome = pay8(card).outcome

    assert (outcome.status, outcome.start) == (Status.END_APPLICATION, Start.B)
    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.SEE_PHONE
    assert outcome.ui_on_restart is not None
    assert outcome.ui_on_restart.message is MessageId.SEE_PHONE
    assert outcome.field_off_ms == 1300
    assert not outcome.data_record


def test_a_message_that_the_reader_does_not_allow_is_not_shown(
    pay8: Pay, card8: PaperCard8
) -> None:
    card = replace(card8, answer_extra=bytes.fromhex("9F8108022003"))

    outcome = pay8(card).outcome

    assert outcome.ui is not None
    assert outcome.ui.message is MessageId.PRESENT_CARD_AGAIN


@pytest.mark.parametrize(
    ("indicator", "interface"),
    [("31", Interface.CONTACT), ("32", Interface.MAGSTRIPE), ("3F", None)],
)
def test_a_card_that_declines_may_name_another_interface(
    pay8: Pay, card8: PaperCard8, indicator: str, interface: Interface | None
) -> None:
    card = replace(card8, wants=0x00, answer_extra=bytes.fromhex(f"9F810801{indicator}"))

    outcome = pay8(card).outcome

    assert outcome.status is Status.TRY_ANOTHER_INTERFACE
    assert outcome.alternate_interface is interface


def test_a_card_declines(pay8: Pay, card8: PaperCard8) -> None:
    outcome = pay8(replace(card8, wants=0x00)).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.CARD_DECLINED)
    refund = pay8(replace(card8, wants=0x00), transaction_type=0x20).outcome
    assert refund.status is Status.END_APPLICATION


def test_a_card_that_leaves_with_its_cryptogram_is_tapped_again(
    pay8: Pay, card8: PaperCard8
) -> None:
    outcome = pay8(replace(card8, leaves_at=0xAE)).outcome

    assert (outcome.start, outcome.reason) == (Start.B, Reason.LINK_LOST)


def test_a_missing_record_ends_the_application(pay8: Pay, card8: PaperCard8) -> None:
    def without(command: bytes) -> bytes | None:
        return b"\x6a\x83" if command[1:3] == b"\xb2\x02" else card8(command)

    assert pay8(without).outcome.reason is Reason.CARD_REFUSED


def test_a_record_that_is_neither_plain_nor_enciphered_is_refused(
    pay8: Pay, card8: PaperCard8
) -> None:
    def other(command: bytes) -> bytes | None:
        return bytes.fromhex("7100 9000") if command[1] == 0xB2 else card8(command)

    assert pay8(other).outcome.reason is Reason.CARD_DATA_ERROR


# Configuration


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"card_data_input": 256}, "card_data_input"),
        ({"tags_to_read": (0x9F70,)}, "9F8111 to 9F811A"),
        ({"envelopes_to_write": {0x9F8111: bytes(244)}}, "243 bytes"),
        (
            {"relay_resistance": RelayResistance(mismatch_threshold_percent=101)},
            "mismatch_threshold_percent",
        ),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        c8.Configuration(**wrong)  # type: ignore[arg-type]


def test_a_scheme_key_must_be_a_point_with_a_name_of_its_own(ca_keys: ECKeyStore) -> None:
    key = ECKey(b"\xa0\0\0\0\4", 1, bytes(32), bytes(32))
    with pytest.raises(ConfigurationError, match="A000000004/01: P-256"):
        c8.ECKeyStore([key])
    with pytest.raises(ConfigurationError, match="not a RID"):
        c8.ECKeyStore([replace(key, rid=b"")])
    for index in (-1, 256):
        with pytest.raises(ConfigurationError, match="not a RID"):
            c8.ECKeyStore([replace(key, index=index)])
    assert ca_keys


@pytest.mark.parametrize("index", [0, 255])
def test_a_scheme_key_is_found_until_its_last_day(index: int) -> None:
    numbers = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_numbers()
    x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
    key = ECKey(b"\xa0\0\0\0\4", index, x, y, date(2027, 1, 31))
    store = ECKeyStore([key, replace(key, index=7, expires=None)])

    assert store.find(key.rid, index, date(2027, 1, 31)).public_numbers() == numbers
    assert store.find(key.rid, 7, date(2099, 1, 1)).public_numbers() == numbers
    with pytest.raises(AuthenticationFailed, match=f"A000000004/{index:02X} has expired"):
        store.find(key.rid, index, date(2027, 2, 1))
    with pytest.raises(ConfigurationError, match=f"A000000004/{index:02X} is there twice"):
        ECKeyStore([key, key])


# A hostile card


trouble = (
    st.none()
    | st.binary(min_size=2, max_size=40)
    | st.sampled_from(
        [
            b"\x90\x00",
            bytes.fromhex("7700 9000"),
            bytes.fromhex("7000 9000"),
            bytes.fromhex("DA00 9000"),
            bytes.fromhex("DA0501020304059000"),
            bytes.fromhex("800A112233440000000000009000"),
            bytes.fromhex("6700"),
            bytes.fromhex("6985"),
        ]
    )
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip  # noqa: E501
@given(data=st.data())
def test_a_hostile_card_gets_an_outcome(
    data: st.DataObject, new_card8: Callable[..., PaperCard8], pay8: Pay
) -> None:
    """Any bytes in any place: a defined end, and nothing approved that was not asked for."""
    card = new_card8(
        aip=data.draw(st.sampled_from([OFFLINE, ONLINE_ONLY, RELAY, "010C", "0000"])),
        cvd=data.draw(st.sampled_from(["00", "01", "0F", "FF", "77"])),
        answer_extra=data.draw(
            st.sampled_from([b"", bytes.fromhex("9F81080120"), bytes.fromhex("9F810800")])
        ),
    )

    def hostile(command: bytes) -> bytes | None:
        honest = card(command)
        choice = data.draw(st.integers(0, 5))
        if choice == 0:
            return data.draw(trouble)
        if choice == 1 and honest:
            at, bit = data.draw(st.integers(0, len(honest) - 1)), data.draw(st.integers(0, 7))
            return honest[:at] + bytes((honest[at] ^ 1 << bit,)) + honest[at + 1 :]
        return honest

    outcome = pay8(hostile, tags_to_read=(0x9F8111,), envelopes_to_write={0x9F8112: b"x"}).outcome

    assert outcome.status in Status
    approved = outcome.status in (Status.APPROVED, Status.ONLINE_REQUEST)
    assert not approved or outcome.data_record[0x9F02] == bytes.fromhex("000000012345")
