"""A chip in a slot: who answers its kernel, with the bank's word in the middle."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from emv import tags, tlv
from emv.conversation import (
    Answer,
    AskIssuer,
    ChooseApplication,
    IssuerAnswer,
    LoggedAmount,
    PINAnswer,
    PINEntry,
    Question,
    TakeOnlinePIN,
    VerifyPIN,
)
from emv.errors import MalformedData
from emv.kernels import contact
from emv.outcome import Outcome, Status
from terminal.checkout.pump import Answers
from terminal.events import TellCard

log = logging.getLogger(__name__)

DECLINE = IssuerAnswer(b"Z3")
"""The terminal's own code for a bank that cannot be asked: the card shall decline.

A sale that was meant to go online never becomes an offline approval.
Source: EMV 4.4 Book 4, Annex A6.
"""

_SCRIPTS = (tags.TAG_71_ISSUER_SCRIPT_TEMPLATE_1, tags.TAG_72_ISSUER_SCRIPT_TEMPLATE_2)


@dataclass(frozen=True, slots=True)
class ContactRules:
    """What a chip's conversation needs that does not change from sale to sale."""

    configuration: contact.Configuration
    terminal: contact.Terminal


class ChipAnswers(Answers):
    """Answers one chip payment's questions; the bank's word comes through the core."""

    def __init__(
        self,
        others: Answers,
        ask_bank: Callable[[Outcome], TellCard | None],
        *,
        has_pin_pad: bool,
    ) -> None:
        """others: answers what every kernel asks.

        ask_bank: hands the card's request on and waits for the bank's word;
        None if there will be none.
        has_pin_pad: a PIN for the bank is asked for once the card has spoken.
        """
        self._others = others
        self._ask_bank = ask_bank
        self._has_pin_pad = has_pin_pad
        self.has_asked_bank = False

    def ask(self, request: Question) -> Answer:
        """Return the answer to one question."""
        match request:
            case AskIssuer(record, cvm):
                self.has_asked_bank = True
                online = Outcome(Status.ONLINE_REQUEST, cvm=cvm, data_record=record)
                return issuer_answer(self._ask_bank(online))
            case TakeOnlinePIN():
                # It is asked for before the request leaves; without it none does.
                entry = PINEntry.ENTERED if self._has_pin_pad else PINEntry.NO_PIN_PAD
                return PINAnswer(entry)
            case VerifyPIN():
                return PINAnswer(PINEntry.NO_PIN_PAD)
            case ChooseApplication():
                return None
            case LoggedAmount():
                return 0
        return self._others.ask(request)


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
