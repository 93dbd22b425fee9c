"""Kernel 2 behind the Entry Point: recorded cards, a paper card, a hostile one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.actions import ActionCodes
from emv.authentication import CAKey, CAKeyStore
from emv.bits import TVR
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.errors import ConfigurationError
from emv.kernels import c2
from emv.kernels.c2.configuration import PHONE_MESSAGES
from emv.outcome import CVM, Interface, MessageId, Outcome, Reason, Start, Status

if TYPE_CHECKING:
    from tests.emv.conftest import PKI, Respond, Tap
    from tests.emv.kernels.conftest import PaperChip

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec(
    "Book C-2, states 1 to 3",
    "Book C-2, states 4 to 6",
    "Book C-2, states 9 to 11",
    "Book C-2, CVM selection",
    "Book C-2, terminal action analysis",
    "Book C-2, torn transaction log",
    "Book C-2, Outcome Parameter Set",
    "Book C-2, Phone Message Table",
    "Book C-2, Third Party Data",
    "Book C-2, 3.6",
    "Book C-2, 3.7",
    "Book C-2, 3.10",
    "Book C-2, Annex A",
    source="ours",
)

MASTERCARD = bytes.fromhex("A0000000041010")
COMBINATION = Combination(MASTERCARD, 2)
FLOOR, CVM_LIMIT, LIMIT, DEVICE_LIMIT = 20_000, 100_000, 500_000, 900_000

QUIET = {"denial": TVR(0), "online": TVR.FLOOR_LIMIT_EXCEEDED, "default": TVR(0)}
"""Action codes that mind the floor limit alone."""


@pytest.fixture
def pay(pki: PKI, terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]) -> Pay:
    """Tap a card for an amount with a reader of this configuration."""

    def tap(
        card: Respond,
        amount: int = 12_345,
        *,
        kind: int = 0,
        terminal_type: int = 0x22,
        today: date | None = None,
        at: time | None = None,
        log: c2.TornLog | None = None,
        previous: Outcome | None = None,
        elapsed_us: Callable[[bytes], int] = lambda _command: 5_000,
        action_codes: dict[str, TVR] | None = None,
        **configuration: Any,
    ) -> Tap:
        transaction = replace(
            sale,
            amount_authorised_minor=amount,
            transaction_type=kind,
            date=today or sale.date,
            time=at,
        )
        limits: dict[str, Any] = {
            "ca_keys": CAKeyStore([pki.ca_key(rid="A000000004")]),
            "floor_limit_minor": FLOOR,
            "cvm_required_limit_minor": CVM_LIMIT,
            "transaction_limit_minor": LIMIT,
            "transaction_limit_device_minor": DEVICE_LIMIT,
        }
        codes = ActionCodes(**{**QUIET, **(action_codes or {})})
        kernels = {
            2: c2.kernel(
                {MASTERCARD: c2.Configuration(action_codes=codes, **limits | configuration)}, log
            )
        }
        kernel = run(
            EntryPointConfig(replace(terminal, terminal_type=terminal_type), (COMBINATION,)),
            transaction,
            kernels,
            Start.B if previous else Start.A,
            previous,
        )
        return pump(kernel, card, elapsed_us=elapsed_us)

    return tap


def message(outcome: Outcome) -> MessageId | None:
    return outcome.ui.message if outcome.ui is not None else None


def control_of(tap: Tap) -> int:
    """P1 of the GENERATE AC: what was asked for."""
    (found,) = (one[2] for one in tap.commands if one[1] == 0xAE)
    return found


def tvr_of(tap: Tap) -> TVR:
    return TVR.decode(tap.outcome.data_record[0x95])


# Cases from outside


@pytest.mark.spec(
    "Book C-2, states 1 to 3",
    "Book C-2, states 4 to 6",
    "Book C-2, states 9 to 11",
    "Book C-2, terminal action analysis",
    source="outside",
)
def test_a_recorded_card_approves_with_its_signature(
    emv_vectors: Callable[[str], Any], pump: Callable[..., Tap]
) -> None:
    """Every byte of its command is the recorded one, and its signature holds.

    A reader that knows the magnetic stripe mode, which passes over that
    record, and no relay resistance yet. The recorded one also passed over
    record 2 of file 3; what stands there is not known.
    """
    passed_over = "00B2021C00"
    traces = {one["id"]: one for one in emv_vectors("traces_testcards.json")["traces"]}
    apdus = traces["contactless-mastercard"]["apdus"]
    expected = traces["contactless-mastercard"]["expect_offline_data_authentication"]
    answers = {one["command"]: bytes.fromhex(one["response"]) for one in apdus}
    entry = tlv.encode(0x61, tlv.encode(0x4F, MASTERCARD) + bytes.fromhex("870101"))
    directory = tlv.encode(0xA5, tlv.encode(0xBF0C, entry))
    name = tlv.encode(0x84, b"2PAY.SYS.DDF01")
    answers["00A404000E325041592E5359532E444446303100"] = (
        tlv.encode(0x6F, name + directory) + b"\x90\x00"
    )
    answers[passed_over] = bytes.fromhex("70009000")
    key = next(
        one
        for one in emv_vectors("capk_test_and_live.json")["keys"]
        if (one["rid"], one["index"]) == tuple(expected["ca"])
    )
    modulus, rid = bytes.fromhex(key["modulus"]), MASTERCARD[:5]
    digest = hashlib.sha1(rid + b"\xef" + modulus + bytes.fromhex(key["exponent"])).digest()
    configuration = c2.Configuration(
        ca_keys=CAKeyStore([CAKey(rid, 0xEF, modulus, int(key["exponent"], 16), None, digest)]),
        floor_limit_minor=50_000,
        cvm_required_limit_minor=5_000,
        action_codes=ActionCodes(online=TVR(0)),
        supports_mag_stripe=True,
        relay_resistance=None,
    )
    tap = pump(
        run(
            EntryPointConfig(Terminal(country=36), (COMBINATION,)),
            Transaction(10_001, currency=36, currency_exponent=2, date=date(2012, 3, 15)),
            {2: c2.kernel({MASTERCARD: configuration})},
        ),
        lambda command: answers.get(command.hex().upper(), b"\x6d\x00"),
        number=bytes.fromhex("000EEC85"),
    )

    sent = [one.hex().upper() for one in tap.commands[1:]]
    assert [one for one in sent if one != passed_over] == [one["command"] for one in apdus]
    assert (tap.outcome.status, tap.outcome.cvm) == (Status.APPROVED, CVM.SIGNATURE)
    assert tap.outcome.data_record[0x9F26].hex().upper() == expected["cda_ac"]
    assert message(tap.outcome) is MessageId.APPROVED_SIGN


@pytest.mark.spec("Book C-2, 5.1", "Book C-2, magnetic stripe mode", source="outside")
def test_a_recorded_stripe_is_filled(
    emv_vectors: Callable[[str], Any],
    terminal: Terminal,
    sale: Transaction,
    pump: Callable[..., Tap],
) -> None:
    """CVC3 01F5 is 501: three digits; and it takes no unpredictable number."""
    traces = {one["id"]: one for one in emv_vectors("traces_testcards.json")["traces"]}
    answers = {
        one["command"]: bytes.fromhex(one["response"]) for one in traces["contactless-msd"]["apdus"]
    }
    entry = tlv.encode(0x61, tlv.encode(0x4F, MASTERCARD))
    fci = tlv.encode(0x84, b"2PAY.SYS.DDF01") + tlv.encode(0xA5, tlv.encode(0xBF0C, entry))
    answers["00A404000E325041592E5359532E444446303100"] = tlv.encode(0x6F, fci) + b"\x90\x00"
    configuration = c2.Configuration(supports_mag_stripe=True, cvm_required_limit_minor=CVM_LIMIT)
    tap = pump(
        run(
            EntryPointConfig(terminal, (COMBINATION,)),
            sale,
            {2: c2.kernel({MASTERCARD: configuration})},
        ),
        lambda command: answers.get(command.hex().upper(), b"\x6d\x00"),
    )

    assert tap.commands[-1].hex().upper() == "802A8E80040000000000"
    assert tap.outcome.status is Status.ONLINE_REQUEST
    before = tlv.find(tlv.decode(answers["00B2010C00"][:-2]), 0x9F6B)
    assert before is not None
    track, filled = before.hex().rstrip("f"), tap.outcome.data_record[0x9F6B].hex().rstrip("f")
    # The last digit tells how many digits of the number were used: none.
    assert filled == track[:-3] + "50" + "0"


# Modes and options


def test_a_card_asks_the_issuer(pay: Pay, chip: PaperChip) -> None:
    tap = pay(chip)

    assert tap.outcome.status is Status.ONLINE_REQUEST
    assert message(tap.outcome) is MessageId.AUTHORISING
    assert tap.outcome.data_record[0x9F26].hex() == "0123456789abcdef"
    assert control_of(tap) == 0x50, "a TC with a signature; the card wants more"
    assert tap.outcome.data_record[0x9F33].hex() == "000808"
    assert [one.message for one in tap.shown] == [MessageId.CLEAR_DISPLAY]
    assert tap.shown[0].language == b"enzh"


def test_options_in_format_1(pay: Pay, chip: PaperChip) -> None:
    def card(command: bytes) -> bytes | None:
        answer = chip(command)
        return bytes.fromhex("8006 1980 10010301 9000") if command[1] == 0xA8 else answer

    assert pay(card).outcome.status is Status.ONLINE_REQUEST


@pytest.mark.parametrize("status", ["6985", "6984", "6986", "6A81", "6F00"])
def test_refused_options_pass_on_to_the_next_application(
    pay: Pay, chip: PaperChip, status: str
) -> None:
    chip.gpo_status = status

    assert pay(chip).outcome.reason == Reason.NO_APPLICATION


@pytest.mark.parametrize("tag", ["82", "94"])
def test_options_without_profile_or_locator_end_it(pay: Pay, chip: PaperChip, tag: str) -> None:
    chip.gpo_without = frozenset({tag})
    outcome = pay(chip).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error is not None
    assert tag in outcome.error.detail


@pytest.mark.parametrize(
    ("aip", "emv", "mag", "reason"),
    [
        ("1900", True, False, Reason.MODE_NOT_SUPPORTED),
        # Without the records of a stripe the other mode cannot go on.
        ("1900", True, True, Reason.CARD_DATA_MISSING),
        ("1980", False, True, Reason.CARD_DATA_MISSING),
        ("1980", True, True, ""),
    ],
)
def test_card_and_reader_share_a_mode_or_none(
    pay: Pay, chip: PaperChip, aip: str, emv: bool, mag: bool, reason: str
) -> None:
    chip.aip = aip

    assert pay(chip, supports_emv=emv, supports_mag_stripe=mag).outcome.reason == reason


# Limits: at the limit is not over it


@pytest.mark.parametrize(
    ("amount", "device", "is_over"),
    [
        (LIMIT, False, False),
        (LIMIT + 1, False, True),
        (LIMIT + 1, True, False),
        (DEVICE_LIMIT, True, False),
        (DEVICE_LIMIT + 1, True, True),
    ],
)
def test_the_limit_of_a_tap_is_another_for_devices(
    pay: Pay, chip: PaperChip, amount: int, device: bool, is_over: bool
) -> None:
    chip.aip = "1B80" if device else "1980"
    outcome = pay(chip, amount).outcome

    assert (outcome.reason == Reason.OVER_CONTACTLESS_LIMIT) is is_over


@pytest.mark.parametrize(("amount", "is_over"), [(FLOOR, False), (FLOOR + 1, True)])
def test_above_the_floor_limit_the_reader_asks_for_an_arqc(
    pay: Pay, chip: PaperChip, amount: int, is_over: bool
) -> None:
    tap = pay(replace(chip, wants=0x40), amount)

    assert (TVR.FLOOR_LIMIT_EXCEEDED in tvr_of(tap)) is is_over
    assert tap.outcome.status is (Status.ONLINE_REQUEST if is_over else Status.APPROVED)


# Cardholder verification


@pytest.mark.parametrize(
    ("amount", "aip", "cvm", "results"),
    [
        (CVM_LIMIT, "1980", CVM.NONE, "1f0302"),
        (CVM_LIMIT + 1, "1980", CVM.SIGNATURE, "1e0300"),
        (CVM_LIMIT, "1B80", CVM.NONE, "3f0002"),
        (CVM_LIMIT + 1, "1B80", CVM.CONFIRMATION_CODE_VERIFIED, "010002"),
        (CVM_LIMIT + 1, "0980", CVM.NONE, "3f0000"),
    ],
)
def test_the_limit_and_the_profile_choose_how_the_holder_is_verified(
    pay: Pay, chip: PaperChip, amount: int, aip: str, cvm: CVM, results: str
) -> None:
    tap = pay(replace(chip, aip=aip), amount)

    assert tap.outcome.cvm is cvm
    assert tap.outcome.data_record[0x9F34].hex() == results
    assert tap.outcome.receipt is (amount > CVM_LIMIT)


X_Y = "00001000 00002000"


@pytest.mark.parametrize(
    ("rules", "amount", "kind", "capability", "cvm", "results", "tvr"),
    [
        # method and condition; who is asked for a PIN online
        ("4203", 200_000, 0, 0x40, CVM.ONLINE_PIN, "420300", TVR.ONLINE_CVM_CAPTURED),
        ("0200", 200_000, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("42001E03", 200_000, 0, 0x20, CVM.SIGNATURE, "1e0300", TVR(0)),
        ("0000", 200_000, 0, 0x20, CVM.NONE, "000001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("40001E00", 200_000, 0, 0x20, CVM.SIGNATURE, "1e0000", TVR(0)),
        # not for a tap: offline PINs are passed over
        ("41001E00", 200_000, 0, 0x20, CVM.SIGNATURE, "1e0000", TVR(0)),
        ("01001E00", 200_000, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        # a method nobody knows
        ("60001E00", 200_000, 0, 0x20, CVM.SIGNATURE, "1e0000", TVR.UNRECOGNISED_CVM),
        # conditions
        ("1E04", 200_000, 0x01, 0x20, CVM.SIGNATURE, "1e0400", TVR(0)),
        ("1E01", 200_000, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1E02", 200_000, 0, 0x20, CVM.SIGNATURE, "1e0200", TVR(0)),
        ("1E02", 200_000, 0x17, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1E04", 200_000, 0x17, 0x20, CVM.SIGNATURE, "1e0400", TVR(0)),
        ("1E05", 200_000, 0x09, 0x20, CVM.SIGNATURE, "1e0500", TVR(0)),
        ("1E05", 200_000, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1E0A", 200_000, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        # X is 4096, Y is 8192; at the amount neither under nor over
        ("1F06", 4_095, 0, 0x20, CVM.NONE, "1f0602", TVR(0)),
        ("1F06", 4_096, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1F07", 4_097, 0, 0x20, CVM.NONE, "1f0702", TVR(0)),
        ("1F07", 4_096, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1F08", 8_191, 0, 0x20, CVM.NONE, "1f0802", TVR(0)),
        ("1F08", 8_192, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("1F09", 8_193, 0, 0x20, CVM.NONE, "1f0902", TVR(0)),
        ("1F09", 8_192, 0, 0x20, CVM.NONE, "3f0001", TVR.CARDHOLDER_VERIFICATION_FAILED),
    ],
)
def test_each_rule_of_a_list(
    pay: Pay,
    chip: PaperChip,
    rules: str,
    amount: int,
    kind: int,
    capability: int,
    cvm: CVM,
    results: str,
    tvr: TVR,
) -> None:
    tap = pay(
        replace(chip, cvm_list=X_Y + rules), amount, kind=kind, cvm_capability_required=capability
    )

    assert (tap.outcome.cvm, tap.outcome.data_record[0x9F34].hex()) == (cvm, results)
    seen = TVR.ONLINE_CVM_CAPTURED | TVR.CARDHOLDER_VERIFICATION_FAILED | TVR.UNRECOGNISED_CVM
    assert tvr_of(tap) & seen == tvr


def test_amount_conditions_hold_in_the_cards_own_currency_only(pay: Pay, chip: PaperChip) -> None:
    card = replace(chip, cvm_list=X_Y + "1F06", record_without=frozenset({"9F42"}))

    assert pay(card, 100).outcome.data_record[0x9F34].hex() == "3f0001"


def test_a_card_without_a_list_has_data_missing(pay: Pay, chip: PaperChip) -> None:
    tap = pay(replace(chip, cvm_list=None))

    assert TVR.ICC_DATA_MISSING in tvr_of(tap)
    assert tap.outcome.data_record[0x9F34].hex() == "3f0000"


# Terminal action analysis


@pytest.mark.parametrize(
    ("terminal_type", "tac", "iac", "control"),
    [
        (0x22, {}, {}, 0x50),
        (0x22, {"online": TVR.EXPIRED}, {}, 0x90),
        (0x22, {}, {"9F0F": "0040000000"}, 0x90),
        (0x22, {"denial": TVR.EXPIRED}, {}, 0x00),
        (0x22, {}, {"9F0E": "0040000000"}, 0x00),
        (0x22, {"default": TVR.EXPIRED}, {}, 0x50),
        (0x21, {}, {}, 0x90),
        (0x21, {"denial": TVR.EXPIRED}, {}, 0x00),
        (0x23, {}, {}, 0x50),
        (0x23, {"online": TVR.EXPIRED}, {}, 0x50),
        (0x23, {"default": TVR.EXPIRED}, {}, 0x00),
        (0x23, {}, {"9F0D": "0040000000"}, 0x00),
    ],
)
def test_action_codes_choose_the_cryptogram(
    pay: Pay,
    chip: PaperChip,
    terminal_type: int,
    tac: dict[str, TVR],
    iac: dict[str, str],
    control: int,
) -> None:
    """The card is expired: one bit for all action codes to look at."""
    card = replace(chip, expiry="200101", iac=chip.iac | iac)
    tap = pay(card, terminal_type=terminal_type, action_codes={"online": TVR(0)} | tac)

    assert TVR.EXPIRED in tvr_of(tap)
    assert control_of(tap) == control
    if control == 0:
        assert tap.outcome.reason == Reason.EXPIRED


@pytest.mark.parametrize(
    ("tag", "terminal_type", "control"),
    [("9F0F", 0x22, 0x90), ("9F0D", 0x23, 0x00), ("9F0E", 0x22, 0x50)],
)
def test_an_absent_action_code_minds_everything_but_never_denies(
    pay: Pay, chip: PaperChip, tag: str, terminal_type: int, control: int
) -> None:
    card = replace(chip, expiry="200101", record_without=frozenset({tag}))

    assert (
        control_of(pay(card, terminal_type=terminal_type, action_codes={"online": TVR(0)}))
        == control
    )


# The cryptogram


@pytest.mark.parametrize("tag", ["5F24", "5A", "8C"])
def test_each_mandatory_object_of_the_records(pay: Pay, chip: PaperChip, tag: str) -> None:
    outcome = pay(replace(chip, record_without=frozenset({tag}))).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error is not None
    assert outcome.error.detail == f"tag {tag}"


@pytest.mark.parametrize("tag", ["9F27", "9F36", "9F26"])
def test_each_mandatory_object_of_the_cryptogram(pay: Pay, chip: PaperChip, tag: str) -> None:
    card = replace(chip, aip="1880", answer_without=frozenset({tag}))

    assert pay(card).outcome.reason == Reason.CARD_DATA_MISSING


@pytest.mark.parametrize(
    ("where", "twice"),
    [
        ("options_extra", "82021980"),
        ("options_extra", "940410010301"),
        ("record_extra", "5F2403311231"),
        ("record_extra", "82021980"),
        ("answer_extra", "9F3602002A"),
        ("answer_extra", "5F340101"),
    ],
)
def test_an_object_sent_twice_ends_it(pay: Pay, chip: PaperChip, where: str, twice: str) -> None:
    """In one answer, or in two, and though it says the same."""
    outcome = pay(replace(chip, **{where: bytes.fromhex(twice)})).outcome  # type: ignore[arg-type]

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize("tag", ["8F", "90", "9F32", "9F46", "9F47", "9F4A"])
def test_what_a_signature_needs_is_missed_before_it_is_asked_for(
    pay: Pay, chip: PaperChip, tag: str
) -> None:
    tap = pay(replace(chip, record_without=frozenset({tag})))

    assert tvr_of(tap) & (TVR.ICC_DATA_MISSING | TVR.CDA_FAILED) == (
        TVR.ICC_DATA_MISSING | TVR.CDA_FAILED
    )
    assert control_of(tap) == 0x40


def test_a_key_nobody_knows_is_missed_before_a_signature_is_asked_for(
    pay: Pay, chip: PaperChip
) -> None:
    tap = pay(replace(chip, ca_index="93"))

    assert TVR.CDA_FAILED in tvr_of(tap)
    assert TVR.ICC_DATA_MISSING not in tvr_of(tap)
    assert control_of(tap) == 0x40


def test_a_device_that_cannot_sign_is_declined(pay: Pay, chip: PaperChip) -> None:
    tap = pay(replace(chip, aip="1B80", ca_index="93"))

    assert control_of(tap) == 0x00
    assert (tap.outcome.status, tap.outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)


def test_a_tag_list_beyond_the_aip_is_an_error(pay: Pay, chip: PaperChip) -> None:
    card = replace(
        chip,
        record_without=frozenset({"9F4A"}),
        record_extra=bytes.fromhex("9F4A03825F24")[:5] + b"\x24",
    )

    assert pay(card).outcome.reason == Reason.CARD_DATA_ERROR


@pytest.mark.parametrize(
    ("capabilities", "control"), [("", 0x00), ("000000", 0x00), ("000100", 0x10)]
)
def test_a_decline_is_signed_where_the_card_can(
    pay: Pay, chip: PaperChip, capabilities: str, control: int
) -> None:
    card = replace(chip, capabilities=capabilities)
    tap = pay(card, action_codes={"denial": TVR.RELAY_RESISTANCE_NOT_PERFORMED})

    assert control_of(tap) == control
    assert (tap.outcome.status, tap.outcome.reason) == (Status.DECLINED, Reason.TERMINAL_DECLINED)


@pytest.mark.parametrize(
    "flaw", [{"forges": True}, {"signed_cid": 0x40}, {"wants": 0x40, "signed_cid": 0x80}]
)
def test_a_signature_that_does_not_hold_declines(
    pay: Pay, chip: PaperChip, flaw: dict[str, Any]
) -> None:
    outcome = pay(replace(chip, **flaw)).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)
    assert message(outcome) is MessageId.NOT_AUTHORISED
    assert outcome.error is not None
    assert outcome.error.layer == 2


@pytest.mark.parametrize(("wants", "status"), [(0x80, None), (0x40, None), (0x00, "declined")])
def test_a_signature_asked_for_must_come_except_with_a_decline(
    pay: Pay, chip: PaperChip, wants: int, status: str | None
) -> None:
    outcome = pay(replace(chip, wants=wants, signs=False)).outcome

    if status is None:
        assert outcome.reason == Reason.CARD_DATA_MISSING
    else:
        assert (outcome.status.value, outcome.reason) == (status, Reason.CARD_DECLINED)


def test_a_cryptogram_in_format_1(pay: Pay, chip: PaperChip) -> None:
    outcome = pay(replace(chip, aip="1880", as_format_1=True)).outcome

    assert outcome.status is Status.ONLINE_REQUEST
    assert outcome.data_record[0x9F10].hex().startswith("0114a0")


@pytest.mark.parametrize(
    ("amount", "wants", "is_refused"),
    [(FLOOR + 1, 0x40, True), (FLOOR + 1, 0x80, False), (FLOOR, 0x40, False), (FLOOR, 0x00, False)],
)
def test_a_card_gives_less_than_asked_and_never_more(
    pay: Pay, chip: PaperChip, amount: int, wants: int, is_refused: bool
) -> None:
    def card(command: bytes) -> bytes | None:
        if command[1] != 0xAE:
            return chip(command)
        return chip.answer(wants, True, command[5:-1]) + b"\x90\x00"

    assert (pay(card, amount).outcome.reason == Reason.CARD_DATA_ERROR) is is_refused


@pytest.mark.parametrize("status", ["6985", "6A80", "6F00", "6283"])
def test_a_refused_cryptogram_ends_the_application(pay: Pay, chip: PaperChip, status: str) -> None:
    outcome = pay(replace(chip, answer_status=status)).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.CARD_REFUSED)
    assert outcome.error is not None
    assert outcome.error.status_word == int(status, 16)


@pytest.mark.parametrize(
    ("kind", "input_capability", "third_party", "status"),
    [
        (0x00, 0x00, "", Status.DECLINED),
        (0x00, 0x20, "", Status.TRY_ANOTHER_INTERFACE),
        (0x00, 0x20, "0156 0001 3030 00", Status.TRY_ANOTHER_INTERFACE),
        (0x00, 0x20, "0156 0001 3031 00", Status.DECLINED),
        (0x00, 0x20, "0156 0001 3031", Status.DECLINED),
        (0x00, 0x20, "0156 0001 30", Status.TRY_ANOTHER_INTERFACE),
        (0x00, 0x20, "0156 8001 3031 00", Status.TRY_ANOTHER_INTERFACE),
        (0x20, 0x20, "", Status.END_APPLICATION),
    ],
)
def test_a_decline_may_send_plastic_to_the_slot(
    pay: Pay, chip: PaperChip, kind: int, input_capability: int, third_party: str, status: Status
) -> None:
    extra = tlv.encode(0x9F6E, bytes.fromhex(third_party)) if third_party else b""
    card = replace(chip, wants=0x00, answer_extra=extra)
    outcome = pay(card, kind=kind, card_data_input=input_capability).outcome

    assert outcome.status is status
    is_switch = status is Status.TRY_ANOTHER_INTERFACE
    assert (outcome.alternate_interface is Interface.CONTACT) is is_switch


# Phones


@pytest.mark.parametrize(
    ("interaction", "shown", "reason"),
    [
        ("000001", MessageId.SEE_PHONE, Reason.SEE_PHONE),
        ("000100", MessageId.SEE_PHONE, Reason.SEE_PHONE),
        ("000200", MessageId.SEE_PHONE, Reason.SEE_PHONE),
        ("000002", MessageId.NOT_AUTHORISED, Reason.CARD_DECLINED),
    ],
)
def test_a_phone_has_its_holder_told_and_taps_again(
    pay: Pay, chip: PaperChip, interaction: str, shown: MessageId, reason: Reason
) -> None:
    asking = replace(chip, wants=0x00, answer_extra=bytes.fromhex("DF4B03" + interaction))
    first = pay(asking, 200_000).outcome

    assert (first.status, first.start, message(first)) == (Status.END_APPLICATION, Start.B, shown)
    assert first.reason == reason
    assert first.ui_on_restart is not None
    assert first.ui_on_restart.message is MessageId.PRESENT_CARD_AGAIN
    second = pay(replace(chip, aip="1B80"), 200_000, previous=first).outcome
    assert second.cvm is CVM.CONFIRMATION_CODE_VERIFIED


def test_what_a_phone_says_beside_the_mask_is_not_for_the_holder(pay: Pay, chip: PaperChip) -> None:
    card = replace(chip, answer_extra=bytes.fromhex("DF4B03001000"))

    assert pay(card).outcome.status is Status.ONLINE_REQUEST


def test_a_card_that_notices_the_field_has_it_switched_off(pay: Pay, chip: PaperChip) -> None:
    assert pay(replace(chip, capabilities="000400")).outcome.field_off_ms == 1300
    assert pay(chip).outcome.field_off_ms is None


# Relay resistance. In units of 100 us: 5 to 50 announced, 24 estimated on
# the air; the reader expects 18 and 24 there, and grants 20 and 50.

RELAYED = {"aip": "1981", "iac": {}}


def relayed(times: list[int]) -> Callable[[bytes], int]:
    """Give each relay resistance command its time, in units of 100 us."""
    left = iter(times)
    return lambda command: 100 * next(left) if command[1] == 0xEA else 1000


ON_AIR = 18 + 24


@pytest.mark.parametrize(
    ("times", "tries", "tvr"),
    [
        ([ON_AIR + 5], 1, TVR(0)),
        ([ON_AIR + 100], 1, TVR(0)),
        ([ON_AIR + 101, ON_AIR + 100], 2, TVR(0)),
        ([ON_AIR + 101, ON_AIR + 101, ON_AIR + 100], 3, TVR(0)),
        ([ON_AIR + 101] * 3, 3, TVR.RELAY_TIME_LIMITS_EXCEEDED),
        (
            [ON_AIR + 306] * 3,
            3,
            TVR.RELAY_TIME_LIMITS_EXCEEDED | TVR.RELAY_THRESHOLD_EXCEEDED,
        ),
        ([0], 1, TVR(0)),
    ],
)
def test_an_answer_is_in_time_or_tried_three_times(
    pay: Pay, chip: PaperChip, times: list[int], tries: int, tvr: TVR
) -> None:
    tap = pay(replace(chip, aip="1981"), elapsed_us=relayed(times))

    assert sum(one[1] == 0xEA for one in tap.commands) == tries
    found = TVR.RELAY_TIME_LIMITS_EXCEEDED | TVR.RELAY_THRESHOLD_EXCEEDED
    assert tvr_of(tap) & found == tvr
    assert TVR.RELAY_RESISTANCE_PERFORMED in tvr_of(tap)
    assert TVR.RELAY_RESISTANCE_NOT_PERFORMED not in tvr_of(tap)
    assert tap.outcome.status is Status.ONLINE_REQUEST, "the signature covers the measurement"


@pytest.mark.parametrize(("time", "is_refused"), [(ON_AIR + 80, False), (ON_AIR + 79, True)])
def test_an_answer_sooner_than_possible_is_an_error(
    pay: Pay, chip: PaperChip, time: int, is_refused: bool
) -> None:
    card = replace(chip, aip="1981", relay="11223344 0064 00C8 0018")
    outcome = pay(card, elapsed_us=relayed([time])).outcome

    assert (outcome.reason == Reason.CARD_DATA_ERROR) is is_refused


@pytest.mark.parametrize(
    ("estimated", "expected", "is_exceeded"),
    [
        (12, 24, False),
        (11, 24, True),
        (48, 24, False),
        (49, 24, True),
        # A side that states none is not compared.
        (0, 24, False),
        (24, 0, False),
    ],
)
def test_both_sides_must_agree_on_the_time_on_the_air(
    pay: Pay, chip: PaperChip, estimated: int, expected: int, is_exceeded: bool
) -> None:
    card = replace(chip, aip="1981", relay=f"11223344 0005 0032 {estimated:04X}")
    tap = pay(
        card,
        elapsed_us=relayed([60]),
        relay_resistance=c2.RelayResistance(expected_response=expected),
    )

    assert (TVR.RELAY_THRESHOLD_EXCEEDED in tvr_of(tap)) is is_exceeded


def test_a_card_or_reader_without_it_is_not_measured(pay: Pay, chip: PaperChip) -> None:
    assert TVR.RELAY_RESISTANCE_NOT_PERFORMED in tvr_of(pay(chip))
    older = tvr_of(pay(replace(chip, aip="1981"), relay_resistance=None))
    assert not older & (TVR.RELAY_RESISTANCE_NOT_PERFORMED | TVR.RELAY_RESISTANCE_PERFORMED)


def test_a_measurement_that_was_not_signed_is_no_proof(pay: Pay, chip: PaperChip) -> None:
    """Somebody between answers quickly, and the far card signs what it saw."""

    def card(command: bytes) -> bytes | None:
        answer = chip(command)
        if command[1] == 0xEA:
            assert answer is not None
            return answer[:2] + b"\xff" + answer[3:]
        return answer

    chip.aip = "1981"
    assert pay(card, elapsed_us=relayed([50])).outcome.reason == Reason.NOT_AUTHENTIC


@pytest.mark.parametrize("relay", ["", "11", "11223344 0005 0032 0018 00"])
def test_a_measurement_of_another_shape_is_an_error(pay: Pay, chip: PaperChip, relay: str) -> None:
    outcome = pay(replace(chip, aip="1981", relay=relay)).outcome

    assert outcome.reason == Reason.CARD_DATA_ERROR


# Data storage and balance


def test_data_is_read_and_written_where_the_shop_wants(pay: Pay, chip: PaperChip) -> None:
    chip.data = {"9F70": "0102", "9F75": "", "9F76": ""}
    tap = pay(
        chip,
        tags_to_read=(0x9F70, 0x9F71),
        tags_to_write_before={0x9F75: b"before"},
        tags_to_write_after={0x9F76: b"after"},
    )

    assert tap.outcome.discretionary[0x9F70] == b"\x01\x02"
    assert 0x9F71 not in tap.outcome.discretionary
    assert (chip.data["9F75"], chip.data["9F76"]) == (b"before".hex(), b"after".hex())
    assert tap.outcome.discretionary[0xDF810F] == b"\x80"
    assert tap.outcome.discretionary[0xDF810E] == b"\x80"
    order = [one[1] for one in tap.commands]
    assert order.index(0xDA) < order.index(0xAE) < len(order) - 1


def test_a_refused_write_is_told_and_stops_the_others(pay: Pay, chip: PaperChip) -> None:
    chip.data = {"9F76": ""}
    tap = pay(chip, tags_to_write_before={0x9F75: b"x", 0x9F76: b"y"})

    assert tap.outcome.discretionary[0xDF810F] == b"\x00"
    assert chip.data["9F76"] == ""
    assert tap.outcome.status is Status.ONLINE_REQUEST


@pytest.mark.parametrize(("capabilities", "is_told"), [("000200", True), ("000000", False)])
def test_a_balance_is_shown_where_the_card_tells_it(
    pay: Pay, chip: PaperChip, capabilities: str, is_told: bool
) -> None:
    chip.data, chip.capabilities = {"9F50": "000000004200"}, capabilities
    outcome = pay(chip, reads_balance_before=True, reads_balance_after=True).outcome

    assert (0xDF8104 in outcome.discretionary) is is_told
    assert outcome.ui is not None
    assert outcome.ui.value_minor == (4200 if is_told else None)
    assert outcome.ui.currency == (156 if is_told else None)


# Torn transactions

DRDOL = "9F02069F3704"


@pytest.fixture
def torn(chip: PaperChip) -> PaperChip:
    """A card that leaves with its first answer, and keeps it."""
    chip.drdol, chip.lost_at = DRDOL, 1
    return chip


@pytest.mark.parametrize("wants", [0x40, 0x80])
def test_a_torn_transaction_is_taken_up_again(pay: Pay, torn: PaperChip, wants: int) -> None:
    """The second tap gets the first one's answer; no second cryptogram is made."""
    torn.wants, log = wants, c2.TornLog()
    first = pay(torn, log=log, torn_records_max=2)
    second = pay(torn, log=log, torn_records_max=2, previous=first.outcome)

    assert (first.outcome.status, first.outcome.start) == (Status.END_APPLICATION, Start.B)
    assert first.outcome.reason == Reason.LINK_LOST
    assert torn.generated == 1
    assert torn.recovered == [bytes.fromhex("000000012345 7FBC4049")]
    assert second.outcome.status is (Status.APPROVED if wants == 0x40 else Status.ONLINE_REQUEST)
    assert log.records == ()


def test_another_amount_is_another_transaction(pay: Pay, torn: PaperChip) -> None:
    """A recovered answer would settle a payment that nobody is making."""
    log = c2.TornLog()
    first = pay(torn, log=log, torn_records_max=2)
    second = pay(torn, 99, log=log, torn_records_max=2, previous=first.outcome)

    assert torn.recovered == []
    assert torn.generated == 2
    assert second.outcome.status is Status.ONLINE_REQUEST
    assert len(log.records) == 1


def test_a_card_that_has_forgotten_makes_a_new_cryptogram(pay: Pay, torn: PaperChip) -> None:
    log = c2.TornLog()
    first = pay(torn, log=log, torn_records_max=2)
    torn.lost_answer = b""
    second = pay(torn, log=log, torn_records_max=2, previous=first.outcome)

    assert (len(torn.recovered), torn.generated) == (1, 2)
    assert second.outcome.status is Status.ONLINE_REQUEST
    assert log.records == ()


@pytest.mark.parametrize(
    ("minutes", "most", "is_kept"), [(5, 1, True), (6, 1, False), (5, 0, False)]
)
def test_a_torn_transaction_ages(
    pay: Pay, torn: PaperChip, minutes: int, most: int, is_kept: bool
) -> None:
    log = c2.TornLog()
    pay(torn, log=log, torn_records_max=most, at=time(12, 0))
    second = pay(torn, log=log, torn_records_max=most, at=time(12, minutes))

    assert (len(torn.recovered) == 1) is is_kept
    given_up = most and not is_kept
    assert (0xFF8101 in second.outcome.discretionary) is bool(given_up)


def test_of_too_many_the_oldest_goes(pay: Pay, torn: PaperChip) -> None:
    log = c2.TornLog()
    for amount in (1, 2, 3):
        torn.generated = 0
        pay(torn, amount, log=log, torn_records_max=2)

    amounts = [int(one.terminal[0x9F02].hex()) for one in log.records]
    assert amounts == [2, 3]
    assert "5413" not in repr(log)


def test_a_card_that_keeps_nothing_is_simply_tapped_again(pay: Pay, chip: PaperChip) -> None:
    chip.lost_at, log = 1, c2.TornLog()
    outcome = pay(chip, log=log, torn_records_max=2).outcome

    assert (outcome.start, outcome.reason) == (Start.B, Reason.LINK_LOST)
    assert outcome.error is not None
    assert outcome.error.layer == 1
    assert log.records == ()


# Magnetic stripe mode


def test_a_reader_without_the_mode_refuses_a_stripe(pay: Pay, chip: PaperChip) -> None:
    outcome = pay(replace(chip, aip="0000")).outcome

    assert (outcome.status, outcome.reason) == (Status.END_APPLICATION, Reason.MODE_NOT_SUPPORTED)


# Whatever a card does


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"supports_emv": False}, "neither"),
        ({"cvm_capability_required": 0x100}, "cvm_capability_required"),
        ({"phone_messages": ()}, "phone_messages"),
        ({"phone_messages": PHONE_MESSAGES[:-1]}, "phone_messages"),
        (
            {"relay_resistance": c2.RelayResistance(mismatch_threshold_percent=101)},
            "mismatch_threshold_percent",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        c2.Configuration(**setting)


@pytest.mark.parametrize("percent", [0, 100])
def test_a_setting_at_its_edge_can_be(percent: int) -> None:
    relay = c2.RelayResistance(mismatch_threshold_percent=percent)
    assert c2.Configuration(cvm_capability_required=0xFF, relay_resistance=relay)
    assert c2.DataStorage(bytes(8), lambda *_: bytes(8), data=bytes(160)).data == bytes(160)
    with pytest.raises(ConfigurationError, match="data of 161 bytes"):
        c2.DataStorage(bytes(8), lambda *_: bytes(8), data=bytes(161))


def test_an_aid_without_a_configuration_is_named(
    terminal: Terminal, sale: Transaction, chip: PaperChip, pump: Callable[..., Tap]
) -> None:
    with pytest.raises(ConfigurationError, match="A0000000041010"):
        pump(run(EntryPointConfig(terminal, (COMBINATION,)), sale, {2: c2.kernel({})}), chip)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_card_ends_in_an_outcome(
    data: st.DataObject,
    new_chip: Callable[..., PaperChip],
    pki: PKI,
    pump: Callable[..., Tap],
) -> None:
    """It answers right or anything, at any point; or leaves."""
    aip = data.draw(st.sampled_from(["1980", "1981", "1B81", "1880", "0000", "0040"]))
    card = new_chip(aip=aip, drdol=DRDOL, capabilities="000700")
    trouble = st.one_of(
        st.none(),
        st.binary(min_size=2, max_size=60),
        st.binary(max_size=60).map(lambda noise: noise + b"\x90\x00"),
    )

    def hostile(command: bytes) -> bytes | None:
        honest = card(command)
        return honest if data.draw(st.integers(0, 4)) else data.draw(trouble)

    configuration = c2.Configuration(
        ca_keys=CAKeyStore([pki.ca_key(rid="A000000004")]),
        supports_mag_stripe=data.draw(st.booleans()),
        torn_records_max=1,
        reads_balance_before=True,
        tags_to_read=(0x9F70,),
        tags_to_write_after={0x9F75: b"x"},
    )
    log = c2.TornLog()
    config = EntryPointConfig(Terminal(country=156), (COMBINATION,))
    sale = Transaction(12_345, currency=156, currency_exponent=2, date=date(2026, 11, 24))
    kernel = {2: c2.kernel({MASTERCARD: configuration}, log)}
    for _ in range(2):
        outcome = pump(run(config, sale, kernel), hostile, commands_max=120).outcome
        assert outcome.status in Status
        approved = outcome.status in (Status.APPROVED, Status.ONLINE_REQUEST)
        assert not approved or outcome.data_record[0x9F02] == bytes.fromhex("000000012345")
