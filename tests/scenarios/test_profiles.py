"""Every card, phone and wallet there is, from the command line to the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from simulators import phone as phones
from simulators import wallet as wallets
from simulators.card import load_profiles
from terminal.__main__ import main
from terminal.journal import JournalReader

SMALL, ABOVE_FLOOR, ABOVE_CVM = "150.00", "350.00", "1500.00"
"""Below the floor limit of 200.00; above it; above the CVM limit of 1,000.00."""


class Expected(NamedTuple):
    """How a sale ends."""

    state: str
    reason: str
    next_step: str
    status: int
    code: str = "00"


YES = Expected("approved", "approved", "hand_over", 0)
SIGNED = Expected("approved", "approved_sign", "customer_signs", 0)


def no(reason: str, next_step: str, code: str = "") -> Expected:
    return Expected("declined", reason, next_step, 10, code)


def still_open(reason: str, next_step: str) -> Expected:
    """The sale went on and waited; a script then cancels it."""
    return Expected("cancelled", reason, next_step, 30, "")


NO_MONEY = no("not_enough_money", "another_card_or_wallet", "51")
EXPIRED = no("card_expired", "another_card", "54")
STOLEN = no("declined_plainly", "another_card", "43")
HOT_BY_BANK = no("declined_plainly", "another_card", "41")
NOT_GENUINE = no("card_not_authentic", "another_card_or_wallet")
EXPIRED_HERE = no("card_expired", "another_card")
BY_CARD = no("declined_by_card", "another_card_or_wallet")
NOT_HONOURED = no("declined_by_bank", "call_issuer", "05")
OVER_LIMIT = no("over_card_limit", "smaller_amount", "61")
TOO_OFTEN = no("too_many_payments", "insert_or_another", "65")
ISSUER_DOWN = no("issuer_down", "wait_a_minute", "91")
UNKNOWN_SCHEME = still_open("card_not_accepted", "another_card_or_wallet")
NOT_PROVED = still_open("card_not_authentic", "another_card_or_wallet")

# What each profile's `expect` says, for an amount below the floor limit, one
# above it, and one above the CVM limit.
TAPS: dict[str, tuple[Expected, Expected, Expected]] = {
    "card:visa-online": (YES, YES, SIGNED),
    "card:visa-offline": (YES, YES, SIGNED),
    "card:visa-declined": (BY_CARD, BY_CARD, BY_CARD),
    "card:visa-expired": (EXPIRED_HERE, EXPIRED, EXPIRED),
    "card:visa-wrong-certificate": (NOT_GENUINE, YES, SIGNED),
    "card:visa-wrong-cryptogram": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:visa-pin-required": (YES, YES, YES),
    "card:visa-online-pin": (YES, YES, YES),
    "card:visa-exception-listed": (
        no("card_on_exception_file", "another_card"),
        HOT_BY_BANK,
        HOT_BY_BANK,
    ),
    "card:no-match": (UNKNOWN_SCHEME, UNKNOWN_SCHEME, UNKNOWN_SCHEME),
    "card:two-applications": (YES, YES, SIGNED),
    "card:visa-insufficient-funds": (NO_MONEY, NO_MONEY, NO_MONEY),
    "card:visa-do-not-honour": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:visa-stolen": (STOLEN, STOLEN, STOLEN),
    "card:visa-over-limit": (OVER_LIMIT, OVER_LIMIT, OVER_LIMIT),
    "card:visa-velocity": (TOO_OFTEN, TOO_OFTEN, TOO_OFTEN),
    "card:visa-issuer-down": (ISSUER_DOWN, ISSUER_DOWN, ISSUER_DOWN),
    "card:visa-expired-at-bank": (EXPIRED, EXPIRED, EXPIRED),
    "card:visa-fdda-00": (YES, YES, SIGNED),
    "card:visa-long-key": (YES, YES, SIGNED),
    "card:visa-cvn10": (YES, YES, SIGNED),
    "card:visa-msd-only": (UNKNOWN_SCHEME, UNKNOWN_SCHEME, UNKNOWN_SCHEME),
    "card:visa-issuer-update": (YES, YES, SIGNED),
    "card:visa-program-limits": (SIGNED, SIGNED, SIGNED),
    "card:mastercard-online": (YES, YES, SIGNED),
    "card:mastercard-cda-offline": (YES, YES, SIGNED),
    "card:mastercard-declined": (BY_CARD, BY_CARD, BY_CARD),
    "card:mastercard-cda-torn": (YES, YES, SIGNED),
    "card:mastercard-rrp": (YES, YES, SIGNED),
    "card:mastercard-rrp-too-slow": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:mastercard-wrong-signature": (NOT_GENUINE, NOT_GENUINE, NOT_GENUINE),
    "card:mastercard-unknown-key": (YES, YES, SIGNED),
    "card:mastercard-no-cda": (YES, YES, SIGNED),
    "card:mastercard-expired": (EXPIRED_HERE, EXPIRED_HERE, EXPIRED_HERE),
    "card:mastercard-balance": (YES, YES, SIGNED),
    "card:mastercard-storage": (YES, YES, SIGNED),
    "card:mastercard-online-pin": (YES, YES, YES),
    "card:mastercard-insufficient-funds": (NO_MONEY, NO_MONEY, NO_MONEY),
    "card:mastercard-wrong-cryptogram": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:mastercard-magstripe": (UNKNOWN_SCHEME, UNKNOWN_SCHEME, UNKNOWN_SCHEME),
    "card:unionpay-online": (YES, YES, YES),
    "card:unionpay-fdda-offline": (YES, YES, SIGNED),
    "card:unionpay-empty-purse": (YES, YES, SIGNED),
    "card:unionpay-fdda-00": (YES, YES, SIGNED),
    "card:unionpay-wrong-certificate": (NOT_GENUINE, YES, SIGNED),
    "card:unionpay-wrong-cryptogram": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:unionpay-declined": (BY_CARD, BY_CARD, BY_CARD),
    "card:amex-online": (YES, YES, SIGNED),
    "card:amex-cda-offline": (YES, YES, SIGNED),
    "card:jcb-online": (YES, YES, SIGNED),
    "card:jcb-declined": (BY_CARD, BY_CARD, BY_CARD),
    "card:discover-online-pin": (YES, YES, YES),
    "card:diners-wrong-signature": (NOT_GENUINE, NOT_GENUINE, NOT_GENUINE),
    "card:c8-online": (YES, YES, SIGNED),
    "card:c8-local-authentication": (YES, YES, SIGNED),
    "card:c8-relay-too-slow": (NOT_HONOURED, NOT_HONOURED, NOT_HONOURED),
    "card:c8-wrong-iad-mac": (NOT_PROVED, NOT_PROVED, NOT_PROVED),
    "card:c8-wrong-certificate": (NOT_GENUINE, NOT_GENUINE, NOT_GENUINE),
    "card:c8-online-pin": (YES, YES, YES),
    "phone:mastercard-phone": (YES, YES, YES),
    "phone:mastercard-see-phone": (YES, YES, YES),
    "phone:unionpay-phone": (YES, YES, YES),
    "phone:amex-see-phone": (YES, YES, YES),
    "phone:jcb-phone": (YES, YES, YES),
    "phone:discover-see-phone": (YES, YES, YES),
    "phone:c8-phone": (YES, YES, YES),
    "phone:phone-approved": (YES, YES, YES),
    "phone:phone-see-phone": (YES, YES, YES),
    "phone:phone-refused": (YES, YES, BY_CARD),
    "phone:phone-insufficient-funds": (NO_MONEY, NO_MONEY, NO_MONEY),
}

CODES: dict[str, Expected] = {
    "wallet:alipay-qr": YES,
    "wallet:wechat-barcode": YES,
    "wallet:unionpay-cpm": YES,
    "wallet:alipay-dark": YES,
    "wallet:alipay-confirms": YES,
    "wallet:alipay-refuses": no("payer_refused", "another_card_or_wallet", "C4"),
    "wallet:alipay-poor": NO_MONEY,
    "wallet:alipay-expired": no("code_expired", "refresh_code", "C1"),
    "wallet:alipay-used": no("code_used", "refresh_code", "C2"),
    "wallet:unknown-code": no("not_a_payment_code", "another_card_or_wallet", "C3"),
    "wallet:foreign-code": still_open("not_a_payment_code", "another_card_or_wallet"),
    "wallet:two-codes": still_open("two_codes", "try_once_more"),
}
LIKE_A_CARD = ("phone:discover-see-phone", "phone:c8-phone")
"""Phones whose scheme has no word for what they are, until they have verified their holder."""
WAITS = "wallet:wechat-waits"
"""Waits for a command: tests/scenarios/test_codes.py has it."""

SHOWN = [
    f"show-code:{profile.name}"
    for profile in wallets.profiles()
    # Who has no money leaves the code open: tests/scenarios/test_codes.py has that.
    if not profile.trick and profile.name != "alipay-poor"
]


@pytest.fixture(scope="module")
def home(city: Any) -> Iterator[Path]:
    """One till for all that follows; at its end its books are the bank's."""
    made: Path = city.new_home()
    yield made
    journal = JournalReader(made / "till")
    journal.verify()
    assert journal.unfinished() == []
    assert city.booked.differences(journal) == []
    assert city.booked.faults() == []


def sell(city: Any, home: Path, amount: str, what: str) -> tuple[int, dict[str, Any]]:
    """Take a payment as a script does; return exit status and what was printed."""
    arguments = ["--home", str(home), "--bank", city.url, "sale", amount, "--present", what]
    done = CliRunner().invoke(main, [*arguments, "--pin", "1234", "--json"])
    assert done.stdout, f"exit {done.exit_code}: {done.stderr} {done.exception!r}"
    printed: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, printed


def ended(status: int, printed: dict[str, Any]) -> Expected:
    names = ("state", "reason", "next_step")
    state, reason, next_step = (printed[name] for name in names)
    return Expected(state, reason, next_step, status, printed["response_code"])


def test_every_profile_has_its_expectation() -> None:
    """A profile that is added, and proved by nobody, is found here."""
    named = [f"card:{name}" for name in load_profiles()]
    named += [f"phone:{name}" for name in phones.load_profiles()]
    assert set(named) == set(TAPS)
    shown = {f"wallet:{profile.name}" for profile in wallets.profiles()}
    assert shown == {*CODES, WAITS}


@pytest.mark.parametrize("what", TAPS)
@pytest.mark.parametrize("size", [0, 1, 2], ids=["small", "above-floor", "above-cvm"])
def test_a_tap_ends_as_its_profile_says(city: Any, home: Path, what: str, size: int) -> None:
    amount = (SMALL, ABOVE_FLOOR, ABOVE_CVM)[size]
    status, printed = sell(city, home, amount, what)

    assert ended(status, printed) == TAPS[what][size]
    is_over = TAPS[what][size].state != "cancelled"
    medium = "card" if what in LIKE_A_CARD and amount != ABOVE_CVM else what.partition(":")[0]
    assert printed["medium"] == (medium if is_over else None)


@pytest.mark.parametrize("what", CODES)
def test_a_customers_code_ends_as_its_profile_says(city: Any, home: Path, what: str) -> None:
    """The code is drawn, photographed, streamed, found and read: no short cut."""
    status, printed = sell(city, home, "88.00", what)

    assert ended(status, printed) == CODES[what]
    is_over = CODES[what].state != "cancelled"
    assert printed["medium"] == ("payment_code" if is_over else None)
    assert printed["masked_pan"] == ""


@pytest.mark.parametrize("what", SHOWN)
def test_a_shown_code_is_paid_by_who_has_the_money(city: Any, home: Path, what: str) -> None:
    status, printed = sell(city, home, "66.00", what)

    assert ended(status, printed) == YES
    assert printed["medium"] == "shown_code"
    assert {"order", "payer"} <= set(printed["durations_ms"])
