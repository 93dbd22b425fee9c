"""What hangs over the shop, gravest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from terminal.batch.batch import Batch, BatchState
from terminal.messages import Message
from terminal.states import State
from terminal.view import Notice, PaymentView, Readiness

# In the order of their gravity: money in doubt before money merely late.
_BY_STATE = {
    State.REVERSAL_REFUSED: Message.REVERSAL_REFUSED,
    State.UNKNOWN: Message.BEING_CHECKED,
    State.REVERSING: Message.BEING_REVERSED,
    State.CLOSING: Message.BEING_CLOSED,
    State.STORED_REFUSED: Message.STORED_REFUSED,
    State.DEFERRED: Message.DEFERRED_TO_BE_SENT,
    State.STORED: Message.TO_BE_SENT,
}

_BY_BATCH = {
    Message.BATCH_DIFFERS: (BatchState.DIFFERS,),
    Message.BATCH_UNANSWERED: (BatchState.CLOSING, BatchState.COMPARING),
}

# Of devices that a sale does not depend on.
_TROUBLES = (
    Message.NO_PAPER,
    Message.PRINTER_OPEN,
    Message.PRINTER_STUCK,
    Message.PRINTER_LOST,
    Message.NO_DISPLAY,
    Message.PAPER_LOW,
)


def notices_for(
    kept: Iterable[PaymentView],
    *,
    bank: Readiness,
    reader: Readiness,
    camera: Readiness,
    troubles: Collection[Message],
    journal_fault: bool,
    clock_wrong: bool,
    batches: Collection[Batch],
    is_day_over: bool,
    bulletins: int = 0,
    now_ms: int,
) -> tuple[Notice, ...]:
    """Return the notices for payments not in hand and for what is broken."""
    notices = []
    if journal_fault:
        notices.append(Notice(Message.JOURNAL_FAULT))
    # One pass: after a long time without the bank thousands may be kept.
    by_state: dict[State, list[PaymentView]] = {state: [] for state in _BY_STATE}
    for payment in kept:
        if payment.state in by_state:
            by_state[payment.state].append(payment)
    for state, message in _BY_STATE.items():
        if those := by_state[state]:
            oldest_ms = min(payment.created_ms for payment in those)
            notices.append(
                Notice(
                    message,
                    count=len(those),
                    tries=sum(payment.reversals_sent for payment in those),
                    amount_minor=sum(payment.amount_minor for payment in those),
                    age_s=max(0.0, (now_ms - oldest_ms) / 1000),
                )
            )
    for message, states in _BY_BATCH.items():
        count = sum(batch.state in states for batch in batches)
        if count:
            notices.append(Notice(message, count=count))
    if bank is Readiness.FAULTY:
        notices.append(Notice(Message.NO_BANK))
    if clock_wrong:
        notices.append(Notice(Message.CLOCK_WRONG))
    if reader in (Readiness.FAULTY, Readiness.ABSENT):
        notices.append(Notice(Message.NO_READER))
    if camera in (Readiness.FAULTY, Readiness.ABSENT):
        notices.append(Notice(Message.NO_CAMERA))
    notices += [Notice(message) for message in _TROUBLES if message in troubles]
    if bulletins:
        notices.append(Notice(Message.BULLETIN, count=bulletins))
    if is_day_over:
        notices.append(Notice(Message.DAY_OVER))
    return tuple(notices)
