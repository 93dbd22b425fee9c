"""10.11 Completion: the outcomes, and what goes to the bank with them."""

from __future__ import annotations

from emv import bits, tags
from emv.kernels.contact.session import Session
from emv.kernels.data_record import gather
from emv.kernels.endings import end_application
from emv.outcome import (
    CVM,
    ErrorIndication,
    MessageId,
    Outcome,
    ReaderStatus,
    Reason,
    Status,
    UserInterfaceRequest,
)

ALSO_FROM_TERMINAL = (
    tags.TAG_8A_AUTHORISATION_RESPONSE_CODE,
    tags.TAG_9B_TSI,
    tags.TAG_9F09_APPLICATION_VERSION_TERMINAL,
    tags.TAG_9F41_TRANSACTION_SEQUENCE_COUNTER,
)


def data_record(session: Session) -> dict[int, bytes]:
    """Return what goes to the bank and onto the receipt, tag to value.

    Source: EMV 4.4 Book 4, 12.1.1, Tables 8 and 9.
    """
    terminal = {
        **session.terminal,
        tags.TAG_95_TVR: session.tvr.encoded,
        tags.TAG_9B_TSI: session.tsi.encoded,
    }
    record = gather(session.fci, session.card, terminal, also_terminal=ALSO_FROM_TERMINAL)
    if session.script_results:
        record[tags.TAG_9F5B_ISSUER_SCRIPT_RESULTS] = b"".join(
            result.encoded for result in session.script_results
        )
    return record


def approved(session: Session) -> Outcome:
    """Return the outcome of a payment that card and terminal agree on."""
    needs_signature = session.cvm is CVM.SIGNATURE
    return Outcome(
        Status.APPROVED,
        cvm=session.cvm,
        ui=_result(session, MessageId.APPROVED_SIGN if needs_signature else MessageId.APPROVED),
        data_record=data_record(session),
        receipt=needs_signature,
    )


def declined(session: Session, reason: Reason) -> Outcome:
    """Return the outcome of a payment that one of them refuses."""
    return Outcome(
        Status.DECLINED,
        ui=_result(session, MessageId.NOT_AUTHORISED),
        data_record=data_record(session),
        reason=reason,
    )


def card_reason(session: Session, kind: int) -> Reason:
    """Return why the card declines, as far as it says so.

    Source: EMV 4.4 Book 3, Table 15.
    """
    if kind == bits.CID_TYPE_MASK:
        return Reason.REFERRAL
    stated = session.card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_REASON_MASK
    return {1: Reason.SERVICE_NOT_ALLOWED, 2: Reason.PIN_BLOCKED}.get(stated, Reason.CARD_DECLINED)


def broken_off(
    session: Session | None, reason: Reason, detail: str, status_word: int | None = None
) -> Outcome:
    """Return the outcome of a conversation that did not come to its end.

    Before the issuer was asked another way to pay may be tried; afterwards
    the payment is over, and an approval must be taken back.
    detail: names the tag or command; no card data.
    """
    if session is None or session.issuer is None:
        return end_application(reason, detail, status_word)
    return Outcome(
        Status.DECLINED,
        ui=_result(session, MessageId.NOT_AUTHORISED),
        data_record=data_record(session),
        error=ErrorIndication(2, detail, status_word, MessageId.NOT_AUTHORISED),
        reason=reason,
    )


def _result(session: Session, message: MessageId) -> UserInterfaceRequest:
    return UserInterfaceRequest(message, ReaderStatus.CARD_READ_OK, language=session.language)
