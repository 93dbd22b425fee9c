"""The outcome: what the card's cryptogram comes to, and what the phone says.

Source: EMV Contactless Book C-2, states 9-10 and following.
"""

from __future__ import annotations

from dataclasses import replace

from emv import bits, tags
from emv.actions import reason_of
from emv.conversation import Kernel, note
from emv.entry_point.configuration import TYPE_CASH, TYPE_CASHBACK, TYPE_GOODS, TYPE_MANUAL_CASH
from emv.kernels.c2.configuration import CONTACT_CHIP
from emv.kernels.c2.session import FIELD_OFF_DETECTION, Session
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

PHONE_MESSAGE_MASK = 0x00030F
"""POS Cardholder Interaction Information: what the phone has its holder told."""

PURCHASES_AND_CASH = frozenset({TYPE_GOODS, TYPE_CASH, TYPE_CASHBACK, TYPE_MANUAL_CASH})

HAS_NO_DEVICE_TYPE = 0x8000
"""Third Party Data, bytes 3 and 4: no device type follows."""
DEVICE_IS_CARD = b"00"

SOURCE = "Book C-2, states 9-10"


def complete(session: Session) -> Kernel[Outcome]:
    """Return the outcome of a cryptogram that holds."""
    told = session.card.get(tags.TAG_DF4B_POS_CARDHOLDER_INTERACTION_INFORMATION, bytes(3))
    interaction = int.from_bytes(told, "big")
    if interaction & PHONE_MESSAGE_MASK:
        yield from note(
            "the phone has something to say: {interaction}",
            SOURCE,
            interaction=f"{interaction:06X}",
        )
        return see_phone(session, interaction)
    cryptogram = session.card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    if cryptogram == bits.CID_TC:
        yield from note("card approves (TC)", SOURCE)
        message = MessageId.APPROVED
        if session.cvm is CVM.SIGNATURE:
            message = MessageId.APPROVED_SIGN
        return _settled(session, Status.APPROVED, message)
    if cryptogram == bits.CID_ARQC:
        yield from note("card asks for the issuer (ARQC)", SOURCE)
        return _settled(session, Status.ONLINE_REQUEST, MessageId.AUTHORISING)
    yield from note("card declines (AAC)", SOURCE)
    return refuse(session)


def refuse(session: Session) -> Outcome:
    """Return the outcome of an AAC: another interface, a decline, or the end."""
    is_ours = session.requested == bits.CID_AAC
    reason = reason_of(session.findings) if is_ours else Reason.CARD_DECLINED
    if session.activation.transaction.transaction_type not in PURCHASES_AND_CASH:
        return _settled(session, Status.END_APPLICATION, MessageId.CLEAR_DISPLAY, reason)
    if is_plastic(session) and session.configuration.card_data_input & CONTACT_CHIP:
        status, switch = Status.TRY_ANOTHER_INTERFACE, Reason.SWITCH_INTERFACE
        return _settled(session, status, MessageId.INSERT_CARD, switch)
    return _settled(session, Status.DECLINED, MessageId.NOT_AUTHORISED, reason)


def is_plastic(session: Session) -> bool:
    """True unless the card says that it is another device: it could go into a slot.

    Source: Book C-2, Third Party Data: country, identifier, device type.
    """
    said = session.card.get(tags.TAG_9F6E_THIRD_PARTY_DATA) or session.fci.get(
        tags.TAG_9F6E_THIRD_PARTY_DATA, b""
    )
    if len(said) < 6 or int.from_bytes(said[2:4], "big") & HAS_NO_DEVICE_TYPE:
        return True
    return said[4:6] == DEVICE_IS_CARD


def not_authentic(session: Session, detail: str) -> Outcome:
    """Return the outcome of a signature that does not hold.

    unsettled: whether this is a decline or the end of the application. A
    decline says plainly that no other try with this card will help.
    """
    outcome = _settled(session, Status.DECLINED, MessageId.NOT_AUTHORISED, Reason.NOT_AUTHENTIC)
    return replace(outcome, error=ErrorIndication(2, detail, message=MessageId.NOT_AUTHORISED))


def see_phone(session: Session, interaction: int) -> Outcome:
    """Return the outcome of a device that wants its holder first.

    interaction: POS Cardholder Interaction Information, tag DF4B.

    Source: Book C-2, Phone Message Table.
    """
    configuration = session.configuration
    row = next(one for one in configuration.phone_messages if interaction & one.mask == one.value)
    hold_ms = configuration.message_hold_ms
    return Outcome(
        Status.END_APPLICATION,
        start=Start.B,
        ui=session.message(UserInterfaceRequest(row.message, ReaderStatus.NOT_READY, hold_ms)),
        ui_on_restart=PRESENT_AGAIN,
        field_off_ms=configuration.field_off_ms,
        discretionary=session.discretionary,
        reason=(
            Reason.CARD_DECLINED if row.message is MessageId.NOT_AUTHORISED else Reason.SEE_PHONE
        ),
    )


def card_left(session: Session, kind: str) -> Outcome:
    """Return the outcome of a link that failed when a cryptogram had been asked for.

    kind: as LinkLost names it. Where the payment is in the torn log the next
    tap asks for its answer. unsettled: a reader without a log may end the
    application; another tap is a new payment to the card and costs nobody
    anything, as no answer of the first one has left this reader.
    """
    return Outcome(
        Status.END_APPLICATION,
        start=Start.B,
        ui=UserInterfaceRequest(MessageId.PRESENT_CARD_AGAIN, ReaderStatus.PROCESSING_ERROR),
        ui_on_restart=PRESENT_AGAIN,
        discretionary=session.discretionary,
        error=ErrorIndication(1, kind, message=MessageId.PRESENT_CARD_AGAIN),
        reason=Reason.LINK_LOST,
    )


def _settled(
    session: Session, status: Status, message: MessageId, reason: Reason | str = ""
) -> Outcome:
    """Return an outcome that carries the card's data."""
    is_switch = status is Status.TRY_ANOTHER_INTERFACE
    carries = status in (Status.APPROVED, Status.ONLINE_REQUEST)
    balance = session.discretionary.get(tags.TAG_DF8105_BALANCE_READ_AFTER_GEN_AC)
    return Outcome(
        status,
        cvm=session.cvm if carries else CVM.NOT_APPLICABLE,
        ui=session.message(
            UserInterfaceRequest(
                message,
                ReaderStatus.NOT_READY,
                session.configuration.message_hold_ms,
                value_minor=int(balance.hex()) if balance else None,
                currency=session.activation.transaction.currency if balance else None,
            )
        ),
        data_record=data_record(session),
        discretionary=session.discretionary,
        alternate_interface=Interface.CONTACT if is_switch else None,
        receipt=carries and session.receipt,
        field_off_ms=(
            session.configuration.field_off_ms
            if session.capabilities[1] & FIELD_OFF_DETECTION
            else None
        ),
        reason=reason,
    )


def data_record(session: Session) -> dict[int, bytes]:
    """Return what goes to the bank and onto the receipt, tag to value.

    The TVR is the one that the card's cryptogram was made over: the issuer
    recomputes it. A failed signature ends in a decline and needs no bit there.

    Source: Book C-2, Data Record.
    """
    return gather(
        session.fci,
        session.card,
        session.terminal,
        also_card=(tags.TAG_9F6E_THIRD_PARTY_DATA,),
        also_terminal=(tags.TAG_9F53_TRANSACTION_CATEGORY_CODE,),
    )
