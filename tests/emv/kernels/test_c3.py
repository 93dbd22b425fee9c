"""Kernel 3 behind the Entry Point: recorded cards, a paper card, a hostile one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv import tlv
from emv.authentication import CAKeyStore, PublicKey, open_issuer_certificate
from emv.conversation import Command
from emv.entry_point import (
    Activation,
    Combination,
    EntryPointConfig,
    Indicators,
    LimitSet,
    Terminal,
    Transaction,
    run,
)
from emv.errors import ConfigurationError, LinkLost
from emv.kernels import c3
from emv.outcome import (
    CVM,
    Interface,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Start,
    Status,
)

if TYPE_CHECKING:
    from tests.emv.conftest import PKI, PaperCard, Respond, Tap

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec(
    "Book C-3, 4.3",
    "Book C-3, 5.2",
    "Book C-3, 5.3",
    "Book C-3, 5.4",
    "Book C-3, 5.5",
    "Book C-3, 5.6",
    "Book C-3, 5.7",
    "Book C-3, 5.8",
    "Book C-3, 5.9",
    "Book C-3, Annex A",
    "Book C-3, Annex B",
    "Book C-3, Annex C",
    source="ours",
)

VISA = bytes.fromhex("A0000000031010")
PAN = "4761739001010119"
TODAY = date(2026, 11, 24)

# TTQ byte 1, as configured: EMV mode with what the reader can do besides.
PLAIN = "20004080"
SIGNATURE = "22004080"
PIN = "24004080"
PIN_AND_SIGNATURE = "26004080"
CONTACT = "32004080"
OFFLINE_ONLY = "2A004080"
ODA_FOR_ONLINE = "23004080"
NO_DEVICE = "22000080"


@pytest.fixture
def pay(
    pki: PKI, terminal: Terminal, visa: Combination, sale: Transaction, pump: Callable[..., Tap]
) -> Pay:
    """Tap a card for an amount with a reader of this TTQ."""

    def tap(
        card: Respond,
        amount: int = 12_345,
        *,
        ttq: str = SIGNATURE,
        kind: int = 0,
        on_exception_file: bool = False,
        today: Any = None,
        limits: dict[str, Any] | None = None,
        **configuration: Any,
    ) -> Tap:
        combination = replace(visa, ttq=bytes.fromhex(ttq), **(limits or {}))
        transaction = replace(
            sale,
            amount_authorised_minor=amount,
            amount_other_minor=1_000 if kind == 0x09 else 0,
            transaction_type=kind,
            date=today or sale.date,
        )
        settings = {"ca_keys": pki.store(), **configuration}
        kernels = {3: c3.kernel(c3.Configuration(**settings))}
        return pump(
            run(EntryPointConfig(terminal, (combination,)), transaction, kernels),
            card,
            on_exception_file=on_exception_file,
        )

    return tap


@pytest.fixture
def offline(card: PaperCard) -> PaperCard:
    """A card that approves by itself, with fDDA version 01."""
    return replace(card, iad="06011203900000", fdda=1)


def message(outcome: Outcome) -> MessageId | None:
    return outcome.ui.message if outcome.ui is not None else None


# Cases from outside


def trace(emv_vectors: Callable[[str], Any], name: str) -> list[bytes]:
    """Answers of a recorded card, from SELECT PPSE on."""
    (found,) = (
        one for one in emv_vectors("traces_anonymised_cards.json")["traces"] if one["id"] == name
    )
    answers = [one["response"].partition("#")[0] for one in found["apdus"]]
    start = next(i for i, one in enumerate(found["apdus"]) if one["command"][10:14] == "3250")
    return [bytes.fromhex(answer) for answer in answers[start:] if len(answer) % 2 == 0]


@pytest.fixture
def co_badged(terminal: Terminal) -> EntryPointConfig:
    """The recorded cards are French: their first application is CB's."""
    cb = bytes.fromhex("A0000000421010")
    return EntryPointConfig(terminal, (Combination(cb, 3, ttq=bytes.fromhex(CONTACT)),))


@pytest.mark.spec("Book C-3, 5.2", source="outside")
def test_a_recorded_card_that_declines(
    emv_vectors: Callable[[str], Any],
    co_badged: EntryPointConfig,
    sale: Transaction,
    pump: Callable[..., Tap],
) -> None:
    """No CID: the AAC stands in byte 5 of its issuer application data."""
    answers = trace(emv_vectors, "VisaCardPpse")
    ppse, fci, _wrong_length, gpo = answers[:4]
    # Masking left letters in the track, where only digits can be.
    gpo = gpo.replace(b"\xff" * 7 + b"\x0f", bytes(7) + b"\x0f")
    card = iter([ppse, fci, gpo])
    tap = pump(
        run(co_badged, sale, {3: c3.kernel(c3.Configuration())}), lambda _command: next(card)
    )
    assert tap.outcome.status is Status.DECLINED
    assert tap.outcome.reason == Reason.CARD_DECLINED
    assert tap.outcome.data_record[0x9F27] == b"\x00"
    # The list this card sent, filled by hand.
    assert tap.commands[2].hex().upper() == (
        "80A80000238321" + CONTACT + "000000012345" + "000000000000" + "0156" + "0000000000"
        "0156" + "261124" + "00" + "7FBC4049" + "00"
    )


@pytest.mark.spec("Book C-3, 5.2", source="outside")
def test_a_recorded_card_that_refuses_the_options(
    emv_vectors: Callable[[str], Any],
    co_badged: EntryPointConfig,
    sale: Transaction,
    pump: Callable[..., Tap],
) -> None:
    card = iter(trace(emv_vectors, "VisaCardNullTransaction"))
    outcome = pump(
        run(co_badged, sale, {3: c3.kernel(c3.Configuration())}), lambda _command: next(card)
    ).outcome
    assert outcome.status is Status.END_APPLICATION
    assert outcome.error is not None
    assert outcome.error.status_word == 0x6700


@pytest.mark.spec("Book C-3, 5.3", "Book C-3, 5.6", source="outside")
def test_a_recorded_card_with_a_signature_that_masking_broke(
    emv_vectors: Callable[[str], Any],
    co_badged: EntryPointConfig,
    sale: Transaction,
    pump: Callable[..., Tap],
) -> None:
    """A real fDDA card: TC, CTQ 1600. Its issuer certificate is whole, its PAN masked.

    The chain therefore breaks at the issuer, and the card wants the slot.
    """
    answers = trace(emv_vectors, "VisaCardPpse3")
    ppse, fci, gpo, record_2, record_3, record_4 = answers[:6]
    by_command = {
        "00A404000E": ppse,
        "00A4040007": fci,
        "80A8000012": gpo,
        "00B2021400": record_2,
        "00B2031400": record_3,
        "00B2041400": record_4,
    }
    entries = emv_vectors("capk_emvutils.json")["keys"]
    ca = next(one for one in entries if (one["rid"], one["index"]) == ("A000000003", "07"))
    objects = tlv.collect(tlv.decode(record_2[:-2]) + tlv.decode(record_3[:-2]))
    certificate = open_issuer_certificate(
        objects[0x90],
        objects[0x92],
        objects[0x9F32],
        PublicKey.of(bytes.fromhex(ca["modulus"]), b"\x03"),
    )
    certificate.check_hash()

    today = sale.date.replace(year=2017, month=1)
    tap = pump(
        run(co_badged, replace(sale, date=today), {3: c3.kernel(c3.Configuration())}),
        lambda command: by_command[command[:5].hex().upper()],
    )
    assert tap.outcome.status is Status.TRY_ANOTHER_INTERFACE
    assert tap.outcome.alternate_interface is Interface.CONTACT
    assert tap.outcome.reason == Reason.NOT_AUTHENTIC


@pytest.mark.spec("Book C-3, 5.2", source="outside")
@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("test1", Status.END_APPLICATION, Reason.CARD_DATA_MISSING),
        ("test2", Status.END_APPLICATION, Reason.CARD_DATA_MISSING),
        ("test3", Status.SELECT_NEXT, Reason.SELECT_NEXT),
        ("test4", Status.END_APPLICATION, Reason.CARD_DATA_MISSING),
        ("test5", Status.END_APPLICATION, Reason.CARD_DATA_ERROR),
        ("test6", Status.END_APPLICATION, Reason.CARD_REFUSED),
    ],
)
def test_published_starts_of_an_application(
    emv_vectors: Callable[[str], Any],
    terminal: Terminal,
    visa: Combination,
    sale: Transaction,
    pump: Callable[..., Tap],
    case: str,
    status: Status,
    reason: Reason,
) -> None:
    """openemv/emv-utils: the same commands go out; contact cards then lack a cryptogram."""
    (suite,) = (
        one
        for one in emv_vectors("emvutils_apdu_scripts.json")["suites"]
        if one["name"] == "initiate_application_processing"
    )
    (vector,) = (one for one in suite["cases"] if one["id"] == case)
    activation = Activation(
        replace(terminal, capabilities=bytes.fromhex("60F0C8")),
        sale,
        visa,
        Indicators(ttq=visa.ttq),
        visa.aid,
        tlv.decode(bytes.fromhex(vector["fci"])),
    )
    answers = iter(bytes.fromhex(apdu["response"]) for apdu in vector["apdus"])
    tap = pump(
        c3.process(c3.Configuration(), activation),
        lambda _command: next(answers, bytes.fromhex("70009000")),
    )
    assert [one.hex().upper() for one in tap.commands[: len(vector["apdus"])]] == [
        apdu["command"] for apdu in vector["apdus"]
    ]
    assert (tap.outcome.status, tap.outcome.reason) == (status, reason)
    if case == "test5":
        assert tap.commands == []


# The hostile card


class Hostile:
    """Answers anything to anything; now and then what a card would say."""

    def __init__(self, data: st.DataObject, honest: PaperCard) -> None:
        self.data = data
        self.honest = honest

    def __call__(self, command: bytes) -> bytes | None:
        mood = self.data.draw(st.integers(0, 9))
        if mood == 0:
            return None
        if mood == 1:
            noise: bytes = self.data.draw(st.binary(max_size=60))
            return noise + self.data.draw(st.sampled_from([b"\x90\x00", b"\x69\x85", b"\x61\x10"]))
        if command[:2] == b"\x00\xb2":
            answer = self.honest.records().get((command[2] % 4 + 1, 2), b"\x70\x00") + b"\x90\x00"
        else:
            answer = self.honest(command) or b"\x90\x00"
        if mood == 2 and len(answer) > 2:
            at = self.data.draw(st.integers(0, len(answer) - 3))
            value = self.data.draw(st.integers(0, 255))
            answer = answer[:at] + bytes((value,)) + answer[at + 1 :]
        if mood == 3:
            answer = answer[: self.data.draw(st.integers(0, len(answer)))] + b"\x90\x00"
        return answer


TAGS = (
    *(0x57, 0x5A, 0x5F24, 0x5F34, 0x82, 0x8F, 0x90, 0x92, 0x93, 0x94, 0x95, 0x9F02, 0x9F07),
    *(0x9F10, 0x9F26, 0x9F27, 0x9F32, 0x9F36, 0x9F46, 0x9F47, 0x9F48, 0x9F4A, 0x9F4B, 0x9F5D),
    *(0x9F66, 0x9F69, 0x9F6C, 0x9F6E),
)
OBJECT = st.tuples(
    st.sampled_from(TAGS),
    st.binary(max_size=40),
)


KINDS = st.sampled_from([0x00, 0x01, 0x09, 0x17, 0x20])
IADS = st.sampled_from(["06011203A00000", "06011203900000", "06011203800000", "06"])

# What docs/bank-link.md lists and this kernel always has.
REQUIRED = frozenset(
    {0x57, 0x82, 0x84, 0x95, 0x9A, 0x9C, 0x9F02, 0x9F03, 0x9F10, 0x9F1A, 0x9F26, 0x9F27}
    | {0x9F33, 0x9F34, 0x9F36, 0x9F37, 0x5F2A, 0x9F66}
)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_hostile_card_gets_an_outcome(
    pki: PKI,
    new_card: Callable[..., PaperCard],
    pump: Callable[..., Tap],
    data: st.DataObject,
) -> None:
    """Whatever it says, in whatever order: an outcome, soon, and no stray error."""
    extra = b"".join(
        tlv.encode(tag, value) for tag, value in data.draw(st.lists(OBJECT, max_size=3))
    )
    ctq: bytes | None = data.draw(st.none() | st.binary(min_size=2, max_size=2))
    honest = new_card(
        iad=data.draw(IADS),
        ctq=None if ctq is None else ctq.hex(),
        fdda=data.draw(st.sampled_from([None, 0, 1])),
        gpo_extra=extra if data.draw(st.booleans()) else b"",
        record_extra=extra,
        gpo_without=data.draw(st.frozensets(st.sampled_from(["57", "82", "9F26", "9F4B"]))),
    )
    ttq: bytes = data.draw(st.binary(min_size=4, max_size=4))
    config = EntryPointConfig(Terminal(156), (Combination(VISA, 3, ttq=ttq),))
    transaction = Transaction(12_345, 156, 2, TODAY, transaction_type=data.draw(KINDS))
    kernels = {3: c3.kernel(c3.Configuration(pki.store()))}

    tap = pump(run(config, transaction, kernels), Hostile(data, honest), commands_max=70)
    assert isinstance(tap.outcome, Outcome)
    assert tap.outcome.status is not Status.SELECT_NEXT
    if tap.outcome.status in (Status.APPROVED, Status.ONLINE_REQUEST):
        assert set(tap.outcome.data_record) >= REQUIRED
        assert tap.outcome.data_record[0x9F02] == bytes.fromhex("000000012345")
        assert tap.outcome.data_record[0x95] == bytes(5)
    else:
        assert tap.outcome.reason in set(Reason)
    for text in (repr(tap.outcome), *tap.notes):
        assert PAN not in text


@settings(max_examples=150, deadline=None)
@given(ctq=st.integers(0, 0xFFFF), ttq=st.integers(0, 0xFFFF_FFFF), version=st.sampled_from([0, 1]))
def test_money_is_never_taken_without_a_signature_or_the_issuer(
    pki: PKI,
    new_card: Callable[..., PaperCard],
    pump: Callable[..., Tap],
    ctq: int,
    ttq: int,
    version: int,
) -> None:
    """A forged card that says TC: whatever its and our qualifiers, it is not approved."""
    forged = new_card(
        iad="06011203900000", fdda=version, ctq=f"{ctq:04X}", ca_index="92", issuer_expires="1220"
    )
    combination = Combination(VISA, 3, ttq=ttq.to_bytes(4, "big"))
    config = EntryPointConfig(Terminal(156), (combination,))
    kernels = {3: c3.kernel(c3.Configuration(pki.store()))}
    outcome = pump(run(config, Transaction(100, 156, 2, TODAY), kernels), forged).outcome

    assert outcome.status is not Status.APPROVED


# 5.2 GET PROCESSING OPTIONS


@pytest.mark.parametrize(
    ("status_word", "status", "start", "shown", "reason"),
    [
        (
            "6984",
            Status.TRY_ANOTHER_INTERFACE,
            None,
            MessageId.INSERT_CARD,
            Reason.SWITCH_INTERFACE,
        ),
        ("6985", Status.END_APPLICATION, None, MessageId.TRY_ANOTHER_CARD, Reason.NO_APPLICATION),
        ("6986", Status.TRY_AGAIN, Start.B, MessageId.SEE_PHONE, Reason.SEE_PHONE),
        ("6700", Status.END_APPLICATION, None, MessageId.TRY_ANOTHER_CARD, Reason.CARD_REFUSED),
        ("6D00", Status.END_APPLICATION, None, MessageId.TRY_ANOTHER_CARD, Reason.CARD_REFUSED),
        ("6100", Status.END_APPLICATION, None, MessageId.TRY_ANOTHER_CARD, Reason.CARD_REFUSED),
        ("9001", Status.END_APPLICATION, None, MessageId.TRY_ANOTHER_CARD, Reason.CARD_REFUSED),
    ],
)
def test_each_status_of_the_options(
    card: PaperCard,
    pay: Pay,
    status_word: str,
    status: Status,
    start: Start | None,
    shown: MessageId,
    reason: Reason,
) -> None:
    """6985 means the next application, and this card has none."""
    outcome = pay(replace(card, gpo_status=status_word)).outcome
    assert (outcome.status, outcome.start, message(outcome)) == (status, start, shown)
    assert outcome.reason == reason
    assert outcome.data_record == {}


def test_see_phone_says_how_to_go_on(card: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(card, gpo_status="6986")).outcome
    assert outcome.ui is not None
    assert outcome.ui.hold_ms == outcome.field_off_ms == 1300
    assert outcome.ui_on_restart is not None
    assert outcome.ui_on_restart.message is MessageId.PRESENT_CARD_AGAIN
    assert outcome.ui_on_restart.status is ReaderStatus.READY_TO_READ


def test_a_phone_pays_on_the_second_tap(
    pki: PKI, config: EntryPointConfig, card: PaperCard, sale: Transaction, pump: Callable[..., Tap]
) -> None:
    """Locked it answers 6986; unlocked it has verified its owner."""
    kernels = {3: c3.kernel(c3.Configuration(pki.store()))}
    sale = replace(sale, amount_authorised_minor=100_000)
    locked = pump(run(config, sale, kernels), replace(card, gpo_status="6986")).outcome
    unlocked = pump(run(config, sale, kernels, Start.B, locked), replace(card, ctq="0080")).outcome

    assert locked.start is Start.B
    assert unlocked.status is Status.ONLINE_REQUEST
    assert unlocked.cvm is CVM.CONFIRMATION_CODE_VERIFIED


def test_a_list_that_no_command_could_carry_ends_it(card: PaperCard, pay: Pay) -> None:
    tap = pay(replace(card, pdol="9F66049F4EF9"))
    assert tap.outcome.reason == Reason.CARD_DATA_ERROR
    assert not any(command.startswith(b"\x80\xa8") for command in tap.commands)
    assert pay(replace(card, pdol="9F66049F4EF8")).outcome.status is Status.ONLINE_REQUEST


@pytest.mark.parametrize(
    "response", ["", "70009000", "7700 7700", "8001 20", "5700", "77820082", "FF"]
)
def test_options_in_no_known_format_end_it(card: PaperCard, pay: Pay, response: str) -> None:
    def broken(command: bytes) -> bytes | None:
        if command.startswith(b"\x80\xa8"):
            return bytes.fromhex(response) + b"\x90\x00"
        return card(command)

    assert pay(broken).outcome.reason == Reason.CARD_DATA_ERROR


def test_options_of_the_older_format_lack_the_cryptogram(card: PaperCard, pay: Pay) -> None:
    """Profile and locator alone: a card of the contact kind."""

    def older(command: bytes) -> bytes | None:
        if command.startswith(b"\x80\xa8"):
            return bytes.fromhex("80022000") + b"\x90\x00"
        return card(command)

    outcome = pay(older).outcome
    assert outcome.reason == Reason.CARD_DATA_MISSING
    assert outcome.error is not None
    assert outcome.error.detail == "tag 9F36"


@pytest.mark.spec("Book C-3, magnetic stripe mode", source="ours")
@pytest.mark.parametrize("options", ["8006 0080 10010100", "770A 82020080 940410010100"])
def test_a_card_of_stripe_data_alone_is_not_taken(card: PaperCard, pay: Pay, options: str) -> None:
    """Nothing is read of it: what it has is as good as a copy."""

    def older(command: bytes) -> bytes | None:
        if command.startswith(b"\x80\xa8"):
            return bytes.fromhex(options) + b"\x90\x00"
        return card(command)

    tap = pay(older)
    assert (tap.outcome.status, tap.outcome.reason) == (
        Status.END_APPLICATION,
        Reason.MODE_NOT_SUPPORTED,
    )
    assert tap.commands[-1].startswith(b"\x80\xa8")


PROGRAMS = (
    LimitSet(b"\x31", transaction_limit_minor=900, floor_limit_minor=100),
    LimitSet(b"\x31\x02", 500, 50, 200, status_check=True, zero_amount_allowed=False),
)


@pytest.mark.spec("Book C-3, dynamic reader limits", source="ours")
@pytest.mark.parametrize(
    ("program", "amount", "told"),
    [
        ("", 1_000, "22004080"),
        ("32", 1_000, "22004080"),
        ("0131", 1_000, "22004080"),
        ("31", 100, "22004080"),
        ("3101", 101, "22804080"),
        ("31", 899, "22804080"),
        ("31", 900, None),
        ("3102", 50, "22004080"),
        ("3102", 51, "22804080"),
        ("310203", 200, "22C04080"),
        ("3102", 100, "22804080"),
        ("3102", 500, None),
        ("3102", 0, None),
        ("31", 0, "22804080"),
    ],
)
def test_a_program_of_cards_has_limits_of_its_own(
    card: PaperCard, pay: Pay, program: str, amount: int, told: str | None
) -> None:
    """At, below and above each limit; the longest identifier counts."""
    limits = {"floor_limit_minor": None, "cvm_required_limit_minor": None}
    tap = pay(replace(card, program=program), amount, limits={**limits, "limit_sets": PROGRAMS})

    sent = [one[7:11] for one in tap.commands if one.startswith(b"\x80\xa8")]
    assert sent == ([bytes.fromhex(told)] if told else [])
    if told is None:
        assert tap.outcome.status is Status.END_APPLICATION
        assert tap.outcome.reason == Reason.OVER_CONTACTLESS_LIMIT


@pytest.mark.parametrize("program", [b"", bytes(17)])
def test_a_program_that_no_card_can_have_is_refused(program: bytes) -> None:
    with pytest.raises(ConfigurationError, match="9F5A"):
        LimitSet(program)


@pytest.mark.parametrize("lost_at", [1, 2, 3, 4, 5, 6, 7])
def test_a_card_that_leaves_early_is_asked_for_again(
    offline: PaperCard, pay: Pay, lost_at: int
) -> None:
    outcome = pay(replace(offline, lost_at=lost_at)).outcome
    assert (outcome.status, outcome.start) == (Status.TRY_AGAIN, Start.B)
    assert outcome.reason == Reason.LINK_LOST
    assert message(outcome) is MessageId.PRESENT_CARD_AGAIN


def test_after_the_last_record_the_card_may_leave(offline: PaperCard, pay: Pay) -> None:
    tap = pay(replace(offline, lost_at=8))
    assert len(tap.commands) == 7
    assert tap.outcome.status is Status.APPROVED
    assert [one.message for one in tap.shown] == [MessageId.CARD_READ_OK]


# 5.3 and 5.4 Records, mandatory data


def test_a_missing_record_ends_it(offline: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(offline, record_status="6A83")).outcome
    assert outcome.status is Status.END_APPLICATION
    assert outcome.reason == Reason.CARD_REFUSED
    assert outcome.error is not None
    assert outcome.error.status_word == 0x6A83


@pytest.mark.parametrize("tag", ["82", "9F36", "9F26", "9F10", "57"])
def test_each_mandatory_object(card: PaperCard, pay: Pay, tag: str) -> None:
    outcome = pay(replace(card, gpo_without=frozenset({tag}))).outcome
    assert outcome.status is Status.END_APPLICATION
    assert outcome.reason == Reason.CARD_DATA_MISSING
    assert outcome.error is not None
    assert outcome.error.detail == f"tag {tag}"


def test_a_card_with_neither_profile_nor_cryptogram_lacks_data(card: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(card, gpo_without=frozenset({"82", "9F26"}))).outcome
    assert outcome.reason == Reason.CARD_DATA_MISSING


def opening_with(
    name: bytes, card: PaperCard, encode: Callable[..., bytes]
) -> Callable[[bytes], bytes | None]:
    """The card, with control information of a name and a PDOL alone."""
    opened = encode("6F", name + encode("A5", encode("9F38", card.pdol))) + b"\x90\x00"
    return lambda command: opened if command[5:12] == VISA else card(command)


def test_a_card_that_opened_without_its_name_lacks_it(
    card: PaperCard, pay: Pay, encode: Callable[..., bytes]
) -> None:
    tap = pay(opening_with(b"", card, encode))
    assert tap.outcome.error is not None
    assert tap.outcome.error.detail == "tag 84"


def test_a_card_without_a_language_is_answered_in_none(
    card: PaperCard, pay: Pay, encode: Callable[..., bytes]
) -> None:
    tap = pay(opening_with(encode("84", VISA), card, encode))
    assert tap.outcome.ui is not None
    assert [one.language for one in (*tap.shown, tap.outcome.ui)] == [b"", b""]


@pytest.mark.parametrize(
    ("told", "passed_on"), [("207000F3", "207000F0"), ("207000F301AA", "207000F001AA")]
)
def test_the_interface_of_a_form_factor_is_the_readers_to_say(
    card: PaperCard, pay: Pay, encode: Callable[..., bytes], told: str, passed_on: str
) -> None:
    tap = pay(replace(card, gpo_without=frozenset({"9F6E"}), gpo_extra=encode("9F6E", told)))
    assert tap.outcome.data_record[0x9F6E].hex().upper() == passed_on


def test_a_card_may_expire_on_day_00(offline: PaperCard, pay: Pay) -> None:
    assert pay(replace(offline, expiry="311200")).outcome.status is Status.APPROVED


@pytest.mark.parametrize("duplicate", ["8202 2000", "9F360200FF", "9F6C020000"])
def test_an_object_sent_twice_ends_it(card: PaperCard, pay: Pay, duplicate: str) -> None:
    twice = bytes.fromhex(duplicate)
    for odd in (replace(card, gpo_extra=twice), replace(card, record_extra=twice)):
        outcome = pay(odd).outcome
        assert outcome.status is Status.END_APPLICATION
        assert outcome.reason == Reason.CARD_DATA_ERROR


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("82", "20"),
        ("9F36", "2A"),
        ("9F26", "0123456789ABCD"),
        ("9F10", "00" * 33),
        ("9F10", ""),
        ("57", ""),
        ("57", "4761739001010119"),
        ("57", "D3112201"),
        ("57", "476173900101011AD3112201"),
        ("57", "47617390010101191234D3112201"),
    ],
)
def test_a_mandatory_object_that_cannot_be_ends_it(
    card: PaperCard, pay: Pay, encode: Callable[..., bytes], tag: str, value: str
) -> None:
    odd = replace(card, gpo_without=frozenset({tag}), gpo_extra=encode(tag, value))
    outcome = pay(odd).outcome
    assert outcome.status is Status.END_APPLICATION
    assert outcome.reason == Reason.CARD_DATA_ERROR


@pytest.mark.parametrize(
    "bad",
    [
        "9F2700",
        "9F5D03000001",
        "9F5D060000000000FA",
        "9F6901FF",
        "5F24022811",
        "5F2403281330",
        "5A084111111111111111",
        "9F070180",
        "8F029200",
        "9F7C21" + "00" * 33,
    ],
)
def test_an_optional_object_that_cannot_be_ends_it(card: PaperCard, pay: Pay, bad: str) -> None:
    outcome = pay(replace(card, gpo_extra=bytes.fromhex(bad))).outcome
    assert outcome.status is Status.END_APPLICATION
    assert outcome.reason == Reason.CARD_DATA_ERROR


@pytest.mark.parametrize(
    ("iad", "cid", "status"),
    [
        ("06011203A00000", None, Status.ONLINE_REQUEST),
        ("06011203800000", None, Status.DECLINED),
        ("06011203B00000", None, Status.DECLINED),
        ("1F4363A1A0" + "00" * 27, None, Status.ONLINE_REQUEST),
        ("06011203A00000", "00", Status.DECLINED),
        ("06011203800000", "80", Status.ONLINE_REQUEST),
        ("06011203A00000", "C0", Status.DECLINED),
        ("060112", "80", Status.ONLINE_REQUEST),
        ("06011203A0", None, Status.ONLINE_REQUEST),
        ("060112", None, Status.END_APPLICATION),
    ],
)
def test_the_card_decides_in_its_cid_or_else_in_its_results(
    card: PaperCard, pay: Pay, iad: str, cid: str | None, status: Status
) -> None:
    outcome = pay(replace(card, iad=iad, cid=cid)).outcome
    assert outcome.status is status
    if status is Status.DECLINED:
        assert outcome.reason == Reason.CARD_DECLINED
        assert message(outcome) is MessageId.NOT_AUTHORISED


def test_an_approval_that_was_not_asked_for_goes_online(offline: PaperCard, pay: Pay) -> None:
    """Above the floor limit the reader required an online cryptogram."""
    assert pay(offline, 20_000).outcome.status is Status.APPROVED
    outcome = pay(offline, 20_001).outcome
    assert outcome.status is Status.ONLINE_REQUEST
    assert outcome.data_record[0x9F27] == b"\x40"


def test_an_offline_only_reader_declines_what_would_go_online(card: PaperCard, pay: Pay) -> None:
    outcome = pay(card, ttq=OFFLINE_ONLY).outcome
    assert outcome.status is Status.DECLINED
    assert outcome.reason == Reason.ONLINE_NOT_POSSIBLE


# 5.5 Restrictions


@pytest.mark.parametrize(
    ("expiry", "ctq", "ttq", "status"),
    [
        ("261125", "0000", SIGNATURE, Status.APPROVED),
        ("261124", "0000", SIGNATURE, Status.APPROVED),
        ("261123", "0000", SIGNATURE, Status.DECLINED),
        ("261123", "0800", SIGNATURE, Status.ONLINE_REQUEST),
        ("261123", "0800", OFFLINE_ONLY, Status.DECLINED),
        ("261123", "F7FF", SIGNATURE, Status.DECLINED),
    ],
)
def test_expiry_counts_for_an_offline_approval(
    offline: PaperCard, pay: Pay, expiry: str, ctq: str, ttq: str, status: Status
) -> None:
    outcome = pay(replace(offline, expiry=expiry, ctq=ctq), ttq=ttq).outcome
    assert outcome.status is status
    assert outcome.reason == (Reason.EXPIRED if status is Status.DECLINED else "")


def test_a_card_without_an_expiry_counts_as_expired(offline: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(offline, record_without=frozenset({"5F24"}))).outcome
    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.EXPIRED)


def test_the_issuer_judges_the_expiry_of_an_online_sale(card: PaperCard, pay: Pay) -> None:
    old = replace(card, expiry="201231", record_extra=bytes.fromhex("5F5301AA"))
    assert pay(old).outcome.status is Status.ONLINE_REQUEST


def test_the_exception_file_is_asked_for_an_offline_approval(
    offline: PaperCard, card: PaperCard, pay: Pay
) -> None:
    listed = pay(offline, on_exception_file=True)
    assert (listed.outcome.status, listed.outcome.reason) == (
        Status.DECLINED,
        Reason.EXCEPTION_FILE,
    )
    (question,) = listed.asked
    assert (question.pan, question.sequence_number) == (PAN, 1)
    assert PAN not in repr(question)
    assert pay(offline, on_exception_file=False).outcome.status is Status.APPROVED
    assert pay(card, on_exception_file=True).asked == []
    assert pay(offline, on_exception_file=True, has_exception_file=False).asked == []


@pytest.mark.parametrize(("stated", "asked"), [("5F340102", 2), ("5F3401FA", None), ("", None)])
def test_the_exception_file_hears_the_sequence_number_if_there_is_one(
    offline: PaperCard, pay: Pay, stated: str, asked: int | None
) -> None:
    odd = replace(offline, gpo_without=frozenset({"5F34"}), gpo_extra=bytes.fromhex(stated))
    (question,) = pay(odd).asked
    assert question.sequence_number == asked


CASH, CASHBACK, MANUAL_CASH = 0x01, 0x09, 0x17


@pytest.mark.parametrize("cryptogram", ["06011203900000", "06011203A00000"])
@pytest.mark.parametrize(
    ("kind", "usage", "country", "allowed"),
    [
        (CASH, "8000", "0156", True),
        (CASH, "7FFF", "0156", False),
        (CASH, "4000", "0840", True),
        (CASH, "BFFF", "0840", False),
        (MANUAL_CASH, "8000", "0156", True),
        (MANUAL_CASH, "7FFF", "0156", False),
        (CASHBACK, "0080", "0156", True),
        (CASHBACK, "FF7F", "0156", False),
        (CASHBACK, "0040", "0840", True),
        (CASHBACK, "FFBF", "0840", False),
        (CASH, None, "0156", False),
        (CASHBACK, "FFFF", None, False),
        (0x00, None, None, True),
        (0x00, "0000", "0156", True),
    ],
)
def test_usage_control_for_cash_and_cashback(
    offline: PaperCard,
    pay: Pay,
    encode: Callable[..., bytes],
    cryptogram: str,
    kind: int,
    usage: str | None,
    country: str | None,
    allowed: bool,
) -> None:
    extra = b"" if usage is None else encode("9F07", usage)
    extra += b"" if country is None else encode("5F28", country)
    odd = replace(
        offline,
        iad=cryptogram,
        record_without=frozenset({"9F07", "5F28"}),
        record_extra=extra,
    )
    outcome = pay(odd, kind=kind).outcome
    if allowed:
        assert outcome.status in (Status.APPROVED, Status.ONLINE_REQUEST)
        return
    reason = Reason.CASHBACK_NOT_ALLOWED if kind == CASHBACK else Reason.CASH_NOT_ALLOWED
    assert (outcome.status, outcome.reason) == (Status.DECLINED, reason)

    switch = replace(odd, ctq="0200" if kind == CASHBACK else "0400")
    switched = pay(switch, kind=kind).outcome
    assert (switched.status, switched.reason) == (Status.TRY_ANOTHER_INTERFACE, reason)
    assert message(switched) is MessageId.TRY_OTHER_INTERFACE
    other = replace(odd, ctq="FBFF" if kind != CASHBACK else "FDFF")
    assert pay(other, kind=kind, ttq=PIN_AND_SIGNATURE).outcome.status is Status.DECLINED
    assert (
        pay(odd, kind=kind, checks_cash=False, checks_cashback=False).outcome.status
        is not Status.DECLINED
    )


def test_a_card_that_declines_cash_may_still_want_the_slot(card: PaperCard, pay: Pay) -> None:
    declining = replace(card, iad="06011203800000")
    assert pay(replace(declining, ctq="0400"), kind=CASH).outcome.status is (
        Status.TRY_ANOTHER_INTERFACE
    )
    outcome = pay(declining, kind=CASH).outcome
    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.CARD_DECLINED)


# 5.6 Offline data authentication

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"ca_index": "93"}, "CA key A000000003/93 is not known"),
    ({"issuer_expires": "1026"}, "issuer certificate has expired"),
    ({"issuer_identifier": "411111FF"}, "not of this PAN's issuer"),
    ({"icc_expires": "1026"}, "ICC certificate has expired"),
    ({"fdda_format": 0x05}, "data format 05, not 95"),
    ({"gpo_without": frozenset({"9F4B"})}, "tag 9F4B is missing"),
    *(
        ({"record_without": frozenset({tag})}, f"tag {tag} is missing")
        for tag in ("8F", "90", "9F32", "9F46", "9F47")
    ),
    ({"record_without": frozenset({"92"})}, "issuer certificate: remainder"),
    ({"record_without": frozenset({"9F69"})}, "hash does not fit"),
]


@pytest.mark.parametrize(("fault", "failure"), BROKEN)
def test_each_fault_of_a_signature_declines_and_is_named(
    offline: PaperCard, pay: Pay, fault: dict[str, Any], failure: str
) -> None:
    tap = pay(replace(offline, **fault))
    assert (tap.outcome.status, tap.outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)
    assert any(failure in text for text in tap.notes), tap.notes


@pytest.mark.parametrize("changed", ["00", "82", "8282"])
def test_a_tag_list_other_than_the_aip_is_not_authentic(
    offline: PaperCard, pay: Pay, encode: Callable[..., bytes], changed: str
) -> None:
    odd = replace(offline, record_without=frozenset({"9F4A"}), record_extra=encode("9F4A", changed))
    outcome = pay(odd).outcome
    assert outcome.reason == Reason.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("ctq", "ttq", "status"),
    [
        ("0000", CONTACT, Status.DECLINED),
        ("2000", CONTACT, Status.ONLINE_REQUEST),
        ("2000", OFFLINE_ONLY, Status.DECLINED),
        ("1000", CONTACT, Status.TRY_ANOTHER_INTERFACE),
        ("1000", SIGNATURE, Status.DECLINED),
        ("3000", CONTACT, Status.ONLINE_REQUEST),
        ("3000", "3A004080", Status.TRY_ANOTHER_INTERFACE),
        ("0F00", CONTACT, Status.DECLINED),
    ],
)
def test_a_card_says_what_a_failed_signature_leads_to(
    offline: PaperCard, pay: Pay, ctq: str, ttq: str, status: Status
) -> None:
    """First online if the reader can, else the slot if there is one, else no."""
    outcome = pay(replace(offline, ca_index="93", ctq=ctq), ttq=ttq).outcome
    assert outcome.status is status
    if status is Status.TRY_ANOTHER_INTERFACE:
        assert outcome.alternate_interface is Interface.CONTACT
        assert message(outcome) is MessageId.INSERT_CARD
    assert outcome.reason == ("" if status is Status.ONLINE_REQUEST else Reason.NOT_AUTHENTIC)


@pytest.mark.parametrize("format_", [0x95, 0x05])
def test_the_older_signature_is_accepted_unless_switched_off(
    offline: PaperCard, pay: Pay, format_: int
) -> None:
    old = replace(offline, fdda=0, fdda_format=format_)
    assert pay(old).outcome.status is Status.APPROVED
    tap = pay(old, accepts_fdda_version_00=False)
    assert tap.outcome.reason == Reason.NOT_AUTHENTIC
    assert any("fDDA version 00 is not supported" in text for text in tap.notes)


def test_an_unknown_version_of_the_signature_is_refused(
    offline: PaperCard, pay: Pay, encode: Callable[..., bytes]
) -> None:
    odd = replace(offline, record_without=frozenset({"9F69"}))
    tap = pay(replace(odd, gpo_extra=encode("9F69", "028CC9F8070000")))
    assert tap.outcome.reason == Reason.NOT_AUTHENTIC
    assert any("fDDA version 02 is not supported" in text for text in tap.notes)


def test_a_decision_is_noted_with_its_section(offline: PaperCard, pay: Pay) -> None:
    assert "Book C-3, 5.6" in pay(offline).sources


def test_a_signature_over_another_amount_is_refused(offline: PaperCard, pay: Pay) -> None:
    """A relay cheats the card about the amount."""

    def relay(command: bytes) -> bytes | None:
        if command.startswith(b"\x80\xa8"):
            command = command.replace(bytes.fromhex("000000012345"), bytes.fromhex("000000000001"))
        return offline(command)

    assert pay(offline).outcome.status is Status.APPROVED
    assert pay(relay).outcome.reason == Reason.NOT_AUTHENTIC


def test_the_reader_not_the_card_chooses_the_scheme_of_the_key(
    pki: PKI, offline: PaperCard, pay: Pay
) -> None:
    foreign = CAKeyStore([pki.ca_key(rid="A000000004")])
    assert pay(offline, ca_keys=foreign).outcome.reason == Reason.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("fields", "ttq", "status", "named"),
    [
        ({"fdda": 1}, ODA_FOR_ONLINE, Status.ONLINE_REQUEST, "card is authentic"),
        ({"fdda": 1, "ca_index": "93"}, ODA_FOR_ONLINE, Status.DECLINED, "CA key"),
        ({"fdda": 1, "ca_index": "93"}, SIGNATURE, Status.ONLINE_REQUEST, ""),
        ({"fdda": 1, "aip": "0000", "ca_index": "93"}, ODA_FOR_ONLINE, Status.ONLINE_REQUEST, ""),
        ({"sda": True, "aip": "4000"}, ODA_FOR_ONLINE, Status.ONLINE_REQUEST, "card is authentic"),
        ({"sda": True, "aip": "4000", "ca_index": "93"}, ODA_FOR_ONLINE, Status.DECLINED, "CA key"),
        (
            {"sda": True, "aip": "4000", "record_without": frozenset({"93"})},
            ODA_FOR_ONLINE,
            Status.DECLINED,
            "tag 93 is missing",
        ),
        ({"sda": True, "aip": "6000"}, ODA_FOR_ONLINE, Status.DECLINED, "tag 9F4B is missing"),
    ],
)
def test_authentication_for_online_where_both_sides_support_it(
    card: PaperCard, pay: Pay, fields: dict[str, Any], ttq: str, status: Status, named: str
) -> None:
    tap = pay(replace(card, **fields), ttq=ttq)
    assert tap.outcome.status is status
    told = [text for text in tap.notes if "authentic" in text]
    assert (named in told[0]) if named else (told == [])


# 5.7 Cardholder verification

NONE, SIGN, ONLINE_PIN, DEVICE = (
    CVM.NONE,
    CVM.SIGNATURE,
    CVM.ONLINE_PIN,
    CVM.CONFIRMATION_CODE_VERIFIED,
)


@pytest.mark.parametrize(
    ("ctq", "ttq", "required", "cvm", "reason"),
    [
        # The reader asks for nothing: the card's wish is met where it can be.
        ("0000", PLAIN, False, NONE, ""),
        ("8000", PLAIN, False, NONE, ""),
        ("8000", PIN, False, ONLINE_PIN, ""),
        ("4000", SIGNATURE, False, SIGN, ""),
        ("4000", PIN, False, NONE, ""),
        ("0080", PLAIN, False, DEVICE, ""),
        (None, PIN_AND_SIGNATURE, False, NONE, ""),
        # The reader asks for verification.
        ("8000", PIN, True, ONLINE_PIN, ""),
        ("8000", SIGNATURE, True, None, Reason.PIN_NOT_POSSIBLE),
        ("C000", SIGNATURE, True, SIGN, ""),
        ("C000", PIN_AND_SIGNATURE, True, ONLINE_PIN, ""),
        ("C000", PLAIN, True, None, Reason.PIN_NOT_POSSIBLE),
        ("4000", SIGNATURE, True, SIGN, ""),
        ("4000", PIN, True, None, Reason.CVM_NOT_POSSIBLE),
        ("0000", PIN_AND_SIGNATURE, True, None, Reason.CVM_NOT_POSSIBLE),
        ("0080", PLAIN, True, DEVICE, ""),
        ("0080", NO_DEVICE, True, None, Reason.CVM_NOT_POSSIBLE),
        ("4080", SIGNATURE, True, DEVICE, ""),
        ("4080", NO_DEVICE, True, SIGN, ""),
        ("8080", PIN, True, ONLINE_PIN, ""),
        ("8080", SIGNATURE, True, DEVICE, ""),
        # A card that wishes nothing gets what the reader has.
        (None, PIN_AND_SIGNATURE, True, SIGN, ""),
        (None, PIN, True, ONLINE_PIN, ""),
        (None, SIGNATURE, True, SIGN, ""),
        (None, PLAIN, True, None, Reason.CVM_NOT_POSSIBLE),
    ],
)
def test_each_wish_of_the_card_against_each_ability_of_the_reader(
    card: PaperCard,
    pay: Pay,
    ctq: str | None,
    ttq: str,
    required: bool,
    cvm: CVM | None,
    reason: str,
) -> None:
    tap = pay(replace(card, ctq=ctq), 100_000 if required else 99_999, ttq=ttq)
    outcome = tap.outcome
    assert outcome.reason == reason
    if cvm is None:
        assert outcome.status is Status.DECLINED
        assert outcome.cvm is CVM.NOT_APPLICABLE
        return
    assert (outcome.status, outcome.cvm) == (Status.ONLINE_REQUEST, cvm)
    assert outcome.receipt is (cvm is CVM.SIGNATURE)
    assert (
        outcome.data_record[0x9F34].hex().upper()
        == {
            NONE: "3F0000",
            SIGN: "1E0000",
            ONLINE_PIN: "020000",
            DEVICE: "010002",
        }[cvm]
    )


@pytest.mark.parametrize("ignored", ["0040", "003F", "0100", "0F00"])
def test_other_wishes_ask_for_no_verification(card: PaperCard, pay: Pay, ignored: str) -> None:
    outcome = pay(replace(card, ctq=ignored), ttq=PIN_AND_SIGNATURE).outcome
    assert (outcome.status, outcome.cvm) == (Status.ONLINE_REQUEST, CVM.NONE)


def test_what_follows_the_devices_word_is_not_its_word(
    card: PaperCard, pay: Pay, encode: Callable[..., bytes]
) -> None:
    told = encode("9F69", "01000000000080AABB")
    assert pay(replace(card, ctq="0080", gpo_extra=told)).outcome.cvm is DEVICE


@pytest.mark.parametrize(
    ("iad", "fdda", "related", "status", "reason"),
    [
        ("06011203900000", 1, None, Status.APPROVED, ""),
        ("06011203900000", 1, "0000", Status.DECLINED, Reason.DEVICE_NOT_TRUSTED),
        ("06011203900000", 0, None, Status.DECLINED, Reason.DEVICE_NOT_TRUSTED),
        ("06011203A00000", 1, None, Status.ONLINE_REQUEST, ""),
        ("06011203A00000", 1, "0000", Status.DECLINED, Reason.DEVICE_NOT_TRUSTED),
        ("06011203A00000", None, None, Status.ONLINE_REQUEST, ""),
    ],
)
def test_a_device_must_prove_that_it_verified_its_owner(
    card: PaperCard,
    pay: Pay,
    iad: str,
    fdda: int | None,
    related: str | None,
    status: Status,
    reason: str,
) -> None:
    phone = replace(card, iad=iad, fdda=fdda, related_ctq=related, ctq="0080")
    outcome = pay(phone).outcome
    assert (outcome.status, outcome.reason) == (status, reason)


def test_a_pin_sends_an_offline_approval_online(offline: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(offline, ctq="8000"), ttq=PIN).outcome
    assert (outcome.status, outcome.cvm) == (Status.ONLINE_REQUEST, CVM.ONLINE_PIN)


def test_an_offline_approval_with_a_signature_says_so(offline: PaperCard, pay: Pay) -> None:
    outcome = pay(replace(offline, ctq="4000")).outcome
    assert outcome.status is Status.APPROVED
    assert outcome.receipt
    assert message(outcome) is MessageId.APPROVED_SIGN
    assert message(pay(offline).outcome) is MessageId.APPROVED


@pytest.mark.parametrize(
    ("ttq", "cvm", "status"),
    [(PIN, ONLINE_PIN, Status.ONLINE_REQUEST), (SIGNATURE, SIGN, Status.APPROVED)],
)
def test_a_pin_nobody_wished_for_goes_online_too(
    offline: PaperCard, pay: Pay, ttq: str, cvm: CVM, status: Status
) -> None:
    limits = {"floor_limit_minor": None}
    outcome = pay(replace(offline, ctq=None), 100_000, ttq=ttq, limits=limits).outcome
    assert (outcome.status, outcome.cvm) == (status, cvm)


# 5.8, 5.9 and 4.3 Outcome


def test_the_record_holds_what_the_bank_link_lists(offline: PaperCard, pay: Pay) -> None:
    expected = {
        0x57: offline.track_2(),
        0x5A: PAN,
        0x5F24: "311231",
        0x5F34: "01",
        0x82: "2000",
        0x84: VISA.hex(),
        0x95: "0000000000",
        0x9A: "261124",
        0x9C: "00",
        0x9F02: "000000012345",
        0x9F03: "000000000000",
        0x9F10: "06011203900000",
        0x9F1A: "0156",
        0x9F26: "0123456789ABCDEF",
        0x9F27: "40",
        0x9F33: "000808",
        0x9F34: "3F0000",
        0x9F36: "002A",
        0x9F37: "7FBC4049",
        0x5F2A: "0156",
        0x9F6C: "0000",
        0x9F6E: "20700000",
        0x9F66: SIGNATURE,
        0x50: b"VISA DEBIT".hex(),
        0x9F12: b"Debit".hex(),
    }
    record = pay(offline).outcome.data_record
    assert {tag: record[tag].hex().upper() for tag in expected} == {
        tag: value.upper() for tag, value in expected.items()
    }


def test_the_record_takes_terminal_objects_only_from_the_terminal(
    card: PaperCard, pay: Pay
) -> None:
    """The card claims a smaller amount, another number, another qualifier."""
    lies = bytes.fromhex("9F02060000000000019F3704000000009F66040000000095058000000000")
    record = pay(replace(card, gpo_extra=lies)).outcome.data_record
    assert record[0x9F02] == bytes.fromhex("000000012345")
    assert record[0x9F37] == bytes.fromhex("7FBC4049")
    assert record[0x9F66] == bytes.fromhex(SIGNATURE)
    assert record[0x95] == bytes(5)


def test_the_qualifiers_in_the_record_are_those_the_card_was_given(
    card: PaperCard, pay: Pay
) -> None:
    tap = pay(replace(card, ctq="4000"), 100_000)
    assert tap.outcome.data_record[0x9F66] == bytes.fromhex("22C04080")
    assert bytes.fromhex("22C04080") in tap.commands[2]


def test_the_offline_balance_is_shown_and_kept_from_the_bank(
    offline: PaperCard, pay: Pay, encode: Callable[..., bytes]
) -> None:
    outcome = pay(replace(offline, gpo_extra=encode("9F5D", "000000005000"))).outcome
    assert outcome.ui is not None
    assert (outcome.ui.value_minor, outcome.ui.currency) == (5000, 156)
    assert outcome.discretionary == {0x9F5D: bytes.fromhex("000000005000")}
    assert 0x9F5D not in outcome.data_record


def test_a_label_that_does_not_fit_is_left_out(card: PaperCard, pay: Pay) -> None:
    def odd(command: bytes) -> bytes | None:
        answer = card(command)
        if command[:5] == bytes.fromhex("00A4040007") and answer is not None:
            inner = bytes.fromhex("5011" + "41" * 17 + "9F38039F6604")
            fci = bytes.fromhex("8407") + VISA + b"\xa5" + bytes((len(inner),)) + inner
            return b"\x6f" + bytes((len(fci),)) + fci + b"\x90\x00"
        return answer

    record = pay(odd).outcome.data_record
    assert 0x50 not in record
    assert record[0x84] == VISA


@pytest.mark.parametrize(
    ("ctq", "amount", "expected"),
    [("0000", 12_345, Status.ONLINE_REQUEST), ("8000", 100_000, Status.DECLINED)],
)
def test_no_card_data_shows_in_a_repr_or_a_note(
    card: PaperCard, pay: Pay, ctq: str, amount: int, expected: Status
) -> None:
    tap = pay(replace(card, ctq=ctq), amount)
    assert tap.outcome.status is expected
    for text in (repr(tap.outcome), *tap.notes):
        assert PAN not in text
        assert "4761" not in text


def test_a_combination_without_qualifiers_cannot_run_kernel_3(
    terminal: Terminal, sale: Transaction
) -> None:
    activation = Activation(terminal, sale, Combination(VISA, 3), Indicators(), VISA, ())
    with pytest.raises(ConfigurationError, match="9F66"):
        next(c3.process(c3.Configuration(), activation))


def test_the_kernel_leaves_a_lost_link_to_the_entry_point(
    terminal: Terminal, visa: Combination, sale: Transaction
) -> None:
    fci = tlv.decode(bytes.fromhex("6F098407") + VISA)
    activation = Activation(terminal, sale, visa, Indicators(ttq=visa.ttq), VISA, fci)
    conversation = c3.process(c3.Configuration(), activation)
    next(conversation)
    assert isinstance(conversation.send(bytes(4)), Command)
    with pytest.raises(LinkLost):
        conversation.throw(LinkLost("timeout"))
