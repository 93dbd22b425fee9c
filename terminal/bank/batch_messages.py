"""What the bank link says of batches, as types. The contract is docs/bank-link.md."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

import msgspec

from terminal.bank.chain_messages import ToldEnds
from terminal.bank.messages import Currency, Identity, Message, Minor, Moment, Number, parse_moment
from terminal.errors import MalformedMessage

Kinds = Literal["sale", "refund", "void", "completion", "tip"]
Mediums = Literal["card", "wallet"]
BatchNumber = Annotated[int, msgspec.Meta(gt=0, le=2**31 - 1)]
Brand = Annotated[str, msgspec.Meta(max_length=64)]
LINES_MAX: Final = 200


class BatchTotal(Message, frozen=True, omit_defaults=False):
    """What one kind of payment of a batch sums up to."""

    kind: Kinds
    medium: Mediums
    brand: Brand
    currency: Currency
    count: Annotated[int, msgspec.Meta(gt=0)]
    amount_minor: Minor


class BatchLine(Message, frozen=True, omit_defaults=False):
    """One payment of a batch that moved money and stands."""

    attempt: Identity
    number: Number
    kind: Kinds
    medium: Mediums
    brand: Brand
    currency: Currency
    amount_minor: Minor


class BatchTotals(Message, frozen=True):
    """Ask what a batch sums up to at the bank."""

    path: ClassVar[str] = "/v1/batches/totals"
    states: ClassVar[frozenset[str]] = frozenset({"open", "closed"})

    batch: BatchNumber


class BatchClose(Message, frozen=True):
    """Have the bank close a batch, if it has the same."""

    path: ClassVar[str] = "/v1/batches/close"
    states: ClassVar[frozenset[str]] = frozenset({"closed", "differs"})

    batch: BatchNumber
    totals: tuple[BatchTotal, ...]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    accepted: bool = False
    ends: ToldEnds | None = None
    """Where the till's chains end: whoever closes a day cannot take it back unseen."""


class BatchLines(Message, frozen=True):
    """Have the bank compare a part of a batch, line by line."""

    path: ClassVar[str] = "/v1/batches/lines"

    batch: BatchNumber
    after: Annotated[str, msgspec.Meta(max_length=36)]
    lines: Annotated[tuple[BatchLine, ...], msgspec.Meta(max_length=LINES_MAX)]
    is_last: bool


BatchQuestion = BatchTotals | BatchClose | BatchLines


class BatchAnswer(Message, frozen=True):
    """How a batch stands at the bank."""

    at: Moment
    batch: BatchNumber
    state: Literal["open", "closed", "differs"]
    totals: tuple[BatchTotal, ...]


class BatchDifference(Message, frozen=True):
    """One payment that both sides do not have alike; absent where one has none."""

    attempt: Identity
    till: BatchLine | None = None
    bank: BatchLine | None = None


class LinesAnswer(Message, frozen=True):
    """Which lines of a part differ."""

    at: Moment
    batch: BatchNumber
    differences: tuple[BatchDifference, ...]
    through: Identity | None = None
    """Compared up to here only."""


def decode_batch_answer(body: bytes, question: BatchQuestion) -> BatchAnswer | LinesAnswer:
    """Return the answer to this question.

    body: of a 200, its signature verified.
    Raises MalformedMessage on anything the question cannot be answered with.
    """
    kind: type[BatchAnswer | LinesAnswer] = BatchAnswer
    if isinstance(question, BatchLines):
        kind = LinesAnswer
    try:
        answer = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"{kind.__name__}: {error}") from None
    if answer.batch != question.batch:
        raise MalformedMessage("the answer is about another batch")
    if (
        isinstance(answer, BatchAnswer)
        and not isinstance(question, BatchLines)
        and answer.state not in question.states
    ):
        raise MalformedMessage(f"{question.path} was answered with state {answer.state}")
    parse_moment(answer.at)
    return answer
