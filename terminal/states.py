"""Every state of a payment, and the only ways between them."""

from __future__ import annotations

import enum

from terminal.errors import IllegalTransition


class State(enum.StrEnum):
    """Where a payment stands. The journal holds the value."""

    AWAITING_TENDER = "awaiting_tender"
    CODE_OPEN = "code_open"
    """Our code is on the customer's screen: the bank may be paid any moment."""
    AUTHORISING = "authorising"
    COMPLETING = "completing"
    """The bank approved; the chip in the slot has not said its last word."""
    AWAITING_PAYER = "awaiting_payer"
    """The wallet's owner must confirm on the phone."""
    CLOSING = "closing"
    """The bank has not yet confirmed that the open order is closed."""
    UNKNOWN = "unknown"
    REVERSING = "reversing"
    REVERSAL_REFUSED = "reversal_refused"
    """The bank will never reverse it: a person must find out what stands, and settle it."""
    STORED = "stored"
    """Approved by the card offline; the bank has not heard of it yet."""
    DEFERRED = "deferred"
    """Approved by nobody yet: kept at the shop's risk, because the bank was not reached."""
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    NOT_SENT = "not_sent"
    REVERSED = "reversed"
    VOIDED = "voided"
    CAPTURED = "captured"
    """Of a pre-authorisation: a completion has taken what was held."""
    STORED_REFUSED = "stored_refused"
    """Kept here, later refused by the bank: the goods are gone, and a person must act."""
    SETTLED = "settled"
    """A person has settled what the bank refused; the note says how."""


class Event(enum.StrEnum):
    """What moves a payment."""

    CODE_REQUESTED = "code_requested"
    CODE_REFUSED = "code_refused"
    CARD_APPROVED = "card_approved"
    CARD_DECLINED = "card_declined"
    ONLINE_REQUESTED = "online_requested"
    CARD_ASKED = "card_asked"
    CARD_AGREED = "card_agreed"
    CARD_REFUSED = "card_refused"
    CASHIER_CANCELLED = "cashier_cancelled"
    TIMED_OUT = "timed_out"
    RELEASE_WANTED = "release_wanted"
    ORDER_CLOSED = "order_closed"
    ORDER_RELEASED = "order_released"
    BANK_APPROVED = "bank_approved"
    BANK_DECLINED = "bank_declined"
    BANK_PENDING = "bank_pending"
    NEVER_LEFT = "never_left"
    ANSWER_LOST = "answer_lost"
    NOT_FOUND_OR_SILENT = "not_found_or_silent"
    REVERSAL_SENT = "reversal_sent"
    REVERSAL_CONFIRMED = "reversal_confirmed"
    REVERSAL_REFUSED = "reversal_refused"
    CASHIER_KEPT = "cashier_kept"
    EXPORTED = "exported"
    SIGNATURE_REFUSED = "signature_refused"
    PERSON_SETTLED = "person_settled"
    VOID_CONFIRMED = "void_confirmed"
    INQUIRY_DROPPED = "inquiry_dropped"
    HOLD_TAKEN = "hold_taken"
    HOLD_REOPENED = "hold_reopened"
    RESTARTED = "restarted"


# Every payment moves through this table and nowhere else.
# An absent pair is a bug in the caller, not a case to handle.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.AWAITING_TENDER, Event.CODE_REQUESTED): State.CODE_OPEN,
    (State.AWAITING_TENDER, Event.CARD_APPROVED): State.STORED,
    (State.AWAITING_TENDER, Event.CARD_DECLINED): State.DECLINED,
    (State.AWAITING_TENDER, Event.ONLINE_REQUESTED): State.AUTHORISING,
    (State.AWAITING_TENDER, Event.CASHIER_CANCELLED): State.CANCELLED,
    (State.AWAITING_TENDER, Event.TIMED_OUT): State.CANCELLED,
    # Held back because a reversal is pending and the bank is out of reach.
    (State.AWAITING_TENDER, Event.NEVER_LEFT): State.NOT_SENT,
    (State.AWAITING_TENDER, Event.RESTARTED): State.CANCELLED,
    (State.CODE_OPEN, Event.BANK_APPROVED): State.APPROVED,
    (State.CODE_OPEN, Event.RELEASE_WANTED): State.CLOSING,
    # Refused, expired or never asked for: no money can come through it.
    (State.CODE_OPEN, Event.CODE_REFUSED): State.AWAITING_TENDER,
    (State.CODE_OPEN, Event.RESTARTED): State.CLOSING,
    (State.AUTHORISING, Event.BANK_APPROVED): State.APPROVED,
    (State.AUTHORISING, Event.BANK_DECLINED): State.DECLINED,
    (State.AUTHORISING, Event.BANK_PENDING): State.AWAITING_PAYER,
    (State.AUTHORISING, Event.NEVER_LEFT): State.NOT_SENT,
    # Silence is not a decline: the issuer may have taken the money.
    (State.AUTHORISING, Event.ANSWER_LOST): State.UNKNOWN,
    (State.AUTHORISING, Event.RESTARTED): State.UNKNOWN,
    # It moved no money: nobody has to find out what became of it.
    (State.AUTHORISING, Event.INQUIRY_DROPPED): State.CANCELLED,
    (State.AUTHORISING, Event.CARD_ASKED): State.COMPLETING,
    (State.COMPLETING, Event.CARD_AGREED): State.APPROVED,
    # The issuer approved and its card did not, or is gone: the money goes back.
    (State.COMPLETING, Event.CARD_REFUSED): State.REVERSING,
    (State.COMPLETING, Event.RESTARTED): State.REVERSING,
    (State.AWAITING_PAYER, Event.BANK_APPROVED): State.APPROVED,
    (State.AWAITING_PAYER, Event.BANK_DECLINED): State.DECLINED,
    (State.AWAITING_PAYER, Event.RELEASE_WANTED): State.CLOSING,
    (State.AWAITING_PAYER, Event.RESTARTED): State.CLOSING,
    # The bank says it was paid before it could be closed: that is the result.
    (State.CLOSING, Event.BANK_APPROVED): State.APPROVED,
    (State.CLOSING, Event.BANK_DECLINED): State.DECLINED,
    (State.CLOSING, Event.ORDER_CLOSED): State.CANCELLED,
    # Another tender waited for the door to shut; the sale goes on.
    (State.CLOSING, Event.ORDER_RELEASED): State.AWAITING_TENDER,
    (State.CLOSING, Event.RESTARTED): State.CLOSING,
    (State.UNKNOWN, Event.BANK_APPROVED): State.APPROVED,
    (State.UNKNOWN, Event.BANK_DECLINED): State.DECLINED,
    (State.UNKNOWN, Event.BANK_PENDING): State.CLOSING,
    (State.UNKNOWN, Event.NOT_FOUND_OR_SILENT): State.REVERSING,
    # Approved after all, but its card was sent off with a decline.
    (State.UNKNOWN, Event.CARD_REFUSED): State.REVERSING,
    (State.UNKNOWN, Event.RESTARTED): State.UNKNOWN,
    # Each try is written down, so that their number outlives the till.
    (State.REVERSING, Event.REVERSAL_SENT): State.REVERSING,
    (State.REVERSING, Event.REVERSAL_CONFIRMED): State.REVERSED,
    (State.REVERSING, Event.REVERSAL_REFUSED): State.REVERSAL_REFUSED,
    (State.REVERSING, Event.RESTARTED): State.REVERSING,
    (State.REVERSAL_REFUSED, Event.PERSON_SETTLED): State.SETTLED,
    (State.REVERSAL_REFUSED, Event.RESTARTED): State.REVERSAL_REFUSED,
    # Nothing has left the till: the cashier may keep the sale instead of trying again.
    (State.NOT_SENT, Event.CASHIER_KEPT): State.DEFERRED,
    (State.STORED, Event.BANK_APPROVED): State.APPROVED,
    (State.STORED, Event.BANK_DECLINED): State.STORED_REFUSED,
    (State.STORED, Event.EXPORTED): State.STORED,
    (State.STORED, Event.RESTARTED): State.STORED,
    (State.DEFERRED, Event.BANK_APPROVED): State.APPROVED,
    (State.DEFERRED, Event.BANK_DECLINED): State.STORED_REFUSED,
    (State.DEFERRED, Event.EXPORTED): State.DEFERRED,
    (State.DEFERRED, Event.RESTARTED): State.DEFERRED,
    (State.STORED_REFUSED, Event.PERSON_SETTLED): State.SETTLED,
    (State.STORED_REFUSED, Event.RESTARTED): State.STORED_REFUSED,
    # The cashier has looked at the signature, and the money goes back.
    (State.STORED, Event.SIGNATURE_REFUSED): State.REVERSING,
    (State.APPROVED, Event.SIGNATURE_REFUSED): State.REVERSING,
    (State.APPROVED, Event.VOID_CONFIRMED): State.VOIDED,
    (State.APPROVED, Event.HOLD_TAKEN): State.CAPTURED,
    # Its completion was voided: the bank holds the money again.
    (State.CAPTURED, Event.HOLD_REOPENED): State.APPROVED,
}

KEPT = frozenset({State.STORED, State.DEFERRED})
"""Card sales that the bank has still to be told of."""
FOR_A_PERSON = frozenset({State.REVERSAL_REFUSED, State.STORED_REFUSED})
"""The bank has had its last word; only somebody who may decide can end these."""

# Money is settled one way or the other; only what follows it (a void, a completion
# and its void), or the cashier who keeps what was not sent or refuses a signature, can
# still move it.
FINAL = frozenset(State) - {state for state, event in TRANSITIONS if event is Event.RESTARTED}


def after(state: State, event: Event) -> State:
    """Return where the event takes a payment.

    Raises IllegalTransition if the table has no such pair.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"no way from {state} by {event}") from None


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for ARCHITECTURE.md."""
    lines = ["stateDiagram-v2", "    [*] --> awaiting_tender: amount entered"]
    lines += [
        f"    {state} --> {target}: {event.replace('_', ' ')}"
        for (state, event), target in TRANSITIONS.items()
        if state is not target
    ]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines)
