"""Tells the bank of batches, and brings back what it says in the core's words."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from terminal.bank import batch_messages as messages
from terminal.bank.chain_ends import ends_of
from terminal.bank.chain_messages import ToldEnds
from terminal.bank.exchange import Refusal
from terminal.batch.batch import Difference, Line, Means, Total
from terminal.batch.events import (
    BatchAnswered,
    BatchEvent,
    BatchPurpose,
    BatchUnanswered,
    LinesCompared,
    SendBatch,
)
from terminal.batch.totals import without_cashiers
from terminal.chains import Chains
from terminal.errors import TillError
from terminal.view import Kind

if TYPE_CHECKING:
    from terminal.bank.dialects import Client

log = logging.getLogger(__name__)


def tell(client: Client, wish: SendBatch, chains: Chains) -> BatchEvent:
    """Ask the bank, and return what came of it."""
    try:
        reply = client.settle(question(wish, ends_of(chains)))
    except TillError as error:
        return unanswered(wish, error)
    return answered(wish, reply)


def answered(
    wish: SendBatch, reply: messages.BatchAnswer | messages.LinesAnswer | Refusal
) -> BatchEvent:
    """Return what the core is told of the bank's verified answer."""
    if isinstance(reply, Refusal):
        log.warning("%s refused: %s, %s", _named(wish), reply.error, reply.detail)
        return BatchUnanswered(wish.purpose, wish.batch.number)
    if isinstance(reply, messages.LinesAnswer):
        return _compared(wish.batch.number, reply)
    return BatchAnswered(
        wish.purpose, wish.batch.number, reply.state, tuple(map(_total, reply.totals))
    )


def unanswered(wish: SendBatch, error: TillError) -> BatchEvent:
    """Return what the core is told of no answer."""
    log.warning("%s has no answer: %s", _named(wish), error)
    return BatchUnanswered(wish.purpose, wish.batch.number)


def _named(wish: SendBatch) -> str:
    return f"{wish.purpose.value} of batch {wish.batch.number}"


def question(wish: SendBatch, ends: ToldEnds | None = None) -> messages.BatchQuestion:
    """Return the question that a wish is; a close tells where the till's chains end."""
    batch = wish.batch
    match wish.purpose:
        case BatchPurpose.TOTALS:
            return messages.BatchTotals(batch.number)
        case BatchPurpose.CLOSE:
            return messages.BatchClose(
                batch.number,
                tuple(_told_totals(without_cashiers(batch.totals))),
                batch.digest,
                accepted=bool(batch.accepted_by),
                ends=ends,
            )
        case BatchPurpose.LINES:
            lines = tuple(_told_line(line) for line in wish.lines)
            return messages.BatchLines(batch.number, wish.after, lines, wish.is_last)


def _told_totals(totals: Iterable[Total]) -> Iterable[messages.BatchTotal]:
    for total in totals:
        yield messages.BatchTotal(
            kind=_counted(total.kind),
            medium=total.means.value,
            brand=total.brand,
            currency=total.currency,
            count=total.count,
            amount_minor=total.amount_minor,
        )


def _counted(kind: Kind) -> messages.Kinds:
    """Return what the bank calls a kind that moves the shop's money."""
    return cast(messages.Kinds, kind.value)


def _told_line(line: Line) -> messages.BatchLine:
    return messages.BatchLine(
        attempt=line.attempt,
        number=line.number,
        kind=_counted(line.kind),
        medium=line.means.value,
        brand=line.brand,
        currency=line.currency,
        amount_minor=line.amount_minor,
    )


def _compared(number: int, answer: messages.LinesAnswer) -> LinesCompared:
    differences = tuple(
        Difference(
            one.attempt,
            till=None if one.till is None else _line(one.till),
            bank=None if one.bank is None else _line(one.bank),
        )
        for one in answer.differences
    )
    return LinesCompared(number, differences, answer.through or "")


def _total(told: messages.BatchTotal) -> Total:
    return Total(
        kind=Kind(told.kind),
        means=Means(told.medium),
        brand=told.brand,
        currency=told.currency,
        count=told.count,
        amount_minor=told.amount_minor,
    )


def _line(told: messages.BatchLine) -> Line:
    return Line(
        attempt=told.attempt,
        number=told.number,
        kind=Kind(told.kind),
        means=Means(told.medium),
        brand=told.brand,
        currency=told.currency,
        amount_minor=told.amount_minor,
    )
