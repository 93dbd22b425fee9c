"""Why a payment did not go through, and the next step, in the till's words.

Response codes follow ISO 8583:1987, data element 39, as banks commonly use
them; C1 to C5 and P0 are the bank link's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from terminal.messages import Message
from terminal.view import Kind, PaymentView


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what to do about it."""

    message: Message
    next_step: Message


# 41 and 43 look to everyone like any other decline: the customer may be
# standing there with a stolen card.
_BY_CODE = {
    "01": Reason(Message.DECLINED_BY_BANK, Message.CALL_ISSUER),
    "02": Reason(Message.DECLINED_BY_BANK, Message.CALL_ISSUER),
    "05": Reason(Message.DECLINED_BY_BANK, Message.CALL_ISSUER),
    "14": Reason(Message.CARD_NOT_VALID, Message.ANOTHER_CARD),
    "25": Reason(Message.ORIGINAL_NOT_FOUND, Message.TELL_SUPERVISOR),
    "41": Reason(Message.DECLINED_PLAINLY, Message.ANOTHER_CARD),
    "43": Reason(Message.DECLINED_PLAINLY, Message.ANOTHER_CARD),
    "51": Reason(Message.NOT_ENOUGH_MONEY, Message.ANOTHER_CARD_OR_WALLET),
    "54": Reason(Message.CARD_EXPIRED, Message.ANOTHER_CARD),
    "55": Reason(Message.WRONG_PIN, Message.TRY_ONCE_MORE),
    "57": Reason(Message.NOT_PERMITTED, Message.ANOTHER_CARD),
    "61": Reason(Message.OVER_CARD_LIMIT, Message.SMALLER_AMOUNT),
    "65": Reason(Message.TOO_MANY_PAYMENTS, Message.INSERT_OR_ANOTHER),
    "75": Reason(Message.PIN_BLOCKED, Message.ANOTHER_CARD),
    "86": Reason(Message.PIN_NOT_CHECKED, Message.ANOTHER_CARD_OR_WALLET),
    "91": Reason(Message.ISSUER_DOWN, Message.WAIT_A_MINUTE),
    "96": Reason(Message.BANK_FAULT, Message.TRY_AGAIN),
    "C1": Reason(Message.CODE_EXPIRED, Message.REFRESH_CODE),
    "C2": Reason(Message.CODE_USED, Message.REFRESH_CODE),
    "C3": Reason(Message.NOT_A_PAYMENT_CODE, Message.ANOTHER_CARD_OR_WALLET),
    "C4": Reason(Message.PAYER_REFUSED, Message.ANOTHER_CARD_OR_WALLET),
    "C5": Reason(Message.HOLD_ENDED, Message.TAKE_A_SALE),
}

CONCEALED_CODES = frozenset({"41", "43"})


# What is said of an approval, where no goods are handed over for it.
_DONE = {
    Kind.REFUND: Message.REFUNDED,
    Kind.VOID: Message.VOIDED,
    Kind.PREAUTH: Message.HELD,
    Kind.INCREMENT: Message.MORE_HELD,
    Kind.COMPLETION: Message.COMPLETED,
    Kind.RELEASE: Message.RELEASED,
    Kind.TIP: Message.TIP_ADDED,
    Kind.BALANCE: Message.BALANCE_TOLD,
}


def reason_for(code: str) -> Reason:
    """Return the reason for a decline with this response code."""
    return _BY_CODE.get(code, Reason(Message.DECLINED_BY_BANK, Message.ANOTHER_CARD_OR_WALLET))


def approval(payment: PaymentView) -> tuple[Message, Message]:
    """Return what to say of an approval, and the next step."""
    if payment.kind in _DONE:
        step = Message.CUSTOMER_SIGNS if payment.signature else Message.NOTHING
        return _DONE[payment.kind], step
    if payment.signature:
        return Message.APPROVED_SIGN, Message.CUSTOMER_SIGNS
    return Message.APPROVED, Message.HAND_OVER
