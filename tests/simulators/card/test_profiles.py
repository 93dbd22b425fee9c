"""The profiles as they stand: they load, their numbers are known, and what
each promises is what the till's kernel and the bank make of it."""

from __future__ import annotations

import itertools
import os
import random
import tomllib
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyemv import cvv, kd

from config import load_settings
from config.schema import Settings
from emv import apdu, entry_point, tlv
from emv.authentication import CAKey, CAKeyStore
from emv.bits import TVR
from emv.conversation import Command, Note, OnExceptionFile, RandomBytes, Reply, Show
from emv.errors import LinkLost
from emv.kernels import c2
from emv.outcome import CVM, Outcome, Reason, Start, Status
from simulators import phone as phones
from simulators.bank.accounts import load_accounts
from simulators.bank.issuer import rules
from simulators.bank.issuer.card import read_card
from simulators.card import Answer, AnyCard, Torn, load_profiles, make_card
from simulators.card.errors import BadProfile, UnknownProfile
from simulators.card.faults import with_faults
from simulators.card.keys import CardKeys
from simulators.card.profile import FOLDER, PhoneProfile, Profile, find
from terminal.checkout.kernels import combinations, kernels
from terminal.checkout.media import card_rules
from tests.soak import size

TODAY = date(2026, 11, 24)
SIMULATORS = FOLDER.parent.parent

BELOW_ALL, ABOVE_FLOOR, ABOVE_CVM = AMOUNTS = (10_000, 50_000, 200_000)


@cache
def everything() -> dict[str, Profile]:
    return {**load_profiles(), **phones.load_profiles()}


def numbers(profile: Profile) -> list[str]:
    return [profile.pan, *(each.pan for each in profile.applications if each.pan)]


def luhn(number: str) -> int:
    doubled = "".join(
        str(int(digit) * (2 if at % 2 else 1)) for at, digit in enumerate(reversed(number))
    )
    # Digits of a doubled digit count one by one.
    return sum(int(digit) for digit in doubled) % 10


def test_the_plain_approval_is_first() -> None:
    assert next(iter(load_profiles())) == "visa-online"
    assert next(iter(phones.load_profiles())) == "phone-approved"


def test_the_list_has_every_file_once() -> None:
    files = sorted(path.stem for path in FOLDER.glob("*.toml"))
    files += sorted(path.stem for path in phones.FOLDER.glob("*.toml"))

    assert sorted(everything()) == sorted(files)
    orders = [profile.order for profile in load_profiles().values()]
    assert orders == sorted(set(orders))


def test_each_number_is_on_one_card_and_has_an_account() -> None:
    used = [number for profile in everything().values() for number in numbers(profile)]
    accounts = tomllib.loads((SIMULATORS / "bank" / "accounts.toml").read_text())["cards"]

    assert len(set(used)) == len(used)
    assert set(used) <= {account["pan"] for account in accounts}
    for number in used:
        assert luhn(number) == 0, number[-4:]


def test_each_profile_says_what_to_expect_in_both_languages() -> None:
    for profile in everything().values():
        for words in (profile.title, profile.expect, profile.title_zh, profile.expect_zh):
            assert words
            assert "\n" not in words
        assert not profile.title_zh.isascii()
        assert not profile.expect_zh.isascii()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('pan = "4761"', "pan"),
        ('expiry = "2031-13"', "expiry"),
        ("cryptogram_version = 14", "cryptogram_version: 10 or 18"),
        ("icc_key_bits = 1030", "icc_key_bits: not whole bytes"),
        ('decision = "maybe"', "decision"),
        ('cvm = ["face"]', "cvm"),
        ("applications = []", "applications: a card needs one"),
        ('colour = "red"', "colour"),
        ('unlock = "before"', "unlock"),
        ("insists_on_cvm = true\ncvm = []", "insists_on_cvm"),
        ('name = "other"', "name"),
        ('applications = [{label = "seventeen letters"}]', "label"),
        ("expiry = ", "plain.toml"),
    ],
)
def test_a_wrong_profile_is_named_with_its_key(tmp_path: Path, change: str, message: str) -> None:
    right = {
        "name": '"plain"',
        "title": '"T"',
        "title_zh": '"T"',
        "expect": '"E"',
        "expect_zh": '"E"',
        "order": "1",
        "pan": '"4761739001010119"',
        "expiry": '"2031-12"',
    }
    for line in change.splitlines():
        key, _, value = line.partition(" = ")
        right[key] = value
    path = tmp_path / "plain.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in right.items()))

    with pytest.raises(BadProfile, match=message) as error:
        load_profiles(tmp_path)
    assert "plain.toml" in str(error.value)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownProfile, match="no 'gold' here; there are: visa-online, "):
        find("gold", load_profiles)


@dataclass
class Result:
    """How the till's side of a tap ended, and whether the issuer knows its card."""

    outcome: Outcome
    taps: int
    genuine: bool | None
    heard: list[Any]
    """What the kernel asked for, each with its answer."""


@pytest.fixture(scope="module")
def settings(home: Path) -> Settings:
    return load_settings(more_ca_keys=[CardKeys(home).prepare()])


@pytest.fixture
def pay(home: Path, settings: Settings) -> Callable[[str, int], Result]:
    """Tap a card or phone in the bench shop, had it no PIN pad; twice if it asks for it."""
    devices = msgspec.structs.replace(settings.devices, pin_pads=())
    return payer(home, msgspec.structs.replace(settings, devices=devices))


@pytest.fixture
def pay_with_pin_pad(home: Path, settings: Settings) -> Callable[[str, int], Result]:
    """The same as the shop is."""
    assert settings.devices.pin_pads
    return payer(home, settings)


@pytest.fixture(scope="module")
def tapped(home: Path, settings: Settings) -> dict[str, list[Result]]:
    """Every profile in the shop as it is, below and above each limit."""
    pay = payer(home, settings)
    return {name: [pay(name, amount) for amount in AMOUNTS] for name in everything()}


def converse(
    kernel: Any, card: AnyCard, exceptions: Container[str], heard: list[Any] | None = None
) -> Outcome:
    """Carry a kernel's requests to a card until it has an outcome.

    heard: gets every request with its answer.
    """
    try:
        request = next(kernel)
        while True:
            answer: Any = None
            if isinstance(request, Command):
                response = card.respond(request.encoded)
                if isinstance(response, Torn):
                    request = kernel.throw(LinkLost("transmission"))
                    continue
                assert isinstance(response, Answer)
                answer = Reply.parse(response.data, 4000 + response.delay_us)
            elif isinstance(request, RandomBytes):
                answer = os.urandom(request.count)
            elif isinstance(request, OnExceptionFile):
                answer = request.pan in exceptions
            else:
                assert isinstance(request, Note | Show)
            if heard is not None:
                heard.append((request, answer))
            request = kernel.send(answer)
    except StopIteration as finished:
        outcome: Outcome = finished.value
        return outcome


def payer(home: Path, settings: Settings) -> Callable[..., Result]:
    """Return what taps for an amount in this shop."""
    keys = CAKeyStore(
        CAKey(key.rid, key.index, key.modulus, key.exponent, key.expires, key.sha1)
        for key in settings.ca_keys
    )
    config = entry_point.EntryPointConfig(entry_point.Terminal(country=156), combinations(settings))
    exceptions = {card.pan for card in settings.exceptions}
    known = kernels(settings, keys)

    def run(name: str, amount: int, faults: Sequence[str] = ()) -> Result:
        profile = everything()[name]
        card: AnyCard = (
            phones.make_phone(profile, home)
            if isinstance(profile, PhoneProfile)
            else make_card(profile, home)
        )
        if faults:
            card = with_faults(card, faults)
        sale = entry_point.Transaction(amount, currency=156, currency_exponent=2, date=TODAY)
        start: tuple[Any, ...] = ()
        heard: list[Any] = []
        taps = 0
        while taps < 2:
            taps += 1
            card.power_up()
            outcome = converse(
                entry_point.run(config, sale, known, *start), card, exceptions, heard
            )
            if outcome.start is not Start.B:
                break
            start = (Start.B, outcome)
        genuine = None
        if outcome.data_record and outcome.status is not Status.DECLINED:
            sent = b"".join(tlv.encode(*each) for each in outcome.data_record.items())
            genuine = rules.is_genuine(read_card(sent.hex()), CardKeys(home).issuer_master_key())
        return Result(outcome, taps, genuine, heard)

    return run


ONLINE, APPROVED, DECLINED = Status.ONLINE_REQUEST, Status.APPROVED, Status.DECLINED


@pytest.mark.parametrize(
    ("name", "amount", "status", "reason"),
    [
        ("visa-online", BELOW_ALL, ONLINE, ""),
        ("visa-online", ABOVE_CVM, ONLINE, ""),
        ("visa-offline", BELOW_ALL, APPROVED, ""),
        ("visa-offline", ABOVE_FLOOR, ONLINE, ""),
        ("visa-declined", BELOW_ALL, DECLINED, Reason.CARD_DECLINED),
        ("visa-declined", ABOVE_CVM, DECLINED, Reason.CARD_DECLINED),
        ("visa-expired", BELOW_ALL, DECLINED, Reason.EXPIRED),
        ("visa-expired", ABOVE_FLOOR, ONLINE, ""),
        ("visa-wrong-certificate", BELOW_ALL, DECLINED, Reason.NOT_AUTHENTIC),
        ("visa-wrong-certificate", ABOVE_FLOOR, ONLINE, ""),
        ("visa-pin-required", BELOW_ALL, ONLINE, ""),
        ("visa-pin-required", ABOVE_CVM, DECLINED, Reason.PIN_NOT_POSSIBLE),
        ("visa-online-pin", BELOW_ALL, ONLINE, ""),
        ("visa-online-pin", ABOVE_CVM, ONLINE, ""),
        ("visa-exception-listed", BELOW_ALL, DECLINED, Reason.EXCEPTION_FILE),
        ("visa-exception-listed", ABOVE_FLOOR, ONLINE, ""),
        ("no-match", BELOW_ALL, Status.END_APPLICATION, Reason.NO_APPLICATION),
        ("two-applications", BELOW_ALL, ONLINE, ""),
        ("visa-fdda-00", BELOW_ALL, APPROVED, ""),
        ("visa-long-key", BELOW_ALL, APPROVED, ""),
        ("visa-cvn10", BELOW_ALL, ONLINE, ""),
        ("visa-msd-only", BELOW_ALL, Status.END_APPLICATION, Reason.MODE_NOT_SUPPORTED),
        ("visa-program-limits", 5_000, APPROVED, ""),
        ("visa-program-limits", 5_001, ONLINE, ""),
        ("visa-program-limits", 499_999, ONLINE, ""),
        (
            "visa-program-limits",
            500_000,
            Status.END_APPLICATION,
            Reason.OVER_CONTACTLESS_LIMIT,
        ),
        ("mastercard-online", BELOW_ALL, ONLINE, ""),
        ("mastercard-online", ABOVE_CVM, ONLINE, ""),
        ("mastercard-cda-offline", BELOW_ALL, APPROVED, ""),
        ("mastercard-cda-offline", ABOVE_FLOOR, ONLINE, ""),
        ("mastercard-declined", BELOW_ALL, DECLINED, Reason.CARD_DECLINED),
        ("mastercard-cda-torn", BELOW_ALL, APPROVED, ""),
        ("mastercard-cda-torn", ABOVE_FLOOR, ONLINE, ""),
        ("mastercard-rrp", BELOW_ALL, APPROVED, ""),
        ("mastercard-rrp", ABOVE_CVM, ONLINE, ""),
        ("mastercard-rrp-too-slow", BELOW_ALL, ONLINE, ""),
        ("mastercard-wrong-signature", BELOW_ALL, DECLINED, Reason.NOT_AUTHENTIC),
        ("mastercard-wrong-signature", ABOVE_CVM, DECLINED, Reason.NOT_AUTHENTIC),
        ("mastercard-unknown-key", BELOW_ALL, ONLINE, ""),
        ("mastercard-no-cda", BELOW_ALL, ONLINE, ""),
        ("mastercard-expired", BELOW_ALL, DECLINED, Reason.EXPIRED),
        ("mastercard-balance", BELOW_ALL, APPROVED, ""),
        ("mastercard-storage", BELOW_ALL, ONLINE, ""),
        ("mastercard-online-pin", BELOW_ALL, ONLINE, ""),
        ("mastercard-online-pin", ABOVE_CVM, ONLINE, ""),
        ("mastercard-wrong-cryptogram", BELOW_ALL, ONLINE, ""),
        ("mastercard-magstripe", BELOW_ALL, Status.END_APPLICATION, Reason.MODE_NOT_SUPPORTED),
        ("mastercard-phone", BELOW_ALL, ONLINE, ""),
        ("mastercard-phone", ABOVE_CVM, ONLINE, ""),
        ("mastercard-see-phone", BELOW_ALL, ONLINE, ""),
        ("mastercard-see-phone", ABOVE_CVM, ONLINE, ""),
        ("unionpay-online", BELOW_ALL, ONLINE, ""),
        ("unionpay-online", ABOVE_CVM, ONLINE, ""),
        ("unionpay-fdda-offline", BELOW_ALL, APPROVED, ""),
        ("unionpay-fdda-offline", ABOVE_FLOOR, ONLINE, ""),
        ("unionpay-empty-purse", BELOW_ALL, ONLINE, ""),
        ("unionpay-empty-purse", 100, APPROVED, ""),
        ("unionpay-fdda-00", BELOW_ALL, APPROVED, ""),
        ("unionpay-wrong-certificate", BELOW_ALL, DECLINED, Reason.NOT_AUTHENTIC),
        ("unionpay-wrong-certificate", ABOVE_FLOOR, ONLINE, ""),
        ("unionpay-wrong-cryptogram", BELOW_ALL, ONLINE, ""),
        ("unionpay-declined", BELOW_ALL, DECLINED, Reason.CARD_DECLINED),
        ("unionpay-phone", BELOW_ALL, ONLINE, ""),
        ("unionpay-phone", ABOVE_CVM, ONLINE, ""),
        ("amex-online", BELOW_ALL, ONLINE, ""),
        ("amex-online", ABOVE_CVM, ONLINE, ""),
        ("amex-cda-offline", BELOW_ALL, APPROVED, ""),
        ("amex-cda-offline", ABOVE_FLOOR, ONLINE, ""),
        ("amex-see-phone", BELOW_ALL, ONLINE, ""),
        ("amex-see-phone", ABOVE_CVM, ONLINE, ""),
        ("jcb-online", BELOW_ALL, ONLINE, ""),
        ("jcb-phone", ABOVE_CVM, ONLINE, ""),
        ("discover-see-phone", BELOW_ALL, ONLINE, ""),
        ("discover-see-phone", ABOVE_CVM, ONLINE, ""),
        ("c8-phone", BELOW_ALL, ONLINE, ""),
        ("c8-phone", ABOVE_CVM, ONLINE, ""),
        ("jcb-declined", BELOW_ALL, DECLINED, Reason.CARD_DECLINED),
        ("discover-online-pin", BELOW_ALL, ONLINE, ""),
        ("discover-online-pin", ABOVE_CVM, ONLINE, ""),
        ("diners-wrong-signature", BELOW_ALL, DECLINED, Reason.NOT_AUTHENTIC),
        ("c8-online", BELOW_ALL, ONLINE, ""),
        ("c8-online", ABOVE_CVM, ONLINE, ""),
        ("c8-local-authentication", BELOW_ALL, APPROVED, ""),
        ("c8-local-authentication", ABOVE_FLOOR, ONLINE, ""),
        ("c8-relay-too-slow", BELOW_ALL, ONLINE, ""),
        ("c8-wrong-iad-mac", BELOW_ALL, Status.END_APPLICATION, Reason.NOT_AUTHENTIC),
        ("c8-wrong-certificate", BELOW_ALL, DECLINED, Reason.NOT_AUTHENTIC),
        ("c8-online-pin", BELOW_ALL, ONLINE, ""),
        ("c8-online-pin", ABOVE_CVM, DECLINED, Reason.CVM_NOT_POSSIBLE),
        ("phone-approved", BELOW_ALL, ONLINE, ""),
        ("phone-approved", ABOVE_CVM, ONLINE, ""),
        ("phone-see-phone", BELOW_ALL, ONLINE, ""),
        ("phone-see-phone", ABOVE_CVM, ONLINE, ""),
        ("phone-refused", BELOW_ALL, ONLINE, ""),
        ("phone-refused", ABOVE_CVM, DECLINED, Reason.CARD_DECLINED),
    ],
)
def test_the_kernel_comes_to_what_the_profile_promises(
    pay: Callable[[str, int], Result],
    name: str,
    amount: int,
    status: Status,
    reason: str,
) -> None:
    result = pay(name, amount)

    assert (result.outcome.status, result.outcome.reason) == (status, reason)
    is_forged = name.endswith("-wrong-cryptogram")
    assert result.genuine is (not is_forged if status in (ONLINE, APPROVED) else None)
    asks_twice = name in (
        "phone-see-phone",
        "phone-refused",
        "mastercard-see-phone",
        "amex-see-phone",
        "discover-see-phone",
        "c8-phone",
    )
    is_tapped_again = (asks_twice and amount == ABOVE_CVM) or name == "mastercard-cda-torn"
    assert result.taps == (2 if is_tapped_again else 1)


@pytest.mark.parametrize(
    ("name", "amount", "cvm"),
    [
        ("visa-online", BELOW_ALL, CVM.NONE),
        ("visa-online", ABOVE_CVM, CVM.SIGNATURE),
        ("visa-program-limits", 9_999, CVM.NONE),
        ("visa-program-limits", 10_000, CVM.SIGNATURE),
        ("phone-approved", BELOW_ALL, CVM.CONFIRMATION_CODE_VERIFIED),
        ("mastercard-online", BELOW_ALL, CVM.NONE),
        ("mastercard-online", ABOVE_CVM, CVM.SIGNATURE),
        ("mastercard-online-pin", ABOVE_CVM, CVM.NONE),
        ("unionpay-online", ABOVE_CVM, CVM.SIGNATURE),
        ("amex-online", ABOVE_CVM, CVM.SIGNATURE),
        ("amex-see-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("jcb-online", ABOVE_CVM, CVM.SIGNATURE),
        ("jcb-phone", BELOW_ALL, CVM.CONFIRMATION_CODE_VERIFIED),
        ("jcb-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("discover-see-phone", BELOW_ALL, CVM.NONE),
        ("discover-see-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("c8-phone", BELOW_ALL, CVM.NONE),
        ("c8-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("unionpay-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("mastercard-phone", BELOW_ALL, CVM.NONE),
        ("mastercard-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("mastercard-see-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
        ("phone-see-phone", BELOW_ALL, CVM.NONE),
        ("phone-see-phone", ABOVE_CVM, CVM.CONFIRMATION_CODE_VERIFIED),
    ],
)
def test_the_cardholder_is_verified_as_the_profile_promises(
    pay: Callable[[str, int], Result], name: str, amount: int, cvm: CVM
) -> None:
    assert pay(name, amount).outcome.cvm is cvm


@pytest.mark.parametrize(
    "name", ["visa-pin-required", "mastercard-online-pin", "unionpay-online", "discover-online-pin"]
)
def test_a_pin_pad_lets_a_card_have_its_pin(
    pay_with_pin_pad: Callable[[str, int], Result], name: str
) -> None:
    above, below = pay_with_pin_pad(name, ABOVE_CVM), pay_with_pin_pad(name, BELOW_ALL)

    assert (above.outcome.status, above.outcome.cvm) == (ONLINE, CVM.ONLINE_PIN)
    assert (below.outcome.status, below.outcome.cvm) == (ONLINE, CVM.NONE)


def test_the_bank_knows_every_card_but_the_forged_one(tapped: dict[str, list[Result]]) -> None:
    results = {name: results[AMOUNTS.index(ABOVE_FLOOR)] for name, results in tapped.items()}
    asked = {name: one.genuine for name, one in results.items() if one.outcome.status is ONLINE}

    forged = [f"{scheme}-wrong-cryptogram" for scheme in ("visa", "mastercard", "unionpay")]
    assert [name for name, known in asked.items() if not known] == forged
    assert len(asked) > 30


def traits(profile: Profile, result: Result) -> tuple[object, ...]:
    """Kernel, path, proof, cardholder verification, TVR and outcome of one tap."""
    outcome, record = result.outcome, result.outcome.data_record
    account = load_accounts().card(numbers(profile)[0])
    assert account is not None
    exchanges = [(one.encoded, answer) for one, answer in result.heard if isinstance(one, Command)]
    return (
        [each.kernel for each in profile.applications],
        # Each command, which cryptogram it asks for, and what its answer holds.
        [(sent[1], sent[2] if sent[1] == apdu.INS_GENERATE_AC else 0) for sent, _ in exchanges],
        [
            (answer.status, *(node.tag for node in tlv.walk(tlv.decode(answer.data))))
            for _, answer in exchanges
        ],
        [one.text for one, _ in result.heard if isinstance(one, Note) and "authentic" in one.text],
        outcome.cvm,
        record.get(0x95),
        (outcome.status, outcome.reason, result.taps, result.genuine),
        # What the bank makes of it, and of which cryptogram.
        msgspec.structs.replace(account, id="any", pan="any", brand=""),
        record.get(0x9F10, b"")[:3],
    )


def test_no_two_profiles_are_alike(tapped: dict[str, list[Result]]) -> None:
    """In kernel, path, proof, CVM, TVR and outcome at once, below and above each limit."""
    seen: list[tuple[str, object]] = []
    alike = []
    for name, profile in everything().items():
        its = [traits(profile, result) for result in tapped[name]]
        alike += [(name, other) for other, theirs in seen if theirs == its]
        seen.append((name, its))

    assert alike == []


def test_a_shop_finds_what_it_wrote_and_another_neither_finds_nor_overwrites_it(
    home: Path, settings: Settings
) -> None:
    own = settings.data_storage
    assert own is not None
    other = msgspec.structs.replace(
        own, operator_id=own.operator_id[::-1], right=own.right[::-1], data=b"tea"
    )
    shops = [payer(home, settings)] * 2
    shops.append(payer(home, msgspec.structs.replace(settings, data_storage=other)))
    shops.append(shops[0])
    slot = home / "cards" / "storage" / "mastercard-storage"
    slot.unlink(missing_ok=True)

    outcomes = [shop("mastercard-storage", BELOW_ALL).outcome for shop in shops]

    found = [one.discretionary.get(0x9F54, b"").rstrip(b"\0") for one in outcomes]
    assert found == [b"", own.data, b"", own.data]
    # Read, and the first time written; what is the same, or another's, stays.
    proved = [one.discretionary[0xDF810B].hex() for one in outcomes]
    assert proved == ["c0", "80", "80", "80"]


FAULTS = [
    "",
    *(f"{verb}:{n}" for verb in ("tear-before", "tear-after", "garbage") for n in range(1, 9)),
]


def test_terminal_card_and_bank_agree_whatever_goes_wrong(home: Path, settings: Settings) -> None:
    """Every profile, amounts about each limit, each fault; here some of all these."""
    pay = payer(home, settings)
    every = list(itertools.product(everything(), (*AMOUNTS, 1_000_000), FAULTS))
    for name, amount, fault in random.Random(5).sample(every, size(50, len(every))):
        result = pay(name, amount, [fault] if fault else ())
        outcome, place = result.outcome, (name, amount, fault)
        if outcome.status in (APPROVED, ONLINE):
            kind = (outcome.data_record or {}).get(0x9F27, b"\xff")[0] & 0xC0
            assert kind == (0x40 if outcome.status is APPROVED else 0x80), place
            assert result.genuine is not name.endswith("-wrong-cryptogram"), place
        else:
            assert result.genuine is None or outcome.status is not DECLINED, place
            assert outcome.reason, place


FOUND = (
    (TVR.ODA_NOT_PERFORMED | TVR.ICC_DATA_MISSING | TVR.CDA_FAILED | TVR.EXPIRED)
    | TVR.CARDHOLDER_VERIFICATION_FAILED
    | TVR.RELAY_TIME_LIMITS_EXCEEDED
    | TVR.RELAY_THRESHOLD_EXCEEDED
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mastercard-online", TVR(0)),
        ("mastercard-rrp", TVR(0)),
        ("mastercard-cda-torn", TVR(0)),
        (
            "mastercard-rrp-too-slow",
            TVR.RELAY_TIME_LIMITS_EXCEEDED | TVR.RELAY_THRESHOLD_EXCEEDED,
        ),
        ("mastercard-unknown-key", TVR.CDA_FAILED),
        ("mastercard-no-cda", TVR.ODA_NOT_PERFORMED),
        ("mastercard-expired", TVR.EXPIRED),
        ("mastercard-online-pin", TVR.CARDHOLDER_VERIFICATION_FAILED),
    ],
)
def test_each_mastercard_leads_to_findings_of_its_own(
    pay: Callable[[str, int], Result], name: str, found: TVR
) -> None:
    record = pay(name, ABOVE_CVM).outcome.data_record

    assert TVR.decode(record[0x95]) & FOUND == found


def test_a_torn_payment_counts_once(pay: Callable[[str, int], Result], home: Path) -> None:
    """Its counter went on by two, and the cryptogram is the first one's."""
    counter = CardKeys(home).counter("mastercard-cda-torn")
    before = counter.value()
    record = pay("mastercard-cda-torn", BELOW_ALL).outcome.data_record

    assert counter.value() == before + 2
    assert int.from_bytes(record[0x9F36], "big") == before + 1


@pytest.mark.parametrize(
    ("name", "left"), [("mastercard-balance", 25_000), ("unionpay-fdda-offline", 20_000)]
)
def test_what_is_left_reaches_the_screen(
    pay: Callable[[str, int], Result], name: str, left: int
) -> None:
    ui = pay(name, BELOW_ALL).outcome.ui

    assert ui is not None
    assert (ui.value_minor, ui.currency) == (left, 156)


def test_the_first_choice_of_two_applications_pays(pay: Callable[[str, int], Result]) -> None:
    record = pay("two-applications", BELOW_ALL).outcome.data_record

    assert record is not None
    assert record[0x84] == bytes.fromhex("A000000003101001")
    assert record[0x50] == b"VISA CREDIT"


def test_a_stripe_carries_the_code_that_pyemv_computes(home: Path) -> None:
    """Whole: reader, card, and a third party's reading of the filled track."""
    profile = load_profiles()["mastercard-magstripe"]
    card = make_card(profile, home)
    card.power_up()
    aid = bytes.fromhex(profile.applications[0].aid)
    configuration = c2.Configuration(supports_mag_stripe=True)
    config = entry_point.EntryPointConfig(
        entry_point.Terminal(country=156), (entry_point.Combination(aid, 2),)
    )
    sale = entry_point.Transaction(BELOW_ALL, currency=156, currency_exponent=2, date=TODAY)

    known = {2: c2.kernel({aid: configuration})}
    record = converse(entry_point.run(config, sale, known), card, set()).data_record

    track = record[0x9F6B].hex().upper().rstrip("F")
    key = kd.derive_icc_mk_a(CardKeys(home).issuer_master_key(), profile.pan, "01")
    counter = CardKeys(home).counter("mastercard-magstripe").value()
    template = bytes.fromhex(f"{profile.pan}D3112201{'0' * 13}F")
    code = cvv.generate_cvc3(key, template, counter.to_bytes(2, "big"), record[0x9F6A])
    assert track[-12:-8] == code[-4:]
    assert track[-8:-4] == f"{counter % 100:02}" + record[0x9F6A].hex()[-2:]


SIGNING = ["visa-offline", "mastercard-cda-offline", "mastercard-rrp", "unionpay-fdda-offline"]
SIGNING += ["amex-cda-offline"]


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("verb", ["tear-before", "tear-after"])
def test_a_card_that_leaves_at_any_command_pays_at_the_next_tap(
    home: Path, settings: Settings, name: str, verb: str
) -> None:
    """Never half: the tap is asked for again, or the cryptogram was there already."""
    rules = card_rules(settings)
    sale = entry_point.Transaction(BELOW_ALL, currency=156, currency_exponent=2, date=TODAY)
    for command in range(1, 12):
        inner = make_card(load_profiles()[name], home)
        faulty = with_faults(inner, [f"{verb}:{command}"])
        faulty.power_up()
        first = converse(entry_point.run(rules.config, sale, rules.kernels), faulty, set())
        if first.status is APPROVED:
            continue
        assert (first.start, first.reason) == (Start.B, Reason.LINK_LOST), command
        assert not first.data_record
        inner.power_up()
        again = entry_point.run(rules.config, sale, rules.kernels, Start.B, first)
        assert converse(again, inner, set()).status is APPROVED, command


@pytest.mark.parametrize("name", SIGNING)
def test_a_card_that_talks_nonsense_is_never_approved(
    home: Path, settings: Settings, name: str
) -> None:
    rules = card_rules(settings)
    sale = entry_point.Transaction(BELOW_ALL, currency=156, currency_exponent=2, date=TODAY)
    statuses = []
    for command in range(1, 9):
        faulty = with_faults(make_card(load_profiles()[name], home), [f"garbage:{command}"])
        faulty.power_up()
        outcome = converse(entry_point.run(rules.config, sale, rules.kernels), faulty, set())
        statuses.append(outcome.status)
    length = next((at for at, one in enumerate(statuses) if one is APPROVED), len(statuses))
    # Once there are no more commands to spoil, it pays.
    assert all(one is APPROVED for one in statuses[length:])
    assert length >= 5
