"""Start A: what the amount means for each combination, before any card is there.

Source: EMV Contactless Book B, 3.1.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from emv.bits import TTQ
from emv.conversation import Kernel, note
from emv.entry_point.configuration import Combination, EntryPointConfig, Transaction
from emv.outcome import (
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)


@dataclass(frozen=True, slots=True)
class Indicators:
    """The Entry Point Pre-Processing Indicators. Source: Book A, Table 5-3."""

    ttq: bytes | None = None
    """The copy of tag 9F66 that the card is given."""
    status_check_requested: bool = False
    not_allowed: bool = False
    """Contactless Application Not Allowed."""
    zero_amount: bool = False
    cvm_required_limit_exceeded: bool = False
    floor_limit_exceeded: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A combination and what pre-processing found for it."""

    combination: Combination
    indicators: Indicators


def assess(combination: Combination, transaction: Transaction) -> Indicators:
    """Hold one transaction against one combination's limits.

    Kernel 3's dynamic reader limits repeat these tests with another set.

    Source: Book B, 3.1.1.1 to 3.1.1.12.
    """
    amount = transaction.amount_authorised_minor
    unit = 10**transaction.currency_exponent
    status_check_requested = combination.status_check is True and amount == unit
    not_allowed = zero_amount = False
    if amount == 0:
        if combination.zero_amount_allowed is False:
            not_allowed = True
        else:
            zero_amount = True

    # The transaction and CVM limits are reached at the limit, the floor
    # limits are exceeded above it: so the book, bullet by bullet.
    limit = combination.transaction_limit_minor
    if limit is not None and amount >= limit:
        not_allowed = True
    floor_limit = floor_limit_of(combination)
    floor_limit_exceeded = floor_limit is not None and amount > floor_limit
    cvm_limit = combination.cvm_required_limit_minor
    cvm_required_limit_exceeded = cvm_limit is not None and amount >= cvm_limit

    ttq: bytes | None = None
    if combination.ttq is not None:
        copy = TTQ.decode(combination.ttq)
        copy = copy.without(TTQ.ONLINE_CRYPTOGRAM_REQUIRED | TTQ.CVM_REQUIRED)
        if floor_limit_exceeded or status_check_requested:
            copy |= TTQ.ONLINE_CRYPTOGRAM_REQUIRED
        if zero_amount:
            if TTQ.OFFLINE_ONLY in copy:
                not_allowed = True
            else:
                copy |= TTQ.ONLINE_CRYPTOGRAM_REQUIRED
        if cvm_required_limit_exceeded:
            copy |= TTQ.CVM_REQUIRED
        ttq = copy.encoded
    return Indicators(
        ttq,
        status_check_requested,
        not_allowed,
        zero_amount,
        cvm_required_limit_exceeded,
        floor_limit_exceeded,
    )


def pre_process(config: EntryPointConfig, transaction: Transaction) -> tuple[Prepared, ...]:
    """Return the combinations that serve this transaction, each assessed.

    Combinations that are not allowed are there too, marked so.

    Source: Book B, 3.1.1.
    """
    return tuple(
        Prepared(combination, assess(combination, transaction))
        for combination in config.combinations
        if transaction.transaction_type in combination.transaction_types
    )


BOOK = "Book B, 3.1.1"


def explain_exclusions(prepared: tuple[Prepared, ...], transaction: Transaction) -> Kernel[None]:
    """Write into the trace which combinations the amount leaves out, and by which limit."""
    for one in prepared:
        if not one.indicators.not_allowed:
            continue
        aid, limit = one.combination.aid.hex().upper(), one.combination.transaction_limit_minor
        yield from note("AID {aid} is not for this amount", BOOK, aid=aid)
        if limit is not None and transaction.amount_authorised_minor >= limit:
            yield from transaction.note_limit(
                "amount {amount} reaches the contactless limit {limit}", limit, BOOK
            )


def explain_limits(prepared: Prepared, transaction: Transaction) -> Kernel[None]:
    """Write into the trace what the amount means for the combination that was chosen."""
    combination, indicators = prepared.combination, prepared.indicators
    cvm_limit = combination.cvm_required_limit_minor
    if cvm_limit is not None:
        yield from transaction.note_limit(
            "amount {amount} reaches the CVM limit {limit}: the cardholder must be verified"
            if indicators.cvm_required_limit_exceeded
            else "amount {amount} is under the CVM limit {limit}",
            cvm_limit,
            BOOK,
        )
    floor_limit = floor_limit_of(combination)
    if floor_limit is not None and indicators.floor_limit_exceeded:
        yield from transaction.note_limit(
            "amount {amount} is over the floor limit {limit}: the issuer is asked",
            floor_limit,
            BOOK,
        )


def floor_limit_of(combination: Combination) -> int | None:
    """Return the reader's own floor limit, else the terminal's; None without either."""
    if combination.floor_limit_minor is not None:
        return combination.floor_limit_minor
    return combination.terminal_floor_limit_minor


def without_amount(config: EntryPointConfig, transaction: Transaction) -> tuple[Prepared, ...]:
    """Return the combinations for a reader that starts at B of its own accord.

    No amount was assessed: every indicator is off, and the TTQ is as configured.

    Source: Book B, 3.2.1.1.
    """
    return tuple(
        Prepared(combination, Indicators(ttq=combination.ttq))
        for combination in config.combinations
        if transaction.transaction_type in combination.transaction_types
    )


def refusal(prepared: tuple[Prepared, ...], transaction: Transaction) -> Outcome | None:
    """Return the outcome that no tap is possible, or None if one is.

    Ask before the field goes on: the customer need not even present a card.

    Source: Book B, 3.1.1.13.
    """
    if any(not one.indicators.not_allowed for one in prepared):
        return None
    if not prepared:
        reason = Reason.NO_APPLICATION
    elif transaction.amount_authorised_minor == 0:
        reason = Reason.ZERO_AMOUNT
    else:
        reason = Reason.OVER_CONTACTLESS_LIMIT
    return Outcome(
        Status.TRY_ANOTHER_INTERFACE,
        ui=UserInterfaceRequest(MessageId.TRY_OTHER_INTERFACE, ReaderStatus.PROCESSING_ERROR),
        reason=reason,
    )
