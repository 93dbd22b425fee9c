"""A till's kernel, a card and its bank, joined without a wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emv import apdu, tlv
from emv.actions import ActionCodes
from emv.authentication import CAKey, CAKeyStore
from emv.bits import TVR
from emv.conversation import (
    Answer,
    AskIssuer,
    ChooseApplication,
    Command,
    IssuerAnswer,
    Kernel,
    Note,
    PINAnswer,
    PINEntry,
    RandomBytes,
    Reply,
    Show,
    TakeOnlinePIN,
    VerifyPIN,
)
from emv.entry_point import Terminal, Transaction
from emv.kernels.contact import Application, Configuration, process
from emv.keys.offline_pin import encipher_for_card, padding_bytes, plaintext_verify
from emv.outcome import Outcome
from emv.risk import RiskLimits
from simulators.bank.accounts import Accounts, load_accounts
from simulators.bank.issuer import rules, scripts
from simulators.bank.issuer.card import ARQC, read_card
from simulators.card.contact import ContactCard, load_profiles, make_contact_card
from simulators.card.keys import CardKeys
from simulators.responses import Answer as CardAnswer

FLOOR_MINOR = 20_000
TODAY = date(2026, 11, 24)
FLOOR_ONLINE = ActionCodes(TVR(0), TVR.FLOOR_LIMIT_EXCEEDED | TVR.ODA_NOT_PERFORMED, TVR(0))


@dataclass
class Counter:
    """Everybody at the counter: the terminal, the cardholder, the bank behind it."""

    home: Path
    accounts: Accounts
    capabilities: str = "E0F8C8"
    pins: list[str] = field(default_factory=list)
    choice: int | None = 0
    is_bank_away: bool = False
    offered: list[tuple[str, ...]] = field(default_factory=list)
    tries_told: list[int | None] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    genuine: list[bool] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)

    def card(self, name: str) -> ContactCard:
        """The card as it comes out of a pocket: only its memory is left."""
        card = make_contact_card(load_profiles()[name], self.home)
        card.power_up()
        return card

    def pay(self, name: str, amount_minor: int = 12_300) -> Outcome:
        keys = CAKeyStore(
            CAKey(key.rid, key.index, key.modulus, key.exponent, key.expires, key.sha1)
            for key in CardKeys(self.home).ca_public_keys()
        )
        application = Application(
            bytes.fromhex("A0000000031010"),
            action_codes=FLOOR_ONLINE,
            limits=RiskLimits(FLOOR_MINOR),
        )
        kernel = process(
            Configuration((application,), ca_keys=keys, has_exception_file=False),
            Terminal(country=156, capabilities=bytes.fromhex(self.capabilities)),
            Transaction(amount_minor, currency=156, currency_exponent=2, date=TODAY),
        )
        return self.converse(kernel, self.card(name))

    def converse(self, kernel: Kernel[Outcome], card: ContactCard) -> Outcome:
        answer: Answer = None
        while True:
            try:
                request = kernel.send(answer)
            except StopIteration as finished:
                outcome: Outcome = finished.value
                return outcome
            match request:
                case Command(encoded):
                    answer = self.send(card, encoded)
                case RandomBytes(count):
                    answer = bytes(range(1, count + 1))
                case ChooseApplication(names, _):
                    self.offered.append(names)
                    answer = self.choice
                case VerifyPIN():
                    answer = self.verify(card, request)
                case TakeOnlinePIN():
                    answer = PINAnswer(PINEntry.ENTERED)
                case AskIssuer(record, _):
                    answer = None if self.is_bank_away else self.authorise(dict(record))
                case _:
                    assert isinstance(request, Note | Show)
                    answer = None

    def send(self, card: ContactCard, command: bytes) -> Reply:
        self.commands.append(command)
        response = card.respond(command)
        assert isinstance(response, CardAnswer)
        return Reply.parse(response.data, 1000)

    def verify(self, card: ContactCard, question: VerifyPIN) -> PINAnswer:
        self.tries_told.append(question.tries_left)
        if not self.pins:
            return PINAnswer(PINEntry.BYPASSED)
        pin, key = self.pins.pop(0).encode(), question.icc_key
        if key is None:
            command = bytes(plaintext_verify(pin))
        else:
            modulus = key.modulus.to_bytes(key.length, "big")
            padding = bytes(padding_bytes(key.length))
            data = encipher_for_card(pin, modulus, key.exponent, question.challenge, padding)
            command = apdu.verify(apdu.VERIFY_ENCIPHERED, data)
        return PINAnswer(PINEntry.ENTERED, self.send(card, command).status)

    def authorise(self, record: dict[int, bytes]) -> IssuerAnswer:
        """Decide as the bank does, by the same functions."""
        encoded = b"".join(tlv.encode(tag, value) for tag, value in record.items())
        card = read_card(encoded.hex())
        assert card.cryptogram_type == ARQC
        issuer_key = CardKeys(self.home).issuer_master_key()
        account = self.accounts.card(card.pan)
        assert account is not None
        is_genuine = rules.is_genuine(card, issuer_key)
        self.genuine.append(is_genuine)
        code = (account.always or "00") if is_genuine else "05"
        self.codes.append(code)
        if not is_genuine:
            return IssuerAnswer(code.encode())
        ordered = b""
        if account.script is not None and scripts.can_be_told(card):
            ordered = scripts.script(card, issuer_key, account.script, account.new_pin)
        return IssuerAnswer(
            code.encode(), rules.issuer_answer(card, issuer_key, code), scripts=ordered
        )

    def sent(self, ins: int) -> int:
        return len([command for command in self.commands if command[1] == ins])


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a scheme and an issuer, shared for speed."""
    folder = tmp_path_factory.mktemp("chips")
    CardKeys(folder).prepare()
    return folder


@pytest.fixture
def counter(issued: Path) -> Counter:
    """A counter whose customers carry new cards."""
    for memory in (issued / "cards" / "memory").glob("*.json"):
        memory.unlink()
    for each in (issued / "cards" / "counters").glob("contact-*"):
        each.unlink()
    return Counter(issued, load_accounts())


@pytest.fixture
def made(counter: Counter) -> Callable[[str], Any]:
    return counter.card
