"""Whole contact payments on paper: every answer to GENERATE AC, and every way to break off."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from emv.actions import ActionCodes
from emv.bits import TSI, TVR
from emv.conversation import AskIssuer, ChooseApplication, Command, IssuerAnswer, Reply
from emv.entry_point import Terminal
from emv.errors import LinkLost
from emv.kernels.contact import process
from emv.kernels.contact.session import code_tables
from emv.outcome import (
    CVM,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)
from emv.risk import RiskLimits

pytestmark = pytest.mark.spec(
    "Book 3, 6.3",
    "Book 3, 7.2",
    "Book 3, 7.5",
    "Book 3, 9.2",
    "Book 3, 9.3",
    "Book 3, 10.1",
    "Book 3, 10.2",
    "Book 3, 10.6.1",
    "Book 3, 10.6.2",
    "Book 3, 10.6.3",
    "Book 3, 10.8",
    "Book 3, 10.9",
    "Book 3, 10.10",
    "Book 3, 10.11",
    "Book 4, 6.3.5",
    "Book 4, 12.1",
    "Book 4, 12.2.1",
    "Book 4, Annex A6",
    source="ours",
)

Chip = Callable[..., Any]

EXTERNAL_AUTHENTICATE = 0x82
NOTHING = TVR(0)


def ends(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.reason


def test_a_card_that_agrees_pays_offline_without_the_issuer(slot: Any, chip: Any) -> None:
    chip.answers = ["40"]

    outcome = slot.insert(chip)

    assert ends(outcome) == (Status.APPROVED, "")
    assert slot.people.was_asked(AskIssuer) == []
    assert chip.requested() == [0x40]
    assert outcome.data_record[0x8A] == b"Y1"
    assert outcome.data_record[0x9F27] == b"\x40"


@pytest.mark.parametrize(
    ("rule", "message"), [("1F00", MessageId.APPROVED), ("1E00", MessageId.APPROVED_SIGN)]
)
def test_the_screen_speaks_the_cards_language_and_asks_for_the_signature(
    slot: Any, new_chip: Chip, rule: str, message: MessageId
) -> None:
    outcome = slot.insert(new_chip(signed={"8E": "0000000000000000" + rule}))

    processing = UserInterfaceRequest(MessageId.PROCESSING, ReaderStatus.PROCESSING)
    assert slot.shown == [replace(processing, language=b"zhen")]
    assert outcome.ui == UserInterfaceRequest(message, ReaderStatus.CARD_READ_OK, language=b"zhen")
    assert outcome.receipt is (message is MessageId.APPROVED_SIGN)
    assert TSI.decode(outcome.data_record[0x9B]) == (
        TSI.CARDHOLDER_VERIFICATION_PERFORMED
        | TSI.CARD_RISK_MANAGEMENT_PERFORMED
        | TSI.TERMINAL_RISK_MANAGEMENT_PERFORMED
    )


def test_a_card_without_a_language_is_shown_nothing_early(slot: Any, new_chip: Chip) -> None:
    slot.insert(new_chip(fci={"50": "56495341"}))

    assert slot.shown == []


def test_an_online_payment_ends_with_a_second_cryptogram(slot: Any, chip: Any) -> None:
    outcome = slot.insert(chip)

    assert ends(outcome) == (Status.APPROVED, "")
    assert chip.requested() == [0x40, 0x40]
    (asked,) = slot.people.was_asked(AskIssuer)
    assert asked.data_record[0x9F26].hex() == "0123456789abcdef"
    assert asked.data_record[0x9F39] == b"\x05"
    assert 0x8A not in asked.data_record
    assert outcome.data_record[0x8A] == b"00"


@pytest.mark.parametrize(
    ("answers", "code", "expected", "requested"),
    [
        (["80", "40"], b"00", (Status.APPROVED, ""), 0x40),
        (["80", "40"], b"10", (Status.APPROVED, ""), 0x40),
        (["80", "40"], b"11", (Status.APPROVED, ""), 0x40),
        (["80", "00"], b"00", (Status.DECLINED, Reason.REFUSED_AFTER_APPROVAL), 0x40),
        (["80", "C0"], b"00", (Status.DECLINED, Reason.REFUSED_AFTER_APPROVAL), 0x40),
        (["80", "00"], b"05", (Status.DECLINED, Reason.ISSUER_DECLINED), 0x00),
        (["80", "00"], b"51", (Status.DECLINED, Reason.ISSUER_DECLINED), 0x00),
        (["80", "00"], b"01", (Status.DECLINED, Reason.REFERRAL), 0x00),
        (["80", "00"], b"02", (Status.DECLINED, Reason.REFERRAL), 0x00),
    ],
)
def test_the_issuers_word_decides_what_the_card_is_asked(
    slot: Any,
    chip: Any,
    answers: list[str],
    code: bytes,
    expected: tuple[Status, str],
    requested: int,
) -> None:
    chip.answers = answers
    slot.people.issuer = IssuerAnswer(code)

    assert ends(slot.insert(chip)) == expected
    assert chip.requested()[1] == requested


@pytest.mark.parametrize(
    ("cid", "reason"),
    [
        ("00", Reason.CARD_DECLINED),
        ("01", Reason.SERVICE_NOT_ALLOWED),
        ("02", Reason.PIN_BLOCKED),
        ("03", Reason.CARD_DECLINED),
        ("08", Reason.CARD_DECLINED),
        ("C0", Reason.REFERRAL),
    ],
)
def test_a_card_that_declines_says_why_where_it_can(
    slot: Any, chip: Any, cid: str, reason: Reason
) -> None:
    chip.answers = [cid]

    outcome = slot.insert(chip)

    assert ends(outcome) == (Status.DECLINED, reason)
    assert outcome.data_record[0x8A] == b"Z1"
    assert len(chip.requested()) == 1


@pytest.mark.parametrize(
    ("online", "denial", "answers"),
    [(True, False, ["40"]), (False, True, ["40"]), (False, True, ["80"])],
)
def test_a_card_that_grants_more_than_was_asked_is_refused(
    slot: Any, chip: Any, new_application: Chip, online: bool, denial: bool, answers: list[str]
) -> None:
    everything = TVR.ODA_NOT_PERFORMED
    codes = ActionCodes(
        everything if denial else NOTHING, everything if online else NOTHING, NOTHING
    )
    slot.configuration = replace(
        slot.configuration, applications=(new_application(action_codes=codes),)
    )
    chip.answers = answers

    assert ends(slot.insert(chip)) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


def test_a_second_request_for_the_issuer_is_no_answer(slot: Any, chip: Any) -> None:
    chip.answers = ["80", "80"]

    assert ends(slot.insert(chip)) == (Status.DECLINED, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize(
    ("default", "card", "code", "expected"),
    [
        (NOTHING, "40", b"Y3", (Status.APPROVED, "")),
        (NOTHING, "00", b"Y3", (Status.DECLINED, Reason.CARD_DECLINED)),
        (TVR.ODA_NOT_PERFORMED, "00", b"Z3", (Status.DECLINED, Reason.ONLINE_NOT_POSSIBLE)),
    ],
)
def test_an_issuer_that_cannot_be_asked_leaves_it_to_the_default_codes(
    slot: Any,
    chip: Any,
    new_application: Chip,
    default: TVR,
    card: str,
    code: bytes,
    expected: tuple[Status, str],
) -> None:
    codes = ActionCodes(NOTHING, NOTHING, default)
    slot.configuration = replace(
        slot.configuration, applications=(new_application(action_codes=codes),)
    )
    slot.people.issuer = None
    chip.answers = ["80", card]

    outcome = slot.insert(chip)

    assert ends(outcome) == expected
    assert outcome.data_record[0x8A] == code
    assert chip.requested() == [0x40, 0x40 if code == b"Y3" else 0x00]


def test_an_offline_only_terminal_never_asks_the_issuer(slot: Any, chip: Any) -> None:
    slot.terminal = Terminal(country=156, terminal_type=0x23, capabilities=bytes.fromhex("E0F8C8"))

    outcome = slot.insert(chip)

    assert ends(outcome) == (Status.APPROVED, "")
    assert slot.people.was_asked(AskIssuer) == []


def test_a_denial_by_action_codes_asks_the_card_to_decline(slot: Any, chip: Any) -> None:
    chip.signed = {"5F24": "251130", "9F0E": "0040000000"}
    chip.answers = ["00"]

    outcome = slot.insert(chip)

    assert ends(outcome) == (Status.DECLINED, Reason.EXPIRED)
    assert chip.requested() == [0x00]
    assert TVR.decode(outcome.data_record[0x95]) & TVR.EXPIRED


@pytest.mark.parametrize(("amount", "first"), [(19_999, 0x40), (20_000, 0x80)])
def test_from_the_floor_limit_on_the_issuer_is_asked(
    slot: Any, chip: Any, amount: int, first: int
) -> None:
    chip.signed = {"9F0F": "0000008000"}
    slot.transaction = replace(slot.transaction, amount_authorised_minor=amount)

    slot.insert(chip)

    assert chip.requested()[0] == first


@pytest.mark.parametrize(
    ("kind", "bit"),
    [("forced", TVR.FORCED_ONLINE), ("exception", TVR.ON_EXCEPTION_FILE)],
)
def test_doubts_about_the_card_are_findings(slot: Any, chip: Any, kind: str, bit: TVR) -> None:
    outcome = slot.insert(
        chip, forced_online=kind == "forced", on_exception_file=kind == "exception"
    )

    assert TVR.decode(outcome.data_record[0x95]) == bit | TVR.ODA_NOT_PERFORMED


@pytest.mark.parametrize(("percent", "is_selected"), [(0, False), (62, False), (63, True)])
def test_chance_may_send_a_small_payment_online(
    slot: Any, chip: Any, new_application: Callable[..., Any], percent: int, is_selected: bool
) -> None:
    """Of 99 numbers the reader draws the 63rd."""
    limits = RiskLimits(20_000, 20_000, percent, percent)
    slot.configuration = replace(slot.configuration, applications=(new_application(limits=limits),))

    outcome = slot.insert(chip)

    found = TVR.decode(outcome.data_record[0x95])
    assert (TVR.RANDOMLY_SELECTED in found) is is_selected


def test_a_cards_counters_are_findings(slot: Any, new_chip: Chip) -> None:
    card = new_chip(signed={"9F14": "02", "9F23": "04"}, objects={"9F36": "0005", "9F13": "0000"})

    found = TVR.decode(slot.insert(card).data_record[0x95])
    limits = TVR.LOWER_OFFLINE_LIMIT_EXCEEDED | TVR.UPPER_OFFLINE_LIMIT_EXCEEDED
    assert found & (limits | TVR.NEW_CARD) == limits | TVR.NEW_CARD


@pytest.mark.parametrize(
    ("amount", "told"), [(12_345, "00003039"), (0xFFFFFFFF, "FFFFFFFF"), (1 << 32, "FFFFFFFF")]
)
def test_an_amount_in_binary_ends_where_four_bytes_do(
    slot: Any, new_chip: Chip, amount: int, told: str
) -> None:
    slot.transaction = replace(slot.transaction, amount_authorised_minor=amount)
    card = new_chip(signed={"8C": "81049F3704"})
    slot.insert(card)

    assert card.sent(0xAE)[0].hex().upper() == told + "7FBC4049"


@pytest.mark.parametrize(
    ("capabilities", "tables"),
    [
        ("0000000000", set()),
        ("0000000101", {1, 9}),
        ("00000003FF", set(range(1, 11))),
        ("FFFFFFFC00", set()),
    ],
)
def test_a_terminal_names_the_alphabets_it_can_show(capabilities: str, tables: set[int]) -> None:
    terminal = Terminal(156, additional_capabilities=bytes.fromhex(capabilities))

    assert code_tables(terminal) == tables


def test_what_the_card_paid_before_counts_where_a_log_is_kept(slot: Any, chip: Any) -> None:
    slot.configuration = replace(slot.configuration, has_transaction_log=True)
    slot.people.logged_minor = 7_655

    outcome = slot.insert(chip)

    assert TVR.decode(outcome.data_record[0x95]) & TVR.FLOOR_LIMIT_EXCEEDED


# The issuer's proof and scripts


@pytest.mark.parametrize(
    ("aip", "status", "sent", "failed"),
    [
        ("1C00", None, 1, False),
        ("1C00", "6300", 1, True),
        ("1C00", "6985", 1, True),
        ("1800", None, 0, False),
    ],
)
def test_the_issuer_proves_itself_where_the_card_can_check_it(
    slot: Any, chip: Any, aip: str, status: str | None, sent: int, failed: bool
) -> None:
    chip.aip = aip
    if status is not None:
        chip.statuses = {(EXTERNAL_AUTHENTICATE, 1): status}
    proof = bytes.fromhex("112233445566778830 30".replace(" ", ""))
    slot.people.issuer = IssuerAnswer(b"00", authentication_data=proof)

    outcome = slot.insert(chip)

    assert chip.sent(EXTERNAL_AUTHENTICATE) == [proof] * sent
    assert bool(TVR.decode(outcome.data_record[0x95]) & TVR.ISSUER_AUTHENTICATION_FAILED) is failed
    # CDOL2 begins with tag 8A, then 8 bytes of tag 91.
    assert chip.sent(0xAE)[1][:10] == b"00" + proof[:8]


SCRIPT_71 = bytes.fromhex("71129F18040102030486098418000004AABBCCDD")
SCRIPT_72 = bytes.fromhex("720D9F180405060708860484180000")


@pytest.mark.parametrize(
    ("scripts", "order", "results"),
    [
        (SCRIPT_71, [0xAE, 0x18, 0xAE], "2001020304"),
        (SCRIPT_72, [0xAE, 0xAE, 0x18], "2005060708"),
        (SCRIPT_72 + SCRIPT_71, [0xAE, 0x18, 0xAE, 0x18], "20010203042005060708"),
    ],
)
def test_scripts_go_to_the_card_before_or_after_the_last_cryptogram(
    slot: Any, chip: Any, scripts: bytes, order: list[int], results: str
) -> None:
    slot.people.issuer = IssuerAnswer(b"00", scripts=scripts)

    outcome = slot.insert(chip)

    assert [ins for ins in chip.names() if ins in (0xAE, 0x18)] == order
    assert outcome.data_record[0x9F5B].hex() == results
    assert outcome.data_record[0x9B][0] & 0x04


@pytest.mark.parametrize(
    ("scripts", "bit", "results"),
    [
        (SCRIPT_71, TVR.SCRIPT_FAILED_BEFORE, "1101020304"),
        (SCRIPT_72, TVR.SCRIPT_FAILED_AFTER, "1105060708"),
    ],
)
def test_a_failed_script_is_reported_and_the_payment_stands(
    slot: Any, chip: Any, scripts: bytes, bit: TVR, results: str
) -> None:
    slot.people.issuer = IssuerAnswer(b"00", scripts=scripts)
    chip.statuses = {(0x18, 1): "6985"}

    outcome = slot.insert(chip)

    assert outcome.status is Status.APPROVED
    assert TVR.decode(outcome.data_record[0x95]) & bit
    assert outcome.data_record[0x9F5B].hex() == results


def test_scripts_that_cannot_be_read_are_reported_and_the_payment_stands(
    slot: Any, chip: Any
) -> None:
    slot.people.issuer = IssuerAnswer(b"00", scripts=SCRIPT_71[:-1])

    outcome = slot.insert(chip)

    assert outcome.status is Status.APPROVED
    assert outcome.data_record[0x9F5B] == bytes(5)
    assert TVR.decode(outcome.data_record[0x95]) & TVR.SCRIPT_FAILED_BEFORE


# Breaking off


def commands_of(slot: Any, chip: Any) -> int:
    slot.insert(chip)
    return len(chip.commands)


def test_a_card_pulled_out_at_any_command_ends_in_a_defined_outcome(
    slot: Any, new_chip: Chip
) -> None:
    """Before the issuer's word another try is possible; after it an approval must go back."""
    slot.people.issuer = IssuerAnswer(
        b"00", authentication_data=bytes(8), scripts=SCRIPT_71 + SCRIPT_72
    )
    whole = new_chip()
    count = commands_of(slot, whole)
    first, second = (at for at, ins in enumerate(whole.names(), start=1) if ins == 0xAE)

    expected: tuple[Status, str]
    for removed_at in range(1, count + 1):
        outcome = slot.insert(new_chip(removed_at=removed_at))

        if removed_at <= first:
            expected = (Status.END_APPLICATION, Reason.LINK_LOST)
        elif removed_at <= second:
            expected = (Status.DECLINED, Reason.LINK_LOST)
        else:
            # Only the issuer's last script is lost.
            expected = (Status.APPROVED, "")
        assert ends(outcome) == expected, removed_at
        if outcome.error is not None and outcome.status is Status.DECLINED:
            assert outcome.error.layer == 2


@pytest.mark.parametrize("status", ["6985", "6A81", "6283", "6300", "6700", "6D00", "6F00"])
@pytest.mark.parametrize(
    ("ins", "number", "name"),
    [(0xB2, 3, "READ RECORD"), (0xAE, 1, "GENERATE AC"), (0x88, 1, "INTERNAL AUTHENTICATE")],
)
def test_a_status_no_rule_foresees_ends_the_application(
    slot: Any, new_chip: Chip, status: str, ins: int, number: int, name: str
) -> None:
    outcome = slot.insert(new_chip(aip="3C00", statuses={(ins, number): status}))

    assert ends(outcome) == (Status.END_APPLICATION, Reason.CARD_REFUSED)
    assert outcome.error is not None
    assert (outcome.error.detail, outcome.error.status_word) == (name, int(status, 16))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("6985", Reason.NO_APPLICATION),
        ("6A81", Reason.CARD_REFUSED),
        ("6984", Reason.CARD_REFUSED),
        ("6283", Reason.CARD_REFUSED),
        ("6300", Reason.CARD_REFUSED),
    ],
)
def test_a_refused_beginning_passes_on_or_ends(
    slot: Any, new_chip: Chip, status: str, reason: Reason
) -> None:
    outcome = slot.insert(new_chip(statuses={(0xA8, 1): status}))

    assert ends(outcome) == (Status.END_APPLICATION, reason)


def test_a_refused_second_cryptogram_takes_the_approval_back(slot: Any, new_chip: Chip) -> None:
    outcome = slot.insert(new_chip(statuses={(0xAE, 2): "6985"}))

    assert ends(outcome) == (Status.DECLINED, Reason.CARD_REFUSED)


def test_a_blocked_card_is_told_as_such(slot: Any, new_chip: Chip) -> None:
    outcome = slot.insert(new_chip(statuses={(0xA4, 1): "6A81"}))

    assert ends(outcome) == (Status.END_APPLICATION, Reason.CARD_BLOCKED)


@pytest.mark.parametrize("tag", ["5A", "5F24", "8C", "8D"])
def test_a_mandatory_object_that_is_missing_is_named(slot: Any, new_chip: Chip, tag: str) -> None:
    outcome = slot.insert(new_chip(without=frozenset({tag})))

    assert ends(outcome) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error is not None
    assert tag in outcome.error.detail


@pytest.mark.parametrize("tag", ["5A", "5F24", "57", "8C", "8D", "8E", "82", "9F0D", "9F42"])
def test_an_object_that_occurs_twice_ends_the_application(
    slot: Any, new_chip: Chip, tag: str, encode: Callable[[str, str], bytes]
) -> None:
    twice = encode("70", encode(tag, "0102030405060708").hex())

    outcome = slot.insert(new_chip(extra_record=twice))

    assert ends(outcome) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("5A", "47617390010101AA"),
        ("5A", "47"),
        ("5A", "4761739F"),
        ("5A", "47617390010101190000"),
        ("5F24", "311331"),
        ("5F24", "310000"),
        ("5F24", "3112"),
        ("5F25", "310230"),
        ("5F28", "56"),
        ("8C", "9F02"),
        ("8D", "9F02FF9F03FF"),
        ("8E", "00000000000000001F"),
        ("9F0E", "00"),
        ("9F07", "FF"),
        ("9F42", "56"),
    ],
)
def test_an_object_of_a_wrong_shape_ends_the_application(
    slot: Any, new_chip: Chip, tag: str, value: str
) -> None:
    outcome = slot.insert(new_chip(signed={tag: value}))

    assert outcome.status in (Status.END_APPLICATION, Status.DECLINED)
    assert outcome.reason == Reason.CARD_DATA_ERROR


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ac_without": frozenset({"9F27"})}, Reason.CARD_DATA_MISSING),
        ({"ac_without": frozenset({"9F36"})}, Reason.CARD_DATA_MISSING),
        ({"ac_without": frozenset({"9F26"})}, Reason.CARD_DATA_MISSING),
        ({"ac_format": "70"}, Reason.CARD_DATA_ERROR),
        (
            {"ac_format": "80", "ac_without": frozenset({"9F26", "9F10"})},
            Reason.CARD_DATA_ERROR,
        ),
    ],
)
def test_a_cryptogram_answer_of_a_wrong_shape_ends_the_application(
    slot: Any, new_chip: Chip, fields: dict[str, Any], reason: Reason
) -> None:
    outcome = slot.insert(new_chip(**fields))

    assert ends(outcome) == (Status.END_APPLICATION, reason)


@pytest.mark.parametrize(
    ("tag", "value"), [("9F27", "8000"), ("9F36", "00002A"), ("9F36", "2A"), ("9F26", "01234567")]
)
def test_an_object_of_a_cryptogram_answer_has_its_length(
    slot: Any, new_chip: Chip, tag: str, value: str
) -> None:
    card = new_chip()
    objects = {"9F27": "80", "9F36": "002A", "9F26": "0123456789ABCDEF"} | {tag: value}
    card.cryptogram = lambda _command, _data: card.template("77", objects)

    assert ends(slot.insert(card)) == (Status.END_APPLICATION, Reason.CARD_DATA_ERROR)


@pytest.mark.parametrize("tag", ["82", "94"])
def test_options_without_profile_or_locator_end_the_application(
    slot: Any, new_chip: Chip, tag: str
) -> None:
    card = new_chip()
    objects = {"82": card.aip, "94": "10010401"}
    del objects[tag]
    card.options = lambda _command, _data: card.template("77", objects)

    outcome = slot.insert(card)
    assert ends(outcome) == (Status.END_APPLICATION, Reason.CARD_DATA_MISSING)
    assert outcome.error.detail == f"tag {tag} is missing"


def test_a_card_is_told_what_its_first_list_asks_for(slot: Any, new_chip: Chip) -> None:
    card = new_chip(fci={"50": "56495341", "9F38": "9F1A029F37049A03"}, aip="3D00")

    outcome = slot.insert(card)

    assert card.sent(0xA8) == [bytes.fromhex("8309 0156 7FBC4049 261124")]
    # The combined signature covers it: a kernel that forgot it would find a forgery.
    assert outcome.status is Status.APPROVED
    assert not TVR.decode(outcome.data_record[0x95]) & TVR.CDA_FAILED


@pytest.mark.parametrize(
    ("length", "reason"), [("F8", ""), ("F9", Reason.CARD_DATA_ERROR)], ids=["252", "253"]
)
def test_a_list_asks_for_no_more_than_a_command_carries(
    slot: Any, new_chip: Chip, length: str, reason: str
) -> None:
    card = new_chip(signed={"8C": "9F37049F7C" + length})

    assert slot.insert(card).reason == reason


@pytest.mark.parametrize("ac_format", ["77", "80"])
def test_both_formats_of_a_cryptogram_answer_are_read(
    slot: Any, new_chip: Chip, ac_format: str
) -> None:
    outcome = slot.insert(new_chip(ac_format=ac_format))

    assert outcome.status is Status.APPROVED
    assert outcome.data_record[0x9F36] == b"\x00\x2a"
    assert outcome.data_record[0x9F10].hex() == "06010a03a4b800"


def test_a_hash_over_the_transaction_is_made_where_the_card_wants_one(
    slot: Any, new_chip: Chip, new_application: Chip
) -> None:
    """SHA-1 over amount and type, as the list on the card says; else the terminal's list."""
    wanted = {"8C": "9F02069814"}
    with_list = new_chip(signed={**wanted, "97": "9F02069C01"})
    slot.insert(with_list)
    expected = hashlib.sha1(bytes.fromhex("00000001234500")).digest()
    assert with_list.sent(0xAE)[0] == bytes.fromhex("000000012345") + expected

    without = new_chip(signed=wanted)
    outcome = slot.insert(without)

    assert without.sent(0xAE)[0][6:] == hashlib.sha1(b"").digest()
    assert TVR.decode(outcome.data_record[0x95]) & TVR.DEFAULT_TDOL_USED


def test_nobody_is_asked_about_the_only_application(slot: Any, chip: Any) -> None:
    outcome = slot.insert(chip)

    assert slot.people.was_asked(ChooseApplication) == []
    assert outcome.cvm is CVM.NONE
    assert outcome.data_record[0x84].hex() == "a0000000031010"


def test_no_card_data_shows_in_a_repr_or_a_note(slot: Any, chip: Any) -> None:
    outcome = slot.insert(chip)

    for text in (repr(outcome), *slot.notes, *map(repr, slot.people.asked)):
        assert "4761" not in text
        assert "0119" not in text


def wants_consent(card: Any, encode: Callable[[str, bytes | str], bytes]) -> Any:
    """Give a card a directory of its own: one application, French or Chinese, with consent."""

    def select(command: bytes, name: bytes) -> bytes:
        if name != b"1PAY.SYS.DDF01":
            answer: bytes = type(card).select(card, command, name)
            return answer
        inside = encode("88", "01") + encode("5F2D", b"frzh".hex())
        return encode("6F", encode("84", name) + encode("A5", inside))

    def record(command: bytes, data: bytes) -> bytes:
        if command[3] >> 3 != 1 or command[2] > 1:
            answer: bytes = type(card).record(card, command, data)
            return answer
        entry = encode("4F", "A0000000031010") + encode("50", "56495341") + encode("87", "81")
        return encode("70", encode("61", entry))

    card.select, card.record = select, record
    return card


def test_the_cardholder_is_asked_in_a_language_of_the_card(
    slot: Any, new_chip: Chip, encode: Callable[[str, bytes | str], bytes]
) -> None:
    slot.configuration = replace(slot.configuration, languages=("en", "zh"))

    outcome = slot.insert(wants_consent(new_chip(), encode))

    assert outcome.status is Status.APPROVED
    assert slot.people.was_asked(ChooseApplication) == [ChooseApplication(("VISA",), "zh")]


@pytest.mark.parametrize(
    ("can_ask", "reason"), [(True, Reason.CANCELLED), (False, Reason.NO_APPLICATION)]
)
def test_without_a_consent_the_application_is_not_used(
    slot: Any,
    new_chip: Chip,
    encode: Callable[[str, bytes | str], bytes],
    can_ask: bool,
    reason: Reason,
) -> None:
    slot.configuration = replace(slot.configuration, asks_cardholder=can_ask)
    slot.people.choice = None

    outcome = slot.insert(wants_consent(new_chip(), encode))

    assert ends(outcome) == (Status.END_APPLICATION, reason)
    assert len(slot.people.was_asked(ChooseApplication)) == can_ask


def test_a_card_pulled_out_while_its_holder_is_asked_ends_the_application(
    slot: Any, new_chip: Chip, encode: Callable[[str, bytes | str], bytes]
) -> None:
    card = wants_consent(new_chip(), encode)
    kernel = process(slot.configuration, slot.terminal, slot.transaction)
    request = next(kernel)
    while not isinstance(request, ChooseApplication):
        reply = None
        if isinstance(request, Command):
            reply = Reply.parse(card(request.encoded), 1000)
        request = kernel.send(reply)

    with pytest.raises(StopIteration) as ended:
        kernel.throw(LinkLost("transmission"))

    assert ends(ended.value.value) == (Status.END_APPLICATION, Reason.LINK_LOST)
