"""Kernel 3: qVSDC, online and offline, with fDDA.

One GET PROCESSING OPTIONS, the records the card lists, then decisions. The
card may leave after the last record; a second tap may take its issuer's answer
to it. The modules follow Book C-3, chapter 5: limits, initiate, reading,
restrictions, authentication, verification, completion; requirement numbers are
those of its version 2.6. Magnetic stripe mode is not here: schemes have ended it.

Source: EMV Contactless Book C-3. Where public implementations of it
disagree, a comment says so and which way we went.
"""

from __future__ import annotations

from collections.abc import Callable

from emv import tags
from emv.bits import TTQ
from emv.conversation import Kernel, note, note_refusal, show
from emv.entry_point import Activation, KernelFactory
from emv.errors import CardRefused, ConfigurationError, MalformedData
from emv.kernels.c3.authentication import authenticate_offline
from emv.kernels.c3.completion import complete
from emv.kernels.c3.initiate import initiate_application
from emv.kernels.c3.limits import choose_limits
from emv.kernels.c3.reading import check_card_data, determine_cryptogram, read_records
from emv.kernels.c3.restrictions import restrict_processing
from emv.kernels.c3.session import KERNEL_ID, Configuration, Session
from emv.kernels.c3.verification import verify_cardholder
from emv.kernels.endings import end_application
from emv.kernels.issuer_update import update
from emv.kernels.objects import usable_objects
from emv.outcome import CVM, MessageId, Outcome, ReaderStatus, Reason, UserInterfaceRequest

__all__ = ["Configuration", "begin", "carry_out", "kernel", "process"]


def kernel(configuration: Configuration) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate."""

    def activate(activation: Activation) -> Kernel[Outcome]:
        return process(configuration, activation)

    return activate


def process(configuration: Configuration, activation: Activation) -> Kernel[Outcome]:
    """Carry out one transaction with a selected qVSDC application.

    Bad card data and unforeseen status words end the application: they are
    outcomes too.
    Raises ConfigurationError if the combination has no TTQ.

    Source: Book C-3, 5.
    """
    return (yield from carry_out(begin(configuration, activation, KERNEL_ID)))


def begin(configuration: Configuration, activation: Activation, kernel_id: int) -> Session:
    """Return a transaction that is about to begin.

    Raises ConfigurationError if the combination has no TTQ.
    """
    if activation.indicators.ttq is None:
        raise ConfigurationError(f"kernel {kernel_id} needs tag 9F66 in its combination")
    return Session(
        configuration,
        activation,
        TTQ.decode(activation.indicators.ttq),
        terminal={**activation.terminal.objects(), **activation.transaction.objects()},
        fci=usable_objects(activation.fci, kernel_id),
        kernel_id=kernel_id,
    )


def carry_out(
    session: Session, before_leaving: Callable[[Session], Kernel[None]] | None = None
) -> Kernel[Outcome]:
    """Take all steps of a transaction.

    before_leaving: what else to ask the card before it may leave.
    """
    issuer = session.activation.issuer
    if issuer is not None:
        return (yield from update(issuer, session.cite("issuer update processing")))
    try:
        ended = yield from choose_limits(session)
        if ended is None:
            ended = yield from initiate_application(session)
        if ended is not None:
            return ended
        yield from read_records(session)
        if before_leaving is not None:
            yield from before_leaving(session)
        yield from show(
            UserInterfaceRequest(
                MessageId.CARD_READ_OK,
                ReaderStatus.CARD_READ_OK,
                language=session.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b""),
            )
        )
        missing = check_card_data(session)
        if missing is not None:
            yield from note(
                "card data missing: tag {tag}", session.cite("5.4.2.1"), tag=f"{missing:X}"
            )
            return end_application(Reason.CARD_DATA_MISSING, f"tag {missing:X}")
        yield from determine_cryptogram(session)
        switched = yield from restrict_processing(session)
        if switched is None:
            switched = yield from authenticate_offline(session)
        if switched is not None:
            return switched
    except CardRefused as refused:
        yield from note_refusal(refused, session.cite("5.3"))
        return end_application(Reason.CARD_REFUSED, refused.command, refused.status)
    except MalformedData as error:
        yield from note(
            "card data cannot be read: {error}", session.cite("5.4.2"), error=str(error)
        )
        return end_application(Reason.CARD_DATA_ERROR, str(error))
    cvm = CVM.NONE
    if session.decline is None:
        cvm = yield from verify_cardholder(session)
    return (yield from complete(session, cvm))
