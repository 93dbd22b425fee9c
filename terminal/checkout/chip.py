"""A chip in a slot: who answers its kernel, with the bank's word in the middle."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from drivers.errors import DriverError
from drivers.protocols import CardReader, NoPin, PinReader
from emv import apdu, tags, tlv
from emv.bits import TerminalCapabilities
from emv.conversation import (
    Answer,
    AskIssuer,
    ChooseApplication,
    IssuerAnswer,
    LoggedAmount,
    PINAnswer,
    PINEntry,
    Question,
    Reply,
    Show,
    TakeOnlinePIN,
    VerifyPIN,
)
from emv.errors import MalformedData
from emv.kernels import contact
from emv.outcome import Outcome, Status
from emv.selection import preferred_language
from terminal.checkout.pin import REASONS, CardPin, PinWorker
from terminal.checkout.pump import Answers, carry
from terminal.events import TellCard
from terminal.messages import Message
from terminal.questions import AnswerCard, ChoiceWanted, PinWanted

log = logging.getLogger(__name__)

DECLINE = IssuerAnswer(b"Z3")
"""The terminal's own code for a bank that cannot be asked: the card shall decline.

A sale that was meant to go online never becomes an offline approval.
Source: EMV 4.4 Book 4, Annex A6.
"""

_SCRIPTS = (tags.TAG_71_ISSUER_SCRIPT_TEMPLATE_1, tags.TAG_72_ISSUER_SCRIPT_TEMPLATE_2)


Slot = Literal["contact", "contact-with-keys"]
"""A slot, or a slot and a PIN pad in one housing."""


def slot_of(reader: CardReader) -> Slot:
    """Return which kind a slot is of."""
    return "contact-with-keys" if isinstance(reader, PinReader) else "contact"


@dataclass(frozen=True, slots=True)
class ContactRules:
    """What a chip's conversation needs that does not change from sale to sale."""

    configuration: contact.Configuration
    terminal: contact.Terminal

    def terminal_at(self, slot: Slot) -> contact.Terminal:
        """Return what the till can do at a slot: take a PIN in clear only where it has keys."""
        if slot == "contact":
            return self.terminal
        able = TerminalCapabilities.decode(self.terminal.capabilities)
        able |= TerminalCapabilities.PLAINTEXT_PIN
        return replace(self.terminal, capabilities=able.encoded)


class Cardholder:
    """Whoever holds the card in one slot: asked through the core, while the card waits."""

    def __init__(
        self,
        reader: CardReader,
        ask: Callable[[ChoiceWanted | PinWanted, Callable[[], bool]], AnswerCard | None],
        speak: Callable[[str], None],
        pins: PinWorker | None,
        wake: Callable[[], None],
    ) -> None:
        """ask: puts a question, and waits until the core has an answer, or until the
        second argument says that it came another way; None if none comes.

        speak: tells which language the holder likes. pins: None in a shop without a
        PIN pad. wake: has ask look again.
        """
        self._reader = reader
        self._ask = ask
        self._speak = speak
        self._pins = pins
        self._wake = wake
        self.gave_up: Message | None = None
        """Why the conversation was broken off, if its holder did it."""

    @property
    def has_pin_pad(self) -> bool:
        """There is something to enter a PIN at."""
        return self._pins is not None

    def speak(self, language: str) -> None:
        """Speak this language from now on; ISO 639."""
        self._speak(language)

    def choose(self, names: tuple[str, ...]) -> int | None:
        """Return which of these applications is to pay; None for none. Raises CardRemoved."""
        said = self._ask(ChoiceWanted(names), lambda: False)
        if said is None or said.place is None:
            self.gave_up = Message.NOTHING_CHOSEN
            return None
        return said.place

    def verify(self, wanted: VerifyPIN) -> PINAnswer:
        """Have the card check a PIN; return its answer, or why there is none.

        Raises CardRemoved or DeviceTimeout if the card fails, DeviceLost with the reader.
        """
        if self._pins is None:
            return PINAnswer(PINEntry.NO_PIN_PAD)
        kept, pin = self._pins.keep_chip(wanted, self._reader, self._wake)
        self._ask(
            PinWanted(kept, wanted.tries_left, wanted.is_retry), lambda: pin.outcome is not None
        )
        return self._verified(pin)

    def _verified(self, pin: CardPin) -> PINAnswer:
        match pin.outcome:
            case bytes() as data:
                command = apdu.verify(apdu.VERIFY_ENCIPHERED, data)
                status = Reply.parse(*carry(command, self._reader)).status
                return PINAnswer(PINEntry.ENTERED, status)
            case int() as status:
                return PINAnswer(PINEntry.ENTERED, status)
            case DriverError() as error:
                raise error
            case NoPin.SKIPPED:
                return PINAnswer(PINEntry.BYPASSED)
            case Message():
                return PINAnswer(PINEntry.NO_PIN_PAD)
            case NoPin() as end:
                self.gave_up = REASONS[end]
            case None:
                self.gave_up = Message.CANCELLED
        return PINAnswer(PINEntry.CANCELLED)


class ChipAnswers(Answers):
    """Answers one chip payment's questions; the bank's word comes through the core."""

    def __init__(
        self,
        others: Answers,
        ask_bank: Callable[[Outcome], TellCard | None],
        holder: Cardholder,
        languages: tuple[str, ...],
    ) -> None:
        """others: answers what every kernel asks.

        ask_bank: hands the card's request on and waits for the bank's word;
        None if there will be none.
        languages: ISO 639 codes of what is spoken here.
        """
        self._others = others
        self._ask_bank = ask_bank
        self._holder = holder
        self._languages = languages
        self.has_asked_bank = False

    def ask(self, request: Question) -> Answer:
        """Return the answer to one question.

        Raises CardRemoved, DeviceTimeout, DeviceLost.
        """
        match request:
            case AskIssuer(record, cvm):
                self.has_asked_bank = True
                online = Outcome(Status.ONLINE_REQUEST, cvm=cvm, data_record=record)
                return issuer_answer(self._ask_bank(online))
            case TakeOnlinePIN():
                # It is asked for before the request leaves; without it none does.
                able = self._holder.has_pin_pad
                return PINAnswer(PINEntry.ENTERED if able else PINEntry.NO_PIN_PAD)
            case VerifyPIN():
                return self._holder.verify(request)
            case ChooseApplication(names, language):
                self._speak(language)
                return self._holder.choose(names)
            case Show(wanted):
                self._speak(preferred_language(wanted.language, self._languages) or "")
            case LoggedAmount():
                return 0
        return self._others.ask(request)

    def _speak(self, language: str) -> None:
        if language:
            self._holder.speak(language)


def issuer_answer(word: TellCard | None) -> IssuerAnswer:
    """Return the bank's word as the card hears it."""
    if word is None or not word.code:
        return DECLINE
    code = word.code.encode("ascii")
    try:
        nodes = tlv.decode(bytes.fromhex(word.emv))
    except MalformedData as error:
        # The card does without, and has the last word anyway.
        log.warning("what the issuer tells its card cannot be read: %s", error)
        return IssuerAnswer(code)
    proof = tlv.find(nodes, tags.TAG_91_ISSUER_AUTHENTICATION_DATA) or b""
    scripts = b"".join(tlv.encode(node.tag, node.value) for node in nodes if node.tag in _SCRIPTS)
    return IssuerAnswer(code, proof, scripts)
