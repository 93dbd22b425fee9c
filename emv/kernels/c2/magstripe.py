"""Magnetic stripe mode: a card computes what makes its stripe good for one payment.

Off unless configured: schemes have ended it, and cards of it still exist.

Source: EMV Contactless Book C-2 before version 2.12, states 7, 8, 13 and 14.
"""

from __future__ import annotations

from emv import tags
from emv.apdu import STATUS_OK, compute_cryptographic_checksum
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.dol import fill_dol
from emv.errors import CardRefused, DataMissing, LinkLost, MalformedData
from emv.kernels.c2.completion import PHONE_MESSAGE_MASK, card_left, data_record, see_phone
from emv.kernels.c2.session import Session
from emv.kernels.c2.tracks import Stripe, filled_track_1, filled_track_2, unpredictable_digits
from emv.kernels.endings import over_limit
from emv.kernels.objects import chosen, require, response_template, take
from emv.outcome import (
    CVM,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)
from emv.records import data_objects, read_application_data

DEFAULT_UDOL = bytes.fromhex("9F6A04")
MOBILE_SUPPORTED = 0x01
DEVICE_VERIFICATION_REQUIRED = 0x02
"""Mobile Support Indicator, tag 9F7E."""

SOURCE = "Book C-2, states 7 to 14"


def process_mag_stripe(session: Session) -> Kernel[Outcome]:
    """Read the stripe, have the card compute its codes, fill them in.

    Raises CardRefused, DataMissing and MalformedData.
    """
    locator = require(session.card, tags.TAG_94_AFL)
    for record in (yield from read_application_data(locator)):
        take(session.card, data_objects(record))
    track_2 = _stripe(session, tags.TAG_9F6B_TRACK_2_DATA)
    track_1 = None
    if tags.TAG_56_TRACK_1_DATA in session.card:
        track_1 = _stripe(session, tags.TAG_56_TRACK_1_DATA)
        if track_1.number_digits != track_2.number_digits:
            raise MalformedData("both tracks want numbers of different lengths")
    if session.amount > session.transaction_limit:
        yield from session.activation.transaction.note_limit(
            "amount {amount} is over this application's limit {limit}",
            session.transaction_limit,
            SOURCE,
        )
        return over_limit()
    _choose_cvm(session)
    # Eight bytes for at most eight digits: what is left over tips no scale.
    number = unpredictable_digits((yield from fresh_bytes(8)), track_2.number_digits)
    session.terminal[tags.TAG_9F6A_UNPREDICTABLE_NUMBER_NUMERIC] = bytes.fromhex(number)
    list_ = session.card.get(tags.TAG_9F69_UDOL) or DEFAULT_UDOL
    try:
        command = compute_cryptographic_checksum(fill_dol(list_, session.terminal))
        reply = yield from exchange(command)
    except LinkLost as lost:
        return card_left(session, lost.kind)
    if reply.status != STATUS_OK:
        raise CardRefused("COMPUTE CRYPTOGRAPHIC CHECKSUM", reply.status)
    return (yield from _conclude(session, reply.data, track_1, track_2, number))


def _stripe(session: Session, track_tag: int) -> Stripe:
    """Gather one track and what says where its codes go."""
    pcvc3, punatc, natc = {
        tags.TAG_56_TRACK_1_DATA: (
            tags.TAG_9F62_PCVC3_TRACK_1,
            tags.TAG_9F63_PUNATC_TRACK_1,
            tags.TAG_9F64_NATC_TRACK_1,
        ),
        tags.TAG_9F6B_TRACK_2_DATA: (
            tags.TAG_9F65_PCVC3_TRACK_2,
            tags.TAG_9F66_PUNATC_TRACK_2,
            tags.TAG_9F67_NATC_TRACK_2,
        ),
    }[track_tag]
    card = session.card
    return Stripe(
        require(card, track_tag),
        int.from_bytes(require(card, pcvc3), "big"),
        int.from_bytes(require(card, punatc), "big"),
        int.from_bytes(require(card, natc), "big"),
    )


def _choose_cvm(session: Session) -> None:
    """Decide how the holder is verified, and tell a phone whether it has to."""
    configuration = session.configuration
    indicator = MOBILE_SUPPORTED
    if session.is_over_cvm_limit:
        indicator |= DEVICE_VERIFICATION_REQUIRED
        session.cvm = configuration.mag_stripe_cvm_required
        if session.verifies_on_device:
            session.cvm = CVM.CONFIRMATION_CODE_VERIFIED
    else:
        session.cvm = configuration.mag_stripe_cvm_not_required
    session.receipt = session.is_over_cvm_limit
    session.terminal[tags.TAG_9F7E_MOBILE_SUPPORT_INDICATOR] = bytes((indicator,))


def _conclude(
    session: Session, answer: bytes, track_1: Stripe | None, track_2: Stripe, number: str
) -> Kernel[Outcome]:
    """Fill the codes in, or say what the phone says."""
    card = session.card
    take(card, response_template(answer))
    counter = int.from_bytes(require(card, tags.TAG_9F36_ATC), "big")
    told = card.get(tags.TAG_DF4B_POS_CARDHOLDER_INTERACTION_INFORMATION, bytes(3))
    interaction = int.from_bytes(told, "big")
    if tags.TAG_9F61_CVC3_TRACK_2 not in card:
        if not any(told):
            raise DataMissing(tags.TAG_9F61_CVC3_TRACK_2)
        if interaction & PHONE_MESSAGE_MASK:
            return see_phone(session, interaction)
        yield from note("the phone declines", SOURCE)
        return _outcome(session, Status.DECLINED, MessageId.NOT_AUTHORISED, {})
    # unsettled: when the last digit tells that the holder proved himself on
    # the device. Five is added where that was required and believed.
    is_proved = session.cvm is CVM.CONFIRMATION_CODE_VERIFIED
    last = (track_2.number_digits + (5 if is_proved else 0)) % 10
    code = int.from_bytes(card[tags.TAG_9F61_CVC3_TRACK_2], "big")
    tracks = {
        tags.TAG_9F6B_TRACK_2_DATA: filled_track_2(track_2, code, number, counter, last),
    }
    if track_1 is not None:
        code = int.from_bytes(require(card, tags.TAG_9F60_CVC3_TRACK_1), "big")
        tracks[tags.TAG_56_TRACK_1_DATA] = filled_track_1(track_1, code, number, counter, last)
    yield from note("the card made its stripe good for this payment", SOURCE)
    return _outcome(session, Status.ONLINE_REQUEST, MessageId.AUTHORISING, tracks)


def _outcome(
    session: Session, status: Status, message: MessageId, tracks: dict[int, bytes]
) -> Outcome:
    is_online = status is Status.ONLINE_REQUEST
    record = data_record(session) | tracks
    record |= chosen((tags.TAG_9F6A_UNPREDICTABLE_NUMBER_NUMERIC,), session.terminal)
    return Outcome(
        status,
        cvm=session.cvm if is_online else CVM.NOT_APPLICABLE,
        ui=session.message(
            UserInterfaceRequest(
                message, ReaderStatus.NOT_READY, session.configuration.message_hold_ms
            )
        ),
        data_record=record,
        discretionary=session.discretionary,
        receipt=is_online and session.receipt,
        reason="" if is_online else Reason.CARD_DECLINED,
    )
