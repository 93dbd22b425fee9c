"""What an answer says, once it is known to be the answer to this request."""

from __future__ import annotations

import re
from dataclasses import dataclass

from terminal.bank.iso8583 import chip
from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583.codec import Message
from terminal.bank.iso8583.transactions import APPROVED
from terminal.errors import AnswerLost, MalformedMessage

# Of these, what an answer repeats must be what was asked.
REPEATED = (f.PROCESSING_CODE, f.AMOUNT, f.STAN, f.TERMINAL, f.MERCHANT)
ALWAYS_REPEATED = (f.STAN, f.TERMINAL)

# Codes that leave open what was booked: in progress, approved for a part,
# answered too late, a fault in the system, no answer from the issuer.
# Source: ISO 8583:1987, annex; Q/CUP 009, response codes.
UNDECIDED = frozenset({"09", "10", "68", "96", "98"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The bank's decision on one request."""

    code: str
    reference: str = ""
    authorisation: str = ""
    date: str = ""
    """MMDD, by the bank's clock."""
    emv: bytes = b""
    """For the card: BER-TLV of tags 91, 71 and 72."""
    totals: str = ""
    """What a batch sums up to at the bank, and its verdict."""

    @property
    def is_approved(self) -> bool:
        """True if the whole amount is."""
        return self.code == APPROVED


def answer_type(request: str) -> str:
    """Return the message type that answers another: 0210 for 0200."""
    return f"{request[:2]}{int(request[2]) + 1}0"


def read_reply(request: Message, answer: Message) -> Reply:
    """Return the decision in an answer, its code already checked.

    Raises MalformedMessage if it answers something else, AnswerLost if its code
    decides nothing.
    """
    if answer.type != answer_type(request.type):
        raise MalformedMessage(f"message {request.type} was answered with {answer.type}")
    for number in REPEATED:
        is_missing = number not in answer.fields and number not in ALWAYS_REPEATED
        if not is_missing and answer.get(number) != request.get(number):
            raise MalformedMessage(f"field {number} of the answer is another request's")
    reply = Reply(
        code=answer.get(f.RESPONSE),
        reference=answer.get(f.REFERENCE).strip(),
        authorisation=answer.get(f.AUTHORISATION).strip(),
        date=answer.get(f.DATE),
        emv=chip.read_issuer(answer.get(f.CHIP)),
        totals=answer.get(f.TOTALS),
    )
    if not re.fullmatch(r"[0-9A-Z]{2}", reply.code):
        raise MalformedMessage("field 39 of the answer is no response code")
    for number, text in ((f.REFERENCE, reply.reference), (f.AUTHORISATION, reply.authorisation)):
        if not text.isprintable():
            raise MalformedMessage(f"field {number} of the answer is not printable")
    if reply.code in UNDECIDED:
        raise AnswerLost(f"the bank answered {reply.code}, which decides nothing")
    return reply
