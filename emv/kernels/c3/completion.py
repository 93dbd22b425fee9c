"""5.8 and 5.9: online processing and completion."""

from __future__ import annotations

from emv import tags
from emv.bits import CTQ, TTQ
from emv.conversation import Kernel, note
from emv.kernels.c3.session import Session
from emv.kernels.data_record import gather
from emv.kernels.endings import CVM_RESULTS
from emv.kernels.objects import chosen
from emv.outcome import (
    CVM,
    PRESENT_AGAIN,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)


def complete(session: Session, cvm: CVM) -> Kernel[Outcome]:
    """Return the outcome that all decisions come to.

    Source: Book C-3, 5.8, 5.9 and 4.3.
    """
    if session.decline is None and session.must_go_online and not session.is_online_capable:
        session.decline = Reason.ONLINE_NOT_POSSIBLE
        yield from note("{reason}", session.cite("5.8"), reason=str(session.decline))
    if session.decline is not None:
        return Outcome(
            Status.DECLINED,
            ui=_result(session, MessageId.NOT_AUTHORISED, ReaderStatus.CARD_READ_OK),
            data_record=data_record(session, CVM.NOT_APPLICABLE),
            discretionary=_discretionary(session),
            reason=session.decline,
        )
    if session.must_go_online:
        updates = TTQ.ISSUER_UPDATE in session.ttq and CTQ.ISSUER_UPDATE in (session.ctq or CTQ(0))
        return Outcome(
            Status.ONLINE_REQUEST,
            awaits_issuer=updates,
            cvm=cvm,
            ui=_result(session, MessageId.AUTHORISING, ReaderStatus.NOT_READY),
            ui_on_restart=PRESENT_AGAIN if updates else None,
            data_record=data_record(session, cvm),
            discretionary=_discretionary(session),
            receipt=cvm is CVM.SIGNATURE,
        )
    message = MessageId.APPROVED_SIGN if cvm is CVM.SIGNATURE else MessageId.APPROVED
    return Outcome(
        Status.APPROVED,
        cvm=cvm,
        ui=_result(session, message, ReaderStatus.CARD_READ_OK),
        data_record=data_record(session, cvm),
        discretionary=_discretionary(session),
        receipt=cvm is CVM.SIGNATURE,
    )


def _result(session: Session, message: MessageId, status: ReaderStatus) -> UserInterfaceRequest:
    """Return a closing message, with the card's offline balance if it told one: 4.3.1.1."""
    balance = session.balance
    return UserInterfaceRequest(
        message,
        status,
        language=session.fci.get(tags.TAG_5F2D_LANGUAGE_PREFERENCE, b""),
        value_minor=int(balance.hex()) if balance else None,
        currency=session.activation.transaction.currency if balance else None,
    )


def _discretionary(session: Session) -> dict[int, bytes]:
    """Return what the till may show and the bank does not need."""
    return chosen(
        (tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT, tags.TAG_9F79_EC_BALANCE), session.card
    )


def data_record(session: Session, cvm: CVM) -> dict[int, bytes]:
    """Return what goes to the bank and onto the receipt, tag to value.

    The TVR is the one the
    card's cryptogram was made over, zeros: the issuer recomputes it, so the
    result of offline authentication is not written into it. Public
    implementations of this kernel send zeros as well.

    Source: Book C-3, Annex B.
    """
    record = gather(
        session.fci,
        session.card,
        session.terminal,
        also_card=(tags.TAG_9F6C_CTQ, tags.TAG_9F7C_CUSTOMER_EXCLUSIVE_DATA),
        also_terminal=(tags.TAG_9F66_TTQ,),
    )
    record[tags.TAG_9F34_CVM_RESULTS] = CVM_RESULTS[cvm]
    form_factor = session.card.get(tags.TAG_9F6E_FORM_FACTOR_INDICATOR)
    if form_factor is not None:
        # 4.1.1.1: the interface of byte 4 is the reader's to say: ISO/IEC 14443.
        record[tags.TAG_9F6E_FORM_FACTOR_INDICATOR] = (
            form_factor[:3] + bytes((form_factor[3] & 0xF0,)) + form_factor[4:]
        )
    return record
