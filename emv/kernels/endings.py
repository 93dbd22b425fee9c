"""Outcomes without a decision on the payment, and CVM results, as kernels share them."""

from __future__ import annotations

from emv import bits
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

SEE_PHONE_MS = 1300  # Hold time 13, field off 13. Source: Book C-3, 5.2.2.2.

CVM_RESULTS = {
    CVM.NONE: bits.CVM_RESULTS_NOT_PERFORMED,
    CVM.NOT_APPLICABLE: bits.CVM_RESULTS_NOT_PERFORMED,
    CVM.SIGNATURE: bits.CVM_RESULTS_SIGNATURE,
    CVM.ONLINE_PIN: bits.CVM_RESULTS_ONLINE_PIN,
    CVM.CONFIRMATION_CODE_VERIFIED: bits.CVM_RESULTS_ON_DEVICE,
}
"""Tag 9F34 for kernels that have no reading of their own.

Source: EMV 4.4 Book 4, 6.3.4.5; for the device, Book C-2, CVM selection.
"""


def try_contact(reason: Reason, status_word: int | None = None) -> Outcome:
    """Return the outcome that sends the customer to the chip slot.

    Source: Book C-3, 5.2.2.2.
    """
    return Outcome(
        Status.TRY_ANOTHER_INTERFACE,
        ui=UserInterfaceRequest(MessageId.INSERT_CARD, ReaderStatus.PROCESSING_ERROR),
        alternate_interface=Interface.CONTACT,
        error=ErrorIndication(2, reason, status_word, MessageId.INSERT_CARD),
        reason=reason,
    )


def see_phone(status_word: int | None = None) -> Outcome:
    """Return the outcome of a phone that wants its owner first.

    The field goes off while the owner looks; then the tap is asked for again.

    Source: Book C-3, 5.2.2.2.
    """
    return Outcome(
        Status.TRY_AGAIN,
        start=Start.B,
        ui=UserInterfaceRequest(
            MessageId.SEE_PHONE, ReaderStatus.PROCESSING_ERROR, hold_ms=SEE_PHONE_MS
        ),
        ui_on_restart=PRESENT_AGAIN,
        field_off_ms=SEE_PHONE_MS,
        error=ErrorIndication(2, Reason.SEE_PHONE, status_word, MessageId.SEE_PHONE),
        reason=Reason.SEE_PHONE,
    )


def select_next(detail: str, status_word: int | None = None) -> Outcome:
    """Return the outcome that passes on to the card's next application.

    detail: names the command or limit; no card data.
    """
    return Outcome(
        Status.SELECT_NEXT,
        start=Start.C,
        error=ErrorIndication(2, detail, status_word),
        reason=Reason.SELECT_NEXT,
    )


def over_limit() -> Outcome:
    """Return the outcome of an amount that this application may not take by a tap."""
    return Outcome(
        Status.SELECT_NEXT,
        start=Start.C,
        error=ErrorIndication(2, "transaction limit"),
        reason=Reason.OVER_CONTACTLESS_LIMIT,
    )


def end_application(reason: Reason, detail: str, status_word: int | None = None) -> Outcome:
    """Return the outcome of a card that cannot be used.

    detail: names the tag or command; no card data.
    """
    return Outcome(
        Status.END_APPLICATION,
        ui=UserInterfaceRequest(MessageId.TRY_ANOTHER_CARD, ReaderStatus.PROCESSING_ERROR),
        error=ErrorIndication(2, detail, status_word, MessageId.TRY_ANOTHER_CARD),
        reason=reason,
    )
