"""The outcome: what the cryptogram and the reader's decision come to, and what the card asks for.

Source: EMV Contactless Book C-8, states 29 and 30.
"""

from __future__ import annotations

from emv import bits, tags
from emv.actions import reason_of
from emv.bits import TVR, TVR8
from emv.conversation import Kernel, note
from emv.entry_point.configuration import TYPE_CASH, TYPE_CASHBACK, TYPE_GOODS, TYPE_MANUAL_CASH
from emv.kernels.c8.cryptogram import kind
from emv.kernels.c8.session import SOURCE, Session
from emv.kernels.data_record import gather
from emv.outcome import (
    CVM,
    PRESENT_AGAIN,
    ErrorIndication,
    Interface,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Start,
    Status,
    UserInterfaceRequest,
)

# unsettled: which number stands for purchase with cashback; 09 is the one
# that this till sends.
PURCHASES_AND_CASH = frozenset({TYPE_GOODS, TYPE_CASH, TYPE_CASHBACK, TYPE_MANUAL_CASH})

RESTART_MASK, INTERFACE_MASK = 0xF0, 0x0F
RESTART_B, OTHER_INTERFACE = 0x20, 0x30
"""Restart Indicator, byte 1; byte 2 is a message for the holder."""
_INTERFACES = {0x01: Interface.CONTACT, 0x02: Interface.MAGSTRIPE}


def complete(session: Session) -> Kernel[Outcome]:
    """Return the outcome of a cryptogram that holds."""
    if not session.configuration.reports_failed_authentication:
        session.tvr = session.tvr.without(TVR8.LOCAL_AUTHENTICATION_FAILED)
    session.discretionary[tags.TAG_95_TVR] = session.tvr.encoded
    if _restart(session) & RESTART_MASK == RESTART_B:
        yield from note("the card asks for another tap", SOURCE)
        return _present_again(session)
    given, decided = kind(session), session.decision
    if given == bits.CID_TC and decided == bits.CID_TC:
        yield from note("card approves (TC)", SOURCE)
        signs = session.cvm is CVM.SIGNATURE
        message = MessageId.APPROVED_SIGN if signs else MessageId.APPROVED
        return _settled(session, Status.APPROVED, message)
    if given != bits.CID_AAC and decided != bits.CID_AAC:
        yield from note("the issuer is asked (ARQC)", SOURCE)
        return _settled(session, Status.ONLINE_REQUEST, MessageId.AUTHORISING)
    yield from note("declined", SOURCE)
    return _refuse(session)


def _refuse(session: Session) -> Outcome:
    """Return a decline, another interface if the card asks for one, or the end."""
    is_ours = session.decision == bits.CID_AAC
    # The bits that both have are the same in kernel 8's format.
    reason = reason_of(TVR(int(session.findings))) if is_ours else Reason.CARD_DECLINED
    if session.activation.transaction.transaction_type not in PURCHASES_AND_CASH:
        return _settled(session, Status.END_APPLICATION, MessageId.CLEAR_DISPLAY, reason)
    if _restart(session) & RESTART_MASK == OTHER_INTERFACE:
        message = _message(session, MessageId.TRY_OTHER_INTERFACE)
        switch = Reason.SWITCH_INTERFACE
        return _settled(session, Status.TRY_ANOTHER_INTERFACE, message, switch)
    message = _message(session, MessageId.NOT_AUTHORISED)
    return _settled(session, Status.DECLINED, message, reason)


def _present_again(session: Session) -> Outcome:
    """Return the outcome of a card that wants to be tapped once more."""
    message = _message(session, MessageId.PRESENT_CARD_AGAIN)
    hold_ms = session.configuration.message_hold_ms
    return Outcome(
        Status.END_APPLICATION,
        start=Start.B,
        ui=session.message(UserInterfaceRequest(message, ReaderStatus.NOT_READY, hold_ms)),
        ui_on_restart=session.message(UserInterfaceRequest(message, ReaderStatus.READY_TO_READ)),
        discretionary=session.discretionary,
        field_off_ms=_field_off_ms(session),
        reason=Reason.SEE_PHONE,
    )


def card_left(kind_of_loss: str) -> Outcome:
    """Return the outcome of a link that failed when a cryptogram had been asked for.

    There is no torn log in this kernel: another tap is a new payment to the
    card, and costs nobody anything, as no answer of the first one has left
    this reader.
    """
    return Outcome(
        Status.END_APPLICATION,
        start=Start.B,
        ui=UserInterfaceRequest(MessageId.PRESENT_CARD_AGAIN, ReaderStatus.PROCESSING_ERROR),
        ui_on_restart=PRESENT_AGAIN,
        error=ErrorIndication(1, kind_of_loss, message=MessageId.PRESENT_CARD_AGAIN),
        reason=Reason.LINK_LOST,
    )


def _settled(
    session: Session, status: Status, message: MessageId, reason: Reason | str = ""
) -> Outcome:
    """Return an outcome that carries the card's data."""
    carries = status in (Status.APPROVED, Status.ONLINE_REQUEST)
    is_switch = status is Status.TRY_ANOTHER_INTERFACE
    hold_ms = 0 if status is Status.ONLINE_REQUEST else session.configuration.message_hold_ms
    return Outcome(
        status,
        cvm=session.cvm if carries else CVM.NOT_APPLICABLE,
        ui=session.message(UserInterfaceRequest(message, ReaderStatus.NOT_READY, hold_ms)),
        # unsettled: which TVR goes to the issuer. Here it is the one that the
        # card's cryptogram was made over, which the issuer recomputes; the
        # last one is in the discretionary data.
        data_record=gather(
            session.fci,
            session.card,
            session.terminal,
            also_card=(
                tags.TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION,
                tags.TAG_9F8104_CARD_TVR,
                tags.TAG_9F8106_AUTHENTICATED_APPLICATION_DATA,
            ),
            also_terminal=(tags.TAG_9F8109_IAD_MAC,),
        ),
        discretionary=session.discretionary,
        alternate_interface=(
            _INTERFACES.get(_restart(session) & INTERFACE_MASK) if is_switch else None
        ),
        receipt=carries and session.is_over_cvm_limit,
        field_off_ms=_field_off_ms(session),
        reason=reason,
    )


def _restart(session: Session) -> int:
    """Return byte 1 of the Restart Indicator; 0 if the card has none."""
    return session.card.get(tags.TAG_9F8108_RESTART_INDICATOR, b"\x00")[0]


def _message(session: Session, otherwise: MessageId) -> MessageId:
    """Return what the card has its holder told, if the reader lets it say that."""
    told = session.card.get(tags.TAG_9F8108_RESTART_INDICATOR, b"")[1:]
    allowed = session.configuration.restart_messages
    return next((one for one in allowed if told == bytes((one,))), otherwise)


def _field_off_ms(session: Session) -> int | None:
    return session.configuration.field_off_ms if session.detects_field_off else None
