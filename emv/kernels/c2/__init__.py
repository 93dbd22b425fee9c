"""Kernel 2: M/Chip in EMV mode, and the magnetic stripe mode behind a switch.

GET PROCESSING OPTIONS, relay resistance, the records, the reader's analysis,
one GENERATE AC. The modules follow the states of the book: initiate, relay,
reading, storage and integrated, analysis and verification, cryptogram, completion; torn
transactions are kept by the till between taps, and magstripe is the other mode.

Source: EMV Contactless Book C-2. Where public implementations of it
disagree, a comment says so and which way we went.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import tags
from emv.conversation import Kernel, note, note_refusal, show
from emv.entry_point import Activation, KernelFactory
from emv.errors import (
    AuthenticationFailed,
    CardRefused,
    DataMissing,
    LinkLost,
    MalformedData,
)
from emv.kernels.c2.analysis import analyse_actions, manage_risk
from emv.kernels.c2.completion import card_left, complete, not_authentic
from emv.kernels.c2.configuration import Configuration, DataStorage, PhoneMessage
from emv.kernels.c2.cryptogram import obtain_cryptogram
from emv.kernels.c2.initiate import initiate_application, is_emv
from emv.kernels.c2.integrated import USABLE_FOR_ARQC, VOLATILE_SLOT, check_identity
from emv.kernels.c2.magstripe import process_mag_stripe
from emv.kernels.c2.reading import check_card_data, check_signature_data, read_records
from emv.kernels.c2.relay import resist_relay
from emv.kernels.c2.session import KERNEL_ID, Session
from emv.kernels.c2.storage import read_balance, read_data, write_data
from emv.kernels.c2.torn import TornLog, TornRecord
from emv.kernels.c2.verification import verify_cardholder
from emv.kernels.choice import choose
from emv.kernels.endings import end_application, over_limit
from emv.kernels.objects import usable_objects
from emv.kernels.relay import RelayResistance
from emv.outcome import MessageId, Outcome, ReaderStatus, Reason, UserInterfaceRequest

__all__ = [
    "KERNEL_ID",
    "USABLE_FOR_ARQC",
    "VOLATILE_SLOT",
    "Configuration",
    "DataStorage",
    "PhoneMessage",
    "RelayResistance",
    "TornLog",
    "TornRecord",
    "kernel",
    "process",
]

SOURCE = "Book C-2"


def kernel(
    configurations: Mapping[bytes, Configuration], torn_log: TornLog | None = None
) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    torn_log: the till's; the kernel itself keeps nothing.
    """
    log = torn_log if torn_log is not None else TornLog()

    def activate(activation: Activation) -> Kernel[Outcome]:
        configuration = choose(configurations, activation, KERNEL_ID)
        outcome, log.records = yield from process(configuration, activation, log.records)
        return outcome

    return activate


def process(
    configuration: Configuration, activation: Activation, torn: tuple[TornRecord, ...] = ()
) -> Kernel[tuple[Outcome, tuple[TornRecord, ...]]]:
    """Carry out one transaction with a selected application; return the torn log too.

    Bad card data and unforeseen status words end the application: they are
    outcomes too.
    """
    session = Session(
        configuration,
        activation,
        terminal={
            **activation.terminal.objects(),
            **activation.transaction.objects(),
            tags.TAG_9F09_APPLICATION_VERSION_TERMINAL: configuration.application_version,
            tags.TAG_9F6D_MAG_STRIPE_APPLICATION_VERSION: configuration.mag_stripe_version,
            tags.TAG_9F34_CVM_RESULTS: bytes(3),
        },
        fci=usable_objects(activation.fci, KERNEL_ID),
        torn=torn,
    )
    try:
        outcome = yield from _process(session)
    except DataMissing as missing:
        yield from note("card data missing: tag {tag}", SOURCE, tag=f"{missing.tag:X}")
        outcome = end_application(Reason.CARD_DATA_MISSING, f"tag {missing.tag:X}")
    except CardRefused as refused:
        yield from note_refusal(refused, SOURCE)
        outcome = end_application(Reason.CARD_REFUSED, refused.command, refused.status)
    except MalformedData as error:
        yield from note("card data cannot be read: {error}", SOURCE, error=str(error))
        outcome = end_application(Reason.CARD_DATA_ERROR, str(error))
    return outcome, session.torn


def _process(session: Session) -> Kernel[Outcome]:
    """Go from the options to an outcome. Raises what its steps raise."""
    ended = yield from initiate_application(session)
    if ended is not None:
        return ended
    if not is_emv(session):
        if not session.configuration.supports_mag_stripe:
            yield from note("neither mode is shared with the card", SOURCE)
            return end_application(Reason.MODE_NOT_SUPPORTED, "magnetic stripe mode")
        return (yield from process_mag_stripe(session))
    yield from resist_relay(session)
    yield from read_data(session)
    yield from read_records(session)
    if session.amount > session.transaction_limit:
        yield from session.activation.transaction.note_limit(
            "amount {amount} is over this application's limit {limit}",
            session.transaction_limit,
            SOURCE,
        )
        return over_limit()
    check_card_data(session)
    check_identity(session)
    yield from check_signature_data(session)
    session.receipt = session.is_over_cvm_limit
    if session.configuration.reads_balance_before:
        yield from read_balance(session, tags.TAG_DF8104_BALANCE_READ_BEFORE_GEN_AC)
    yield from manage_risk(session)
    yield from verify_cardholder(session)
    yield from analyse_actions(session)
    return (yield from _conclude(session))


def _conclude(session: Session) -> Kernel[Outcome]:
    """Get the cryptogram, write what is to be written, and return the outcome."""
    configuration = session.configuration
    before = configuration.tags_to_write_before
    yield from write_data(session, before, tags.TAG_DF810F_PRE_GEN_AC_PUT_DATA_STATUS)
    try:
        yield from obtain_cryptogram(session)
    except LinkLost as lost:
        return card_left(session, lost.kind)
    except AuthenticationFailed as failure:
        yield from note("card not authentic: {failure}", SOURCE, failure=str(failure))
        return not_authentic(session, str(failure))
    try:
        after = configuration.tags_to_write_after
        yield from write_data(session, after, tags.TAG_DF810E_POST_GEN_AC_PUT_DATA_STATUS)
        if configuration.reads_balance_after:
            yield from read_balance(session, tags.TAG_DF8105_BALANCE_READ_AFTER_GEN_AC)
    except LinkLost:
        # The cryptogram is here: what was to follow it is not worth losing it.
        yield from note("the card left after its cryptogram", SOURCE)
    yield from show(
        session.message(UserInterfaceRequest(MessageId.CLEAR_DISPLAY, ReaderStatus.CARD_READ_OK))
    )
    return (yield from complete(session))
