"""Kernel 8: a secure channel, local authentication, cryptograms under AES.

GET PROCESSING OPTIONS with a key agreed on, relay resistance, records that
may be enciphered, one GENERATE AC whose answer two MACs prove. The modules
follow the states of the book: initiate, reading, analysis, cryptogram,
authentication, completion; under them are channel, certificates and curve.

RSA certificates are not here, and the card is told so.

Source: EMV Contactless Books C-8 and E, version 1.1. Where public
implementations leave a point open, a comment says so and which way we went.
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
from emv.kernels.c8.analysis import analyse_actions, follow_cardholder_decision, manage_risk
from emv.kernels.c8.authentication import authenticate, check_macs
from emv.kernels.c8.certificates import ECKey, ECKeyStore
from emv.kernels.c8.completion import card_left, complete
from emv.kernels.c8.configuration import ON_DEVICE, Configuration
from emv.kernels.c8.cryptogram import obtain_cryptogram, take_card_tvr
from emv.kernels.c8.initiate import check_selection, initiate_application, resist_relay
from emv.kernels.c8.reading import read_envelopes, read_records, write_envelopes
from emv.kernels.c8.session import KERNEL_ID, SOURCE, Session
from emv.kernels.choice import choose
from emv.kernels.endings import end_application
from emv.kernels.objects import usable_objects
from emv.outcome import MessageId, Outcome, ReaderStatus, Reason, UserInterfaceRequest

__all__ = ["KERNEL_ID", "ON_DEVICE", "Configuration", "ECKey", "ECKeyStore", "kernel", "process"]


def kernel(configurations: Mapping[bytes, Configuration]) -> KernelFactory:
    """Return the kernel, ready for the Entry Point to activate.

    configurations: by the AID of the reader's combination.
    """

    def activate(activation: Activation) -> Kernel[Outcome]:
        return process(choose(configurations, activation, KERNEL_ID), activation)

    return activate


def process(configuration: Configuration, activation: Activation) -> Kernel[Outcome]:
    """Carry out one transaction with a selected application.

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
            tags.TAG_9F34_CVM_RESULTS: bytes(3),
            tags.TAG_9F810C_RELAY_RESISTANCE_TIME_EXCESS: bytes(2),
        },
        fci=usable_objects(activation.fci, KERNEL_ID),
    )
    try:
        return (yield from _process(session))
    except AuthenticationFailed as failure:
        yield from note("not authentic: {failure}", SOURCE, failure=str(failure))
        return end_application(Reason.NOT_AUTHENTIC, str(failure))
    except DataMissing as missing:
        yield from note("card data missing: tag {tag}", SOURCE, tag=f"{missing.tag:X}")
        return end_application(Reason.CARD_DATA_MISSING, f"tag {missing.tag:X}")
    except CardRefused as refused:
        yield from note_refusal(refused, SOURCE)
        return end_application(Reason.CARD_REFUSED, refused.command, refused.status)
    except MalformedData as error:
        yield from note("card data cannot be read: {error}", SOURCE, error=str(error))
        return end_application(Reason.CARD_DATA_ERROR, str(error))


def _process(session: Session) -> Kernel[Outcome]:
    """Go from selection to an outcome. Raises what its steps raise."""
    ended = check_selection(session)
    if ended is not None:
        yield from note("not an application for kernel 8", SOURCE)
        return ended
    channel = yield from initiate_application(session)
    if isinstance(channel, Outcome):
        return channel
    measurement = yield from resist_relay(session)
    yield from read_records(session, channel)
    yield from read_envelopes(session, channel)
    manage_risk(session)
    yield from analyse_actions(session)
    try:
        response = yield from obtain_cryptogram(session, measurement)
    except LinkLost as lost:
        return card_left(lost.kind)
    check_macs(session, channel, response)
    yield from authenticate(session, channel)
    take_card_tvr(session)
    yield from follow_cardholder_decision(session)
    yield from analyse_actions(session)
    yield from write_envelopes(session, channel)
    yield from show(
        session.message(UserInterfaceRequest(MessageId.CLEAR_DISPLAY, ReaderStatus.CARD_READ_OK))
    )
    return (yield from complete(session))
