"""Every chip card as its profile says: the kernel, the card and the bank agree."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from emv import tlv
from emv.bits import TVR
from emv.outcome import CVM, Outcome, Reason, Status
from simulators.bank.issuer import rules, scripts
from simulators.bank.issuer.card import TC, read_card
from simulators.card.contact import load_profiles
from simulators.card.contact.profile import FOLDER
from simulators.card.keys import CardKeys

FLOOR = 20_000
BELOW, ABOVE = 12_300, 50_000
APPROVED, DECLINED, ENDED = Status.APPROVED, Status.DECLINED, Status.END_APPLICATION

GENERATE_AC, EXTERNAL_AUTHENTICATE = 0xAE, 0x82


def ends(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.reason


PAYMENTS: list[tuple[Any, ...]] = [
    ("contact-online", BELOW, (APPROVED, ""), 2, ["00"], CVM.SIGNATURE),
    ("contact-online", ABOVE, (APPROVED, ""), 2, ["00"], CVM.SIGNATURE),
    ("contact-cda-online", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-cda-offline", BELOW, (APPROVED, ""), 1, [], CVM.NONE),
    ("contact-cda-offline", ABOVE, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-dda-offline", BELOW, (APPROVED, ""), 1, [], CVM.NONE),
    ("contact-dda-offline", ABOVE, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-sda", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-cvn10", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-pin", BELOW, (APPROVED, ""), 2, ["00"], CVM.OFFLINE_PIN),
    ("contact-pin-enciphered", BELOW, (APPROVED, ""), 2, ["00"], CVM.OFFLINE_PIN),
    ("contact-pin-last-try", BELOW, (APPROVED, ""), 2, ["00"], CVM.OFFLINE_PIN),
    ("contact-pin-blocked", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-pin-and-signature", BELOW, (APPROVED, ""), 2, ["00"], CVM.SIGNATURE),
    ("contact-pin-online", BELOW, (APPROVED, ""), 2, ["00"], CVM.ONLINE_PIN),
    ("contact-two-applications", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-confirm", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-velocity", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    (
        "contact-refuses-approval",
        BELOW,
        (DECLINED, Reason.REFUSED_AFTER_APPROVAL),
        2,
        ["00"],
        CVM.NOT_APPLICABLE,
    ),
    ("contact-declined", BELOW, (DECLINED, Reason.CARD_DECLINED), 1, [], CVM.NOT_APPLICABLE),
    (
        "contact-script-blocks-app",
        BELOW,
        (DECLINED, Reason.ISSUER_DECLINED),
        2,
        ["05"],
        CVM.NOT_APPLICABLE,
    ),
    ("contact-script-unblocks-pin", BELOW, (APPROVED, ""), 2, ["00"], CVM.SIGNATURE),
    ("contact-script-sets-limits", BELOW, (APPROVED, ""), 2, ["00"], CVM.NONE),
    ("contact-script-changes-pin", BELOW, (APPROVED, ""), 2, ["00"], CVM.OFFLINE_PIN),
    ("contact-forged", BELOW, (DECLINED, Reason.NOT_AUTHENTIC), 2, [], CVM.NOT_APPLICABLE),
    (
        "contact-wrong-cryptogram",
        BELOW,
        (DECLINED, Reason.ISSUER_DECLINED),
        2,
        ["05"],
        CVM.NOT_APPLICABLE,
    ),
    ("contact-blocked", BELOW, (ENDED, Reason.CARD_BLOCKED), 0, [], CVM.NOT_APPLICABLE),
]


@pytest.mark.spec(
    "Book 2, 6.5", "Book 2, 6.6", "Book 3, 10.5.1", "Book 3, 10.10", "Book 3, 10.11", source="two"
)
@pytest.mark.parametrize(("name", "amount", "expected", "cryptograms", "codes", "cvm"), PAYMENTS)
def test_each_card_pays_as_it_promises(
    counter: Any,
    name: str,
    amount: int,
    expected: tuple[Status, str],
    cryptograms: int,
    codes: list[str],
    cvm: CVM,
) -> None:
    counter.pins = ["1234"]

    outcome = counter.pay(name, amount)

    assert ends(outcome) == expected
    assert counter.sent(GENERATE_AC) == cryptograms
    assert counter.codes == codes
    assert outcome.cvm is cvm
    assert all(counter.genuine) is (name != "contact-wrong-cryptogram")


@pytest.mark.parametrize("is_bank_away", [False, True])
@pytest.mark.parametrize("amount", [FLOOR - 1, FLOOR])
@pytest.mark.parametrize("name", sorted(set(load_profiles()) - {"contact-blocked"}))
def test_terminal_card_and_bank_agree_on_every_card_and_amount(
    counter: Any, name: str, amount: int, is_bank_away: bool
) -> None:
    """Approved is what the card's last cryptogram says, and what the bank reads in it."""
    counter.pins = ["1234"]
    counter.is_bank_away = is_bank_away

    outcome = counter.pay(name, amount)

    record = outcome.data_record
    last = read_card(b"".join(tlv.encode(tag, record[tag]) for tag in record).hex())
    is_forged = name == "contact-forged"
    assert (outcome.status is APPROVED) is (last.cryptogram_type == TC and not is_forged)
    assert last.amount_minor == amount
    if counter.codes:
        # What the issuer refused no card has approved.
        assert outcome.status is DECLINED or counter.codes == ["00"]
    has_late_script = name == "contact-script-blocks-app"
    if name != "contact-wrong-cryptogram" and not (is_forged or has_late_script):
        assert rules.is_genuine(last, CardKeys(counter.home).issuer_master_key())


def test_the_table_above_has_every_card() -> None:
    assert {case[0] for case in PAYMENTS} == set(load_profiles())


def test_the_plain_approval_is_first_and_every_file_is_there() -> None:
    profiles = load_profiles()

    assert next(iter(profiles)) == "contact-online"
    assert sorted(profiles) == sorted(path.stem for path in FOLDER.glob("*.toml"))
    assert len({profile.order for profile in profiles.values()}) == len(profiles)


def test_each_number_is_on_one_card_and_has_an_account() -> None:
    bank = Path(__file__).parents[4] / "simulators" / "bank" / "accounts.toml"
    accounts = {entry["pan"]: entry for entry in tomllib.loads(bank.read_text())["cards"]}
    used = [
        number
        for profile in load_profiles().values()
        for number in (profile.pan, *(each.pan for each in profile.applications if each.pan))
    ]

    assert len(set(used)) == len(used)
    assert set(used) <= set(accounts)
    others = [entry["id"] for entry in accounts.values() if entry["pan"] not in used]
    assert not [name for name in others if name.startswith("contact-")]


def test_no_two_cards_are_alike() -> None:
    """Each differs in something a till can see or the bank does."""
    seen: dict[tuple[Any, ...], str] = {}
    for profile in load_profiles().values():
        shape = (
            profile.authentication,
            profile.decision,
            profile.cvm,
            profile.insists_on_cvm,
            profile.pin_tries,
            profile.offline_max,
            profile.cryptogram_version,
            profile.refuses_approval,
            profile.flaw,
            profile.applications,
        )
        if not profile.name.startswith(("contact-script", "contact-cda-online")):
            assert shape not in seen, (profile.name, seen[shape])
            seen[shape] = profile.name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contact-online", TVR.ODA_NOT_PERFORMED),
        ("contact-cda-online", TVR(0)),
        ("contact-dda-offline", TVR(0)),
        ("contact-sda", TVR.SDA_SELECTED),
        ("contact-pin-blocked", TVR.PIN_TRY_LIMIT_EXCEEDED | TVR.CARDHOLDER_VERIFICATION_FAILED),
        ("contact-pin-online", TVR.ONLINE_CVM_CAPTURED),
        ("contact-forged", TVR.CDA_FAILED),
    ],
)
def test_the_findings_are_those_the_card_gives_cause_for(
    counter: Any, name: str, expected: TVR
) -> None:
    counter.pins = ["1234"]

    assert TVR.decode(counter.pay(name).data_record[0x95]) == expected


def test_the_customer_chooses_between_two_applications(counter: Any) -> None:
    counter.choice = 1

    outcome = counter.pay("contact-two-applications")

    assert counter.offered == [("VISA CREDIT", "VISA DEBIT")]
    assert outcome.data_record[0x84].hex().upper() == "A000000003101002"


def test_the_customer_may_decline_an_application(counter: Any) -> None:
    counter.choice = None

    assert ends(counter.pay("contact-confirm")) == (ENDED, Reason.CANCELLED)
    assert counter.offered == [("VISA CREDIT",)]


@pytest.mark.parametrize(
    ("name", "sent"), [("contact-online", 1), ("contact-cvn10", 0), ("contact-declined", 0)]
)
def test_the_issuer_is_proved_by_the_command_the_card_has(
    counter: Any, name: str, sent: int
) -> None:
    counter.pay(name)

    assert counter.sent(EXTERNAL_AUTHENTICATE) == sent


def test_a_card_that_insists_on_its_issuer_refuses_a_forged_answer(
    counter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "issuer_answer", lambda *_: bytes(8) + b"00")

    outcome = counter.pay("contact-cvn10")

    assert ends(outcome) == (DECLINED, Reason.REFUSED_AFTER_APPROVAL)


def test_the_bank_believes_a_second_cryptogram_too(counter: Any) -> None:
    """The card was asked for an approval after its bank could not be had."""
    counter.is_bank_away = True
    record = counter.pay("contact-cda-online").data_record

    card = read_card(b"".join(tlv.encode(*each) for each in record.items()).hex())

    assert card.cryptogram_type == TC
    assert rules.is_genuine(card, CardKeys(counter.home).issuer_master_key())


def test_a_bank_that_is_away_leaves_it_to_the_default_codes(counter: Any) -> None:
    counter.is_bank_away = True

    assert ends(counter.pay("contact-cda-online")) == (APPROVED, "")
    # Without offline authentication the issuer's own default code refuses.
    assert ends(counter.pay("contact-online")) == (DECLINED, Reason.ONLINE_NOT_POSSIBLE)


# What a card remembers


def test_wrong_pins_are_counted_over_sessions_until_it_is_blocked(counter: Any) -> None:
    counter.pins = ["9999"]
    assert counter.pay("contact-pin").cvm is CVM.SIGNATURE
    counter.pins = ["9999", "9999"]
    blocked = counter.pay("contact-pin")

    assert counter.tries_told == [3, 2, 2, 1]
    assert TVR.decode(blocked.data_record[0x95]) & TVR.PIN_TRY_LIMIT_EXCEEDED
    counter.pins = ["1234"]
    assert TVR.decode(counter.pay("contact-pin").data_record[0x95]) & TVR.PIN_TRY_LIMIT_EXCEEDED
    assert counter.pins == ["1234"]


def test_a_right_pin_gives_the_tries_back(counter: Any) -> None:
    counter.pins = ["9999", "1234"]
    counter.pay("contact-pin-enciphered")
    counter.pins = ["1234"]
    counter.pay("contact-pin-enciphered")

    assert counter.tries_told == [3, 2, 3]


def test_a_wrong_pin_at_the_last_try_blocks_at_once(counter: Any) -> None:
    counter.pins = ["4321"]

    outcome = counter.pay("contact-pin-last-try")

    assert counter.tries_told == [1]
    assert TVR.decode(outcome.data_record[0x95]) & TVR.PIN_TRY_LIMIT_EXCEEDED


def test_payments_in_a_row_without_the_issuer_are_counted(counter: Any) -> None:
    """A new card goes online; two go through; the third is over the lower limit again."""
    codes = []
    for _ in range(6):
        counter.codes.clear()
        assert counter.pay("contact-velocity").status is APPROVED
        codes.append(bool(counter.codes))

    assert codes == [True, False, False, True, False, False]


def test_a_new_card_is_told_from_one_that_was_online(counter: Any) -> None:
    first = counter.pay("contact-velocity")
    later = counter.pay("contact-velocity")

    assert TVR.decode(first.data_record[0x95]) & TVR.NEW_CARD
    assert not TVR.decode(later.data_record[0x95]) & TVR.NEW_CARD


def test_a_script_blocks_the_application_for_good(counter: Any) -> None:
    outcome = counter.pay("contact-script-blocks-app")
    assert outcome.data_record[0x9F5B].hex()[:2] == "20"

    assert ends(counter.pay("contact-script-blocks-app")) == (ENDED, Reason.NO_APPLICATION)


def test_a_script_unblocks_the_pin(counter: Any) -> None:
    counter.pay("contact-script-unblocks-pin")
    counter.pins = ["1234"]

    assert counter.pay("contact-script-unblocks-pin").cvm is CVM.OFFLINE_PIN
    assert counter.tries_told == [3]


def test_a_script_sets_another_pin_and_the_card_says_so_under_its_next_cryptogram(
    counter: Any,
) -> None:
    counter.pins = ["1234"]
    first = counter.pay("contact-script-changes-pin")
    assert first.data_record[0x9F10][6] == 0x10, "one order carried out, none failed"
    counter.pins = ["1234", "4321"]

    assert counter.pay("contact-script-changes-pin").cvm is CVM.OFFLINE_PIN
    assert counter.tries_told == [3, 3, 2]


def test_a_script_sets_the_limits(counter: Any) -> None:
    counter.pay("contact-script-sets-limits")
    card = counter.card("contact-script-sets-limits")

    records = b"".join(card._applications[0].issued.records)
    assert b"\x9f\x14\x01\x01" in records
    assert b"\x9f\x23\x01\x03" in records


def test_a_script_under_another_key_changes_nothing(
    counter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "mac", lambda *_: bytes(8))

    outcome = counter.pay("contact-script-blocks-app")

    assert outcome.data_record[0x9F5B].hex()[:2] == "11"
    assert TVR.decode(outcome.data_record[0x95]) & TVR.SCRIPT_FAILED_AFTER
    assert counter.pay("contact-script-blocks-app").status is DECLINED
