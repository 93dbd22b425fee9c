"""A card that its issuer changes at a second tap: reader, card and bank together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emv import tlv
from emv.conversation import Command, IssuerAnswer, Note, OnExceptionFile, RandomBytes, Reply, Show
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.kernels import c3
from emv.outcome import Outcome, Start, Status
from simulators.bank.accounts import load_accounts
from simulators.bank.issuer import rules, scripts
from simulators.bank.issuer.card import CardData, read_card
from simulators.card import Answer, Card, load_profiles, make_card
from simulators.card.keys import CardKeys

VISA = Combination(bytes.fromhex("A0000000031010"), 3, ttq=bytes.fromhex("22008080"))
NAME = "visa-issuer-update"

Pay = Callable[..., Outcome]


@pytest.fixture
def card(home: Path) -> Card:
    made = make_card(load_profiles()[NAME], home)
    assert isinstance(made, Card)
    return made


@pytest.fixture
def tap(card: Card) -> Pay:
    """Tap the card; the second time with its issuer's answer."""

    def do(
        previous: Outcome | None = None,
        issuer: IssuerAnswer | None = None,
        combination: Combination = VISA,
    ) -> Outcome:
        card.power_up()
        sale = Transaction(5_000, currency=156, currency_exponent=2, date=date(2026, 11, 24))
        kernel: Any = run(
            EntryPointConfig(Terminal(country=156), (combination,)),
            sale,
            {3: c3.kernel(c3.Configuration())},
            Start.A if previous is None else Start.B,
            previous,
            issuer,
        )
        answer: Any = None
        while True:
            try:
                request = kernel.send(answer)
            except StopIteration as finished:
                outcome: Outcome = finished.value
                return outcome
            answer = None
            if isinstance(request, Command):
                response = card.respond(request.encoded)
                assert isinstance(response, Answer)
                answer = Reply.parse(response.data, 1_000)
            elif isinstance(request, RandomBytes):
                answer = bytes(range(request.count))
            elif isinstance(request, OnExceptionFile):
                answer = False
            else:
                assert isinstance(request, Note | Show)

    return do


@pytest.fixture
def answer(home: Path) -> Callable[[Outcome], IssuerAnswer]:
    """What the bank says to a request, with the order it has for this card."""

    def make(outcome: Outcome) -> IssuerAnswer:
        asked, key = data(outcome), CardKeys(home).issuer_master_key()
        account = load_accounts().card(asked.pan)
        assert account is not None
        assert account.script is not None
        assert rules.is_genuine(asked, key)
        proof = rules.issuer_answer(asked, key, "00")
        return IssuerAnswer(b"00", proof, scripts.script(asked, key, account.script))

    return make


def data(outcome: Outcome) -> CardData:
    sent = b"".join(tlv.encode(*one) for one in outcome.data_record.items())
    return read_card(sent.hex())


def test_the_bank_tells_only_a_card_that_will_hear_it(tap: Pay) -> None:
    """Reader and card both know of the second tap, or nothing is sent."""
    unknowing = replace(VISA, ttq=bytes.fromhex("22000080"))

    assert scripts.can_be_told(data(tap()))
    assert not scripts.can_be_told(data(tap(combination=unknowing)))


def test_a_card_that_its_issuer_has_blocked_pays_no_more(
    tap: Pay, answer: Callable[[Outcome], IssuerAnswer]
) -> None:
    first = tap()
    second = tap(first, answer(first))

    assert first.status is Status.ONLINE_REQUEST
    assert second.status is Status.APPROVED
    assert second.discretionary[0x9F5B] == bytes.fromhex("20 00000000")
    assert tap().status is Status.END_APPLICATION


@pytest.mark.parametrize("at", [0, 3, 7])
def test_who_is_not_the_issuer_changes_nothing(
    tap: Pay, answer: Callable[[Outcome], IssuerAnswer], at: int
) -> None:
    """One wrong bit in the proof: the card hears no script of it."""
    first = tap()
    told = answer(first)
    proof = bytearray(told.authentication_data)
    proof[at] ^= 1
    second = tap(first, replace(told, authentication_data=bytes(proof)))

    assert second.status is Status.APPROVED
    assert 0x9F5B not in second.discretionary
    assert tap().status is Status.ONLINE_REQUEST


def test_an_old_answer_is_not_heard_twice(
    tap: Pay, answer: Callable[[Outcome], IssuerAnswer]
) -> None:
    first = tap()
    old = answer(first)
    again = tap()
    second = tap(again, old)

    assert 0x9F5B not in second.discretionary
    assert tap().status is Status.ONLINE_REQUEST


def test_a_script_without_the_issuers_mac_is_refused(
    tap: Pay, answer: Callable[[Outcome], IssuerAnswer]
) -> None:
    first = tap()
    told = answer(first)
    forged = told.scripts[:-1] + bytes((told.scripts[-1] ^ 1,))
    second = tap(first, replace(told, scripts=forged))

    assert second.discretionary[0x9F5B][:1] == b"\x11"
    assert tap().status is Status.ONLINE_REQUEST


def test_a_script_without_a_proof_before_it_is_refused(
    tap: Pay, answer: Callable[[Outcome], IssuerAnswer]
) -> None:
    first = tap()
    second = tap(first, replace(answer(first), authentication_data=b""))

    assert second.discretionary[0x9F5B][:1] == b"\x11"
    assert tap().status is Status.ONLINE_REQUEST
