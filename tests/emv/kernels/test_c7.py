"""Kernel 7 behind the Entry Point: what it has of its own, beside kernel 3's steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.authentication import CAKeyStore
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.errors import ConfigurationError
from emv.kernels import c7
from emv.outcome import CVM, Reason, Status

if TYPE_CHECKING:
    from tests.emv.conftest import PKI, PaperCard, Respond, Tap

    Pay = Callable[..., Tap]

pytestmark = pytest.mark.spec("Book C-7", source="ours")

UNIONPAY = bytes.fromhex("A000000333010101")
RID = "A000000333"
PDOL = "9F66049F02069F03069F1A0295055F2A029A039C019F3704 9F7A01 9F7B06 DF6001 DF6901"

PIN_AND_SIGNATURE = "26004080"
SIGNATURE = "22004080"
PIN = "24004080"
NEITHER = "20004080"


@pytest.fixture
def pay(pki: PKI, terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]) -> Pay:
    """Tap a card for an amount with a reader of this TTQ."""

    def tap(
        card: Respond, amount: int = 12_345, *, ttq: str = PIN_AND_SIGNATURE, **configuration: Any
    ) -> Tap:
        combination = Combination(
            UNIONPAY,
            7,
            ttq=bytes.fromhex(ttq),
            floor_limit_minor=20_000,
            cvm_required_limit_minor=100_000,
        )
        configuration.setdefault("ca_keys", CAKeyStore([pki.ca_key(rid=RID)]))
        kernel = c7.kernel({UNIONPAY: c7.Configuration(**configuration)})
        transaction = replace(sale, amount_authorised_minor=amount)
        return pump(run(EntryPointConfig(terminal, (combination,)), transaction, {7: kernel}), card)

    return tap


@pytest.fixture
def quick(card: PaperCard, encode: Callable[..., bytes]) -> PaperCard:
    """A qPBOC card that asks the issuer."""
    entry = encode("4F", UNIONPAY) + encode("87", "01")
    return replace(card, entries=[entry], pdol=PDOL, iad="07010103A0000001")


@pytest.fixture
def purse(quick: PaperCard) -> PaperCard:
    """A card that pays with electronic cash, and proves itself by fDDA version 01."""
    return replace(quick, iad="0701010390000001", fdda=1)


def test_kernel_3s_sections_are_not_cited_for_it(pay: Pay, purse: PaperCard) -> None:
    sources = pay(purse).sources
    assert "Book C-7" in sources
    assert not any(source.startswith("Book C-3") for source in sources)


def with_balance(card: PaperCard, answer: str | None) -> Respond:
    """Answer GET DATA for the balance so; None for a card that leaves."""

    def respond(command: bytes) -> bytes | None:
        if command[:4] == bytes.fromhex("80CA9F79"):
            return bytes.fromhex(answer) if answer is not None else None
        return card(command)

    return respond


def test_a_card_asks_the_issuer(pay: Pay, quick: PaperCard) -> None:
    """Its list is filled: electronic cash yes, no limit of it, no Chinese algorithms."""
    tap = pay(quick)

    assert tap.outcome.status is Status.ONLINE_REQUEST
    options = next(one for one in tap.commands if one[1] == 0xA8)
    assert options[-10:-1].hex() == "01" + "000000000000" + "00" + "00"


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ({"electronic_cash": False}, "00000000000000" + "0000"),
        ({"electronic_cash_limit_minor": 100_000}, "01000000100000" + "0000"),
    ],
)
def test_a_card_is_told_what_the_shop_takes(
    pay: Pay, quick: PaperCard, configuration: dict[str, Any], told: str
) -> None:
    tap = pay(quick, **configuration)

    assert next(one for one in tap.commands if one[1] == 0xA8)[-10:-1].hex() == told


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(("amount", "status"), [(20_000, "approved"), (20_001, "online request")])
def test_both_signatures_pay_offline_up_to_the_floor_limit(
    pay: Pay, purse: PaperCard, version: int, amount: int, status: str
) -> None:
    """Above it this card still approves, and the reader asks the issuer."""
    assert pay(replace(purse, fdda=version), amount).outcome.status.value == status


@pytest.mark.parametrize(
    "flaw", [{"ca_index": "93"}, {"issuer_expires": "1225"}, {"fdda_format": 0x05}]
)
def test_a_card_that_cannot_prove_itself_is_declined(
    pay: Pay, purse: PaperCard, flaw: dict[str, Any]
) -> None:
    outcome = pay(replace(purse, **flaw)).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.NOT_AUTHENTIC)


def test_keys_of_another_scheme_do_not_count(pay: Pay, purse: PaperCard, pki: PKI) -> None:
    outcome = pay(purse, ca_keys=CAKeyStore([pki.ca_key()])).outcome

    assert outcome.reason == Reason.NOT_AUTHENTIC


@pytest.mark.parametrize(
    ("ttq", "ctq", "cvm"),
    [
        (PIN_AND_SIGNATURE, None, CVM.ONLINE_PIN),
        (SIGNATURE, None, CVM.SIGNATURE),
        (PIN, None, CVM.ONLINE_PIN),
        (PIN_AND_SIGNATURE, "4000", CVM.SIGNATURE),
        (PIN_AND_SIGNATURE, "8000", CVM.ONLINE_PIN),
        (PIN_AND_SIGNATURE, "0080", CVM.CONFIRMATION_CODE_VERIFIED),
    ],
)
def test_a_card_that_says_nothing_is_asked_for_its_pin_first(
    pay: Pay, quick: PaperCard, ttq: str, ctq: str | None, cvm: CVM
) -> None:
    assert pay(replace(quick, ctq=ctq), 100_000, ttq=ttq).outcome.cvm is cvm


def test_nothing_that_both_can_do_is_a_decline(pay: Pay, quick: PaperCard) -> None:
    outcome = pay(replace(quick, ctq=None), 100_000, ttq=NEITHER).outcome

    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.CVM_NOT_POSSIBLE)


# Electronic cash


def test_what_is_left_is_shown(pay: Pay, purse: PaperCard) -> None:
    outcome = pay(with_balance(purse, "9F79 06 000000008765 9000")).outcome

    assert outcome.ui is not None
    assert (outcome.ui.value_minor, outcome.ui.currency) == (8765, 156)
    assert outcome.discretionary[0x9F79].hex() == "000000008765"


def test_a_card_that_told_what_is_left_is_not_asked(
    pay: Pay, purse: PaperCard, encode: Callable[..., bytes]
) -> None:
    tap = pay(replace(purse, gpo_extra=encode("9F5D", "000000004321")))

    assert tap.outcome.ui is not None
    assert tap.outcome.ui.value_minor == 4321
    assert not [one for one in tap.commands if one[1] == 0xCA]


@pytest.mark.parametrize(
    "answer", ["6A88", "9F79 06 00000000000A 9000", "9F79 05 0000000000 9000", "9F79 FF 9000", None]
)
def test_a_balance_is_never_worth_a_payment(pay: Pay, purse: PaperCard, answer: str | None) -> None:
    outcome = pay(with_balance(purse, answer)).outcome

    assert outcome.status is Status.APPROVED
    assert outcome.ui is not None
    assert outcome.ui.value_minor is None


@pytest.mark.parametrize("configuration", [{"electronic_cash": False}, {"reads_balance": False}])
def test_a_shop_without_it_reads_no_balance(
    pay: Pay, purse: PaperCard, configuration: dict[str, bool]
) -> None:
    assert not [one for one in pay(purse, **configuration).commands if one[1] == 0xCA]


# Whatever a card does


def test_a_combination_without_qualifiers_is_named(
    terminal: Terminal, sale: Transaction, quick: PaperCard, pump: Callable[..., Tap]
) -> None:
    config = EntryPointConfig(terminal, (Combination(UNIONPAY, 7),))
    with pytest.raises(ConfigurationError, match="kernel 7 needs tag 9F66"):
        pump(run(config, sale, {7: c7.kernel({UNIONPAY: c7.Configuration()})}), quick)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_card_ends_in_an_outcome(
    data: st.DataObject,
    new_card: Callable[..., PaperCard],
    encode: Callable[..., bytes],
    pki: PKI,
    pump: Callable[..., Tap],
) -> None:
    entry = encode("4F", UNIONPAY)
    card = new_card(entries=[entry], pdol=PDOL, iad="0701010390000001", fdda=1)
    trouble = st.one_of(st.none(), st.binary(min_size=2, max_size=60))

    def hostile(command: bytes) -> bytes | None:
        honest = card(command)
        return honest if data.draw(st.integers(0, 3)) else data.draw(trouble)

    combination = Combination(UNIONPAY, 7, ttq=bytes.fromhex(PIN_AND_SIGNATURE))
    config = EntryPointConfig(Terminal(country=156), (combination,))
    sale = Transaction(12_345, currency=156, currency_exponent=2, date=date(2026, 11, 24))
    kernel = c7.kernel({UNIONPAY: c7.Configuration(ca_keys=CAKeyStore([pki.ca_key(rid=RID)]))})
    outcome = pump(run(config, sale, {7: kernel}), hostile, commands_max=90).outcome

    assert outcome.status in Status
