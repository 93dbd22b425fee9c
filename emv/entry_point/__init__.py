"""The Entry Point: from an amount to a kernel's outcome, over one tap.

The caller polls for a card and pumps; everything between the first SELECT
and the outcome is here. What concerns the till comes back: an outcome
that starts again at B is returned, so that the card is polled for anew,
and then given back as previous.

Source: EMV Contactless Books A and B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from emv import tlv
from emv.conversation import IssuerAnswer, Kernel
from emv.entry_point.configuration import (
    Combination,
    EntryPointConfig,
    LimitSet,
    Terminal,
    Transaction,
)
from emv.entry_point.pre_processing import (
    Indicators,
    Prepared,
    assess,
    explain_exclusions,
    explain_limits,
    pre_process,
    refusal,
    without_amount,
)
from emv.entry_point.selection import Candidate, Selected, select_combinations, select_final
from emv.errors import ConfigurationError, LinkLost
from emv.outcome import (
    PRESENT_AGAIN,
    ErrorIndication,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Start,
    Status,
    UserInterfaceRequest,
)

__all__ = [
    "COLLISION",
    "COLLISION_OVER",
    "Activation",
    "Combination",
    "EntryPointConfig",
    "Indicators",
    "KernelFactory",
    "LimitSet",
    "Prepared",
    "Retained",
    "Terminal",
    "Transaction",
    "activation_request",
    "assess",
    "pre_process",
    "refusal",
    "run",
]

COLLISION = UserInterfaceRequest(MessageId.PRESENT_ONE_CARD, ReaderStatus.PROCESSING_ERROR)
"""While two cards answer. Source: Book B, 3.2.1.4."""
COLLISION_OVER = UserInterfaceRequest(MessageId.PRESENT_ONE_CARD, ReaderStatus.READY_TO_READ)
"""Once one of them is gone. Source: Book B, 3.2.1.5."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What a kernel is given to begin with. Source: Book B, 3.4.1."""

    terminal: Terminal
    transaction: Transaction
    combination: Combination
    indicators: Indicators
    adf_name: bytes
    """The name the card's directory gave, without any extension."""
    fci: tuple[tlv.Node, ...]
    """File control information of the SELECT response."""
    issuer: IssuerAnswer | None = None
    """What the issuer answered to the tap before, for the card to hear."""


KernelFactory = Callable[[Activation], Kernel[Outcome]]
"""A kernel with its configuration in it: activation in, conversation, outcome out."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What stays of a conversation for a restart at B, C or D."""

    prepared: tuple[Prepared, ...]
    candidates: tuple[Candidate, ...] = ()
    """What is left to try after the one that was selected."""
    selected: Selected | None = None


def activation_request(previous: Outcome | None = None) -> UserInterfaceRequest:
    """Return what the reader shows while it polls for a card.

    previous: the outcome that asked to start again at B.

    Source: Book B, 3.2.1.2.
    """
    if previous is not None and previous.ui_on_restart is not None:
        return previous.ui_on_restart
    return UserInterfaceRequest(MessageId.PRESENT_CARD, ReaderStatus.READY_TO_READ)


def run(
    config: EntryPointConfig,
    transaction: Transaction,
    kernels: Mapping[int, KernelFactory],
    start: Start = Start.A,
    previous: Outcome | None = None,
    issuer: IssuerAnswer | None = None,
) -> Kernel[Outcome]:
    """Carry one tap from its start to an outcome that concerns the till.

    kernels: by kernel identifier.
    start: A for a new transaction; B when an outcome says so, or for a
    reader without an amount; C and D only with the outcome that says so.
    previous: that outcome.
    issuer: the answer that a tap before asked for, with start B, where the
    outcome says that it awaits one.
    A lost link becomes the outcome 'try again' with message 21.
    Raises ConfigurationError if a combination's kernel is not in kernels,
    or a restart lacks what it needs.

    Source: Book B, 3; Book A, 6.3.
    """
    for combination in config.combinations:
        if combination.kernel_id not in kernels:
            raise ConfigurationError(
                f"AID {combination.aid.hex().upper()}: no kernel {combination.kernel_id}"
            )
    retained = previous.retained if previous is not None else None
    prepared: tuple[Prepared, ...]
    if issuer is not None:
        prepared = (_awaiting(start, previous),)
    elif start is Start.A:
        prepared = pre_process(config, transaction)
        refused = refusal(prepared, transaction)
        if refused is not None:
            return refused
        yield from explain_exclusions(prepared, transaction)
    elif isinstance(retained, Retained):
        prepared = retained.prepared
    elif start is Start.B:
        prepared = without_amount(config, transaction)
    else:
        raise ConfigurationError(f"a start at {start.name} needs the outcome before it")

    try:
        candidates: tuple[Candidate, ...]
        selected: Selected | None = None
        if isinstance(retained, Retained) and start in (Start.C, Start.D):
            candidates = retained.candidates
            selected = retained.selected if start is Start.D else None
            if start is Start.D and selected is None:
                raise ConfigurationError("a start at D needs a selected application")
        else:
            candidates = yield from select_combinations(prepared)
        return (
            yield from _activate(
                config, transaction, kernels, prepared, candidates, selected, issuer
            )
        )
    except LinkLost as lost:
        return link_lost(lost, Retained(prepared))


def _awaiting(start: Start, previous: Outcome | None) -> Prepared:
    """Return the one combination that may hear an issuer: the one that has asked it.

    Another card that is tapped now must not pay.
    Raises ConfigurationError if none has.
    """
    retained = previous.retained if previous is not None and previous.awaits_issuer else None
    selected = retained.selected if isinstance(retained, Retained) else None
    if start is not Start.B or selected is None:
        raise ConfigurationError("an issuer's answer needs start B, and an outcome that awaits it")
    return selected.candidate.prepared


def _activate(
    config: EntryPointConfig,
    transaction: Transaction,
    kernels: Mapping[int, KernelFactory],
    prepared: tuple[Prepared, ...],
    candidates: tuple[Candidate, ...],
    selected: Selected | None,
    issuer: IssuerAnswer | None,
) -> Kernel[Outcome]:
    """Run kernels, one candidate after the other, until one has an outcome.

    Source: Book B, 3.3.3, 3.4 and 3.5.
    """
    reason: str = Reason.NO_APPLICATION
    while True:
        if selected is None:
            selected, candidates = yield from select_final(candidates, frozenset(kernels))
        if selected is None:
            return replace(NO_APPLICATION, reason=reason, retained=Retained(prepared))
        candidate = selected.candidate
        yield from explain_limits(candidate.prepared, transaction)
        outcome = yield from kernels[selected.kernel_id](
            Activation(
                config.terminal,
                transaction,
                candidate.prepared.combination,
                candidate.prepared.indicators,
                candidate.entry.adf_name,
                selected.fci,
                issuer,
            )
        )
        if outcome.status is not Status.SELECT_NEXT:
            return replace(outcome, retained=Retained(prepared, candidates, selected))
        if outcome.reason == Reason.OVER_CONTACTLESS_LIMIT:
            # The card would do: the customer must not be told otherwise.
            reason = outcome.reason
        selected = None


NO_APPLICATION = Outcome(
    Status.END_APPLICATION,
    ui=UserInterfaceRequest(MessageId.TRY_ANOTHER_CARD, ReaderStatus.READY_TO_READ),
    reason=Reason.NO_APPLICATION,
)
"""No candidate, or none left. Source: Book B, 3.3.2.7."""


def link_lost(lost: LinkLost, retained: Retained) -> Outcome:
    """Return the outcome of a card that left, or fell silent, too early.

    Source: Book B, 3.3.3.7; Book C-3, 5.2.
    """
    return Outcome(
        Status.TRY_AGAIN,
        start=Start.B,
        ui=UserInterfaceRequest(MessageId.PRESENT_CARD_AGAIN, ReaderStatus.PROCESSING_ERROR),
        ui_on_restart=PRESENT_AGAIN,
        error=ErrorIndication(1, lost.kind, message=MessageId.PRESENT_CARD_AGAIN),
        reason=Reason.LINK_LOST,
        retained=retained,
    )
