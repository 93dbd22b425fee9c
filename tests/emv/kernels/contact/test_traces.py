"""Recorded payments of scheme test cards: the kernel sends what the terminal there sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from emv.actions import ActionCodes
from emv.authentication import CAKey, CAKeyStore
from emv.bits import TVR
from emv.conversation import (
    Answer,
    AskIssuer,
    Command,
    IssuerAnswer,
    Kernel,
    Note,
    PINAnswer,
    PINEntry,
    Question,
    RandomBytes,
    Reply,
)
from emv.entry_point import Terminal, Transaction
from emv.kernels.contact import Application, Configuration, process
from emv.outcome import CVM, Outcome, Reason, Status
from emv.risk import RiskLimits

VISA, MASTERCARD = "A0000000031010", "A0000000041010"
ISSUER_SAYS_YES = IssuerAnswer(b"00", authentication_data=bytes.fromhex("1122334455667788"))
NOTHING = TVR(0)


class Recorded:
    """A card that answers as recorded: by place for commands that decide, else by bytes."""

    def __init__(self, apdus: list[dict[str, str]], number: str) -> None:
        self.answers = {each["command"]: bytes.fromhex(each["response"]) for each in apdus}
        self.cryptograms = [each for each in apdus if each["command"].startswith("80AE")]
        self.number = bytes.fromhex(number)
        self.sent: list[str] = []

    def __call__(self, command: bytes) -> bytes:
        text = command.hex().upper()
        self.sent.append(text)
        if text.startswith("80AE"):
            place = len([each for each in self.sent if each.startswith("80AE")]) - 1
            return bytes.fromhex(self.cryptograms[place]["response"])
        return self.answers.get(text, b"\x6a\x82")


def answer(question: Question) -> Answer:
    if isinstance(question, AskIssuer):
        return ISSUER_SAYS_YES
    return PINAnswer(PINEntry.ENTERED, 0x9000)


def replay(
    trace: dict[str, Any],
    aid: str,
    number: str,
    capabilities: str,
    keys: CAKeyStore,
    version: str,
) -> tuple[Outcome, Recorded]:
    """Pay 10.00 Australian dollars on 16 March 2012, as the recorded terminal did."""
    card = Recorded(trace["apdus"], number)
    always_online = ActionCodes(NOTHING, TVR.FLOOR_LIMIT_EXCEEDED, NOTHING)
    configuration = Configuration(
        (
            Application(
                bytes.fromhex(aid),
                version=bytes.fromhex(version),
                action_codes=always_online,
                limits=RiskLimits(),
            ),
        ),
        ca_keys=keys,
        has_exception_file=False,
    )
    kernel = process(
        configuration,
        Terminal(country=36, capabilities=bytes.fromhex(capabilities)),
        Transaction(1_000, currency=36, currency_exponent=2, date=date(2012, 3, 16)),
    )
    return play(kernel, card), card


def play(kernel: Kernel[Outcome], card: Recorded) -> Outcome:
    reply: Answer = None
    while True:
        try:
            request = kernel.send(reply)
        except StopIteration as finished:
            outcome: Outcome = finished.value
            return outcome
        if isinstance(request, Command):
            reply = Reply.parse(card(request.encoded), 1000)
        elif isinstance(request, RandomBytes):
            reply = card.number
        else:
            reply = None if isinstance(request, Note) else answer(request)


@pytest.fixture
def traces(emv_vectors: Callable[[str], Any]) -> dict[str, Any]:
    return {each["id"]: each for each in emv_vectors("traces_testcards.json")["traces"]}


@pytest.fixture
def scheme_keys(emv_vectors: Callable[[str], Any]) -> CAKeyStore:
    """The scheme's published test key that the card names."""
    (entry,) = (
        each
        for each in emv_vectors("capk_test_and_live.json")["keys"]
        if (each["rid"], each["index"]) == ("A000000004", "EF")
    )
    rid, modulus, digest = (bytes.fromhex(entry[name]) for name in ("rid", "modulus", "hash_sha1"))
    return CAKeyStore([CAKey(rid, 0xEF, modulus, int(entry["exponent"], 16), None, digest)])


def recorded_cryptograms(trace: dict[str, Any]) -> list[str]:
    return [each["command"] for each in trace["apdus"] if each["command"].startswith("80AE")]


@pytest.mark.spec(
    "Book 3, 10.1", "Book 3, 10.2", "Book 3, 10.5", "Book 3, 10.7", "Book 3, 10.8", source="outside"
)
def test_the_recorded_visa_payment_is_made_again_byte_for_byte(traces: dict[str, Any]) -> None:
    """The card refuses the issuer's proof, which was none, and approves all the same."""
    trace = traces["contact-visa"]

    outcome, card = replay(trace, VISA, "D3173A1F", "E0F800", CAKeyStore(), "008C")

    assert [each for each in card.sent if each.startswith("80AE")] == recorded_cryptograms(trace)
    assert "00820000081122334455667788" in card.sent
    assert (outcome.status, outcome.cvm) == (Status.APPROVED, CVM.OFFLINE_PIN)
    assert outcome.data_record[0x95].hex() == "8000008040"
    assert outcome.data_record[0x9F26].hex().upper() == "BB31D191BCED0CF2"


@pytest.mark.spec(
    "Book 3, 10.1", "Book 3, 10.2", "Book 3, 10.5", "Book 3, 10.7", "Book 3, 10.8", source="outside"
)
def test_the_recorded_mastercard_payment_is_made_again_byte_for_byte(
    traces: dict[str, Any],
) -> None:
    """The card declines what the issuer approved."""
    trace = traces["contact-mastercard"]

    outcome, card = replay(trace, MASTERCARD, "8221F601", "E06000", CAKeyStore(), "0002")

    assert [each for each in card.sent if each.startswith("80AE")] == recorded_cryptograms(trace)
    assert (outcome.status, outcome.reason) == (Status.DECLINED, Reason.REFUSED_AFTER_APPROVAL)
    assert outcome.data_record[0x9F34].hex().upper() == "5E0300"


@pytest.mark.spec("Book 2, 5", "Book 3, 10.3", source="outside")
def test_the_recorded_mastercard_is_authentic_by_its_issuers_signature(
    traces: dict[str, Any], scheme_keys: CAKeyStore
) -> None:
    trace = traces["contact-mastercard"]

    outcome, card = replay(trace, MASTERCARD, "8221F601", "E06080", scheme_keys, "0002")

    found = TVR.decode(outcome.data_record[0x95])
    assert found == TVR.SDA_SELECTED | TVR.FLOOR_LIMIT_EXCEEDED
    # Data authentication code, as recomputed by others from the same trace.
    code = trace["expect_offline_data_authentication"]["dac"].upper()
    first = next(each for each in card.sent if each.startswith("80AE"))
    assert f"22{code}0000" in first
