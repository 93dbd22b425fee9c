"""The till's side of the link against the simulated bank, which shares no code with it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from simulators.bank.service import BankServer
from terminal.bank.client import BankClient, Refusal, VerifiedAnswer
from terminal.bank.messages import (
    CardTender,
    Closing,
    CodeTender,
    Echo,
    Order,
    Payment,
    Request,
    Reversal,
    StatusQuestion,
    format_moment,
)
from terminal.bank.sealing import Sealer
from terminal.bank.signing import Ed25519Signer
from terminal.seams import SystemClock, uuid7

if TYPE_CHECKING:
    from tests.terminal.bank.conftest import Enrolled


@pytest.fixture(scope="module")
def server(enrolled: Enrolled) -> Iterator[BankServer]:
    with BankServer(enrolled.place, time.time, os.urandom) as running:
        yield running


@pytest.fixture
def till(server: BankServer, enrolled: Enrolled) -> Iterator[BankClient]:
    client = BankClient(server.url, enrolled.keys, SystemClock(), os.urandom)
    yield client
    client.close()


@pytest.fixture
def attempt() -> str:
    return uuid7(SystemClock(), os.urandom)


def state(till: BankClient, request: Request) -> str | None:
    result = till.call(request)
    assert isinstance(result, VerifiedAnswer), result
    return result.answer.state


def sale(attempt: str, tender: CardTender | CodeTender) -> Payment:
    return Payment(
        attempt=attempt,
        number=1,
        kind="sale",
        amount_minor=100,
        currency="CNY",
        at=format_moment(SystemClock().wall_ms()),
        tender=tender,
    )


def test_an_echo_brings_the_banks_clock(till: BankClient) -> None:
    result = till.call(Echo())

    assert isinstance(result, VerifiedAnswer)
    assert not result.is_clock_wrong


def test_an_unknown_attempt_is_not_found_then_reversed_then_refused(
    till: BankClient, attempt: str, enrolled: Enrolled
) -> None:
    """The reversal overtakes its payment."""
    code = CodeTender(Sealer(enrolled.keys.sealing_key).seal_code(attempt, "280000000000000018"))

    assert state(till, StatusQuestion(attempt=attempt)) == "not_found"
    assert state(till, Reversal(attempt=attempt, reason="no_answer")) == "reversed"
    assert state(till, sale(attempt, code)) == "declined"


def test_a_code_of_no_wallet_is_declined(
    till: BankClient, attempt: str, enrolled: Enrolled
) -> None:
    code = CodeTender(Sealer(enrolled.keys.sealing_key).seal_code(attempt, "280000000000000018"))

    result = till.call(sale(attempt, code))

    assert isinstance(result, VerifiedAnswer)
    assert (result.answer.state, result.answer.code) == ("declined", "C3")


def test_an_order_opens_and_closes(till: BankClient, attempt: str) -> None:
    clock = SystemClock()
    result = till.call(
        Order(
            order=uuid7(clock, os.urandom),
            attempt=attempt,
            number=1,
            amount_minor=100,
            currency="CNY",
            at=format_moment(clock.wall_ms()),
            valid_s=120,
        )
    )

    assert isinstance(result, VerifiedAnswer)
    assert result.answer.state == "open"
    assert result.answer.shown_code
    assert state(till, Closing(attempt=attempt)) == "closed"


def test_a_card_sealed_for_another_sale_is_refused(
    till: BankClient, attempt: str, enrolled: Enrolled
) -> None:
    other = uuid7(SystemClock(), os.urandom)
    card = CardTender(Sealer(enrolled.keys.sealing_key).seal_card(other, b"\x82\x02\x20\x00"))

    result = till.call(sale(attempt, card))

    assert isinstance(result, Refusal)
    assert result.status == 422


def test_one_attempt_with_another_body_is_refused(
    till: BankClient, attempt: str, enrolled: Enrolled
) -> None:
    sealer = Sealer(enrolled.keys.sealing_key)
    first = sale(attempt, CodeTender(sealer.seal_code(attempt, "280000000000000018")))
    second = sale(attempt, CodeTender(sealer.seal_code(attempt, "280000000000000018")))

    assert state(till, first) == "declined"
    assert state(till, first) == "declined"
    result = till.call(second)
    assert isinstance(result, Refusal)
    assert result.status == 409


def test_a_till_with_a_wrong_clock_is_told_the_time(server: BankServer, enrolled: Enrolled) -> None:
    class Slow(SystemClock):
        def wall_ms(self) -> int:
            return super().wall_ms() - 3_600_000

    client = BankClient(server.url, enrolled.keys, Slow(), os.urandom)
    result = client.call(Echo())
    client.close()

    assert isinstance(result, Refusal)
    assert result.status == 401
    assert result.is_clock_wrong


def test_a_signing_key_the_bank_does_not_know_pays_nothing(
    server: BankServer, enrolled: Enrolled, attempt: str
) -> None:
    stranger = Ed25519Signer(ed25519.Ed25519PrivateKey.generate())
    client = BankClient(
        server.url, replace(enrolled.keys, signer=stranger), SystemClock(), os.urandom
    )
    result = client.call(StatusQuestion(attempt=attempt))
    client.close()

    assert isinstance(result, Refusal)
    assert result.status == 401
