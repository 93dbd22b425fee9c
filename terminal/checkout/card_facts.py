"""What a kernel's outcome means for the sale, and what of the card may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from emv import tags, tlv
from emv.masking import mask_pan
from emv.outcome import CVM, Outcome, Reason, Start, Status
from terminal.events import CardEnd, CardFacts
from terminal.messages import Message
from terminal.view import Medium

# Form Factor Indicator, byte 1, bits 5 to 1: a card. Source: Book C-3, 9F6E.
_DEVICE_TYPE_MASK = 0x1F

ENTRY_MODE_CHIP = b"\x05"
"""Tag 9F39 of a card in a slot."""

# Third Party Data, byte 3 bit 8, and bytes 5 and 6. Source: Book C-2, 9F6E.
_RID_MASTERCARD = bytes.fromhex("A000000004")
_RID_AMERICAN_EXPRESS = bytes.fromhex("A000000025")
_NO_DEVICE_TYPE = 0x80
_DEVICE_IS_CARD = b"00"

_ENDS = {
    Status.ONLINE_REQUEST: CardEnd.ONLINE,
    Status.APPROVED: CardEnd.APPROVED,
    Status.DECLINED: CardEnd.DECLINED,
}

_REASONS: dict[str, tuple[Message, Message]] = {
    Reason.NO_APPLICATION: (Message.CARD_NOT_ACCEPTED, Message.ANOTHER_CARD_OR_WALLET),
    Reason.OVER_CONTACTLESS_LIMIT: (Message.CONTACTLESS_NOT_ALLOWED, Message.INSERT_OR_CODE),
    Reason.ZERO_AMOUNT: (Message.CONTACTLESS_NOT_ALLOWED, Message.INSERT_OR_CODE),
    Reason.LINK_LOST: (Message.TAP_AGAIN, Message.TRY_ONCE_MORE),
    Reason.SEE_PHONE: (Message.SEE_PHONE, Message.TRY_ONCE_MORE),
    Reason.SWITCH_INTERFACE: (Message.INSERT_CARD, Message.INSERT_OR_CODE),
    Reason.SELECT_NEXT: (Message.CARD_NOT_ACCEPTED, Message.ANOTHER_CARD_OR_WALLET),
    Reason.CARD_REFUSED: (Message.CARD_UNREADABLE, Message.INSERT_OR_CODE),
    Reason.CARD_DATA_MISSING: (Message.CARD_UNREADABLE, Message.INSERT_OR_CODE),
    Reason.CARD_DATA_ERROR: (Message.CARD_UNREADABLE, Message.INSERT_OR_CODE),
    Reason.CARD_DECLINED: (Message.DECLINED_BY_CARD, Message.ANOTHER_CARD_OR_WALLET),
    Reason.EXPIRED: (Message.CARD_EXPIRED, Message.ANOTHER_CARD),
    Reason.EXCEPTION_FILE: (Message.CARD_ON_EXCEPTION_FILE, Message.ANOTHER_CARD),
    Reason.CASH_NOT_ALLOWED: (Message.NOT_PERMITTED, Message.ANOTHER_CARD),
    Reason.CASHBACK_NOT_ALLOWED: (Message.NOT_PERMITTED, Message.ANOTHER_CARD),
    Reason.SERVICE_NOT_ALLOWED: (Message.NOT_PERMITTED, Message.ANOTHER_CARD),
    Reason.TOO_SLOW: (Message.CARD_NOT_AUTHENTIC, Message.ANOTHER_CARD_OR_WALLET),
    Reason.MODE_NOT_SUPPORTED: (Message.CARD_NOT_ACCEPTED, Message.ANOTHER_CARD_OR_WALLET),
    Reason.NOT_AUTHENTIC: (Message.CARD_NOT_AUTHENTIC, Message.ANOTHER_CARD_OR_WALLET),
    Reason.PIN_NOT_POSSIBLE: (Message.PIN_PAD_MISSING, Message.ANOTHER_CARD_OR_WALLET),
    Reason.CVM_NOT_POSSIBLE: (Message.NOT_PERMITTED, Message.INSERT_OR_CODE),
    Reason.DEVICE_NOT_TRUSTED: (Message.CARD_NOT_AUTHENTIC, Message.ANOTHER_CARD_OR_WALLET),
    Reason.NOT_YET_EFFECTIVE: (Message.CARD_NOT_VALID, Message.ANOTHER_CARD),
    Reason.SERVICE_NOT_ALLOWED: (Message.NOT_PERMITTED, Message.ANOTHER_CARD),
    Reason.PIN_NOT_ENTERED: (Message.PIN_CANCELLED, Message.ANOTHER_CARD_OR_WALLET),
    Reason.PIN_BLOCKED: (Message.PIN_BLOCKED, Message.ANOTHER_CARD),
    Reason.TERMINAL_DECLINED: (Message.DECLINED_PLAINLY, Message.ANOTHER_CARD_OR_WALLET),
    Reason.REFERRAL: (Message.DECLINED_BY_CARD, Message.CALL_ISSUER),
    Reason.CANCELLED: (Message.CANCELLED, Message.ANOTHER_CARD_OR_WALLET),
    Reason.CARD_BLOCKED: (Message.CARD_BLOCKED, Message.ANOTHER_CARD),
    Reason.APPLICATION_BLOCKED: (Message.CARD_BLOCKED, Message.ANOTHER_CARD),
    Reason.ONLINE_NOT_POSSIBLE: (Message.ISSUER_DOWN, Message.ANOTHER_CARD_OR_WALLET),
}


def end_of(outcome: Outcome) -> CardEnd:
    """Say whether the sale goes to the bank, ends here, or waits for another card."""
    return _ENDS.get(outcome.status, CardEnd.AGAIN)


def reason_of(outcome: Outcome) -> tuple[Message | None, Message | None]:
    """Return why the card did not pay, and the next step; None, None if it did."""
    if outcome.status in (Status.ONLINE_REQUEST, Status.APPROVED):
        return None, None
    if outcome.reason in _REASONS:
        return _REASONS[outcome.reason]
    if outcome.start is Start.B:
        return Message.TAP_AGAIN, Message.TRY_ONCE_MORE
    return Message.CARD_UNREADABLE, Message.INSERT_OR_CODE


CHIP_TRIES = 3
"""So often a chip is put in again before it is given up; a stripe instead is never taken."""

# What is said of a card in a slot instead: it cannot be tapped again there.
_IN_A_SLOT = {
    Message.TAP_AGAIN: Message.CARD_PULLED,
    Message.CARD_UNREADABLE: Message.CHIP_NOT_READ,
    Message.INSERT_OR_CODE: Message.TAP_OR_CODE,
}


def in_a_slot(
    reason: Message | None, next_step: Message | None
) -> tuple[Message | None, Message | None]:
    """Return reason and next step as they are said of a card in a slot."""
    return (
        None if reason is None else _IN_A_SLOT.get(reason, reason),
        None if next_step is None else _IN_A_SLOT.get(next_step, next_step),
    )


def unread_chip(tries: int) -> tuple[Message, Message]:
    """Return what to say of a chip that could not be read so often in one sale."""
    if tries < CHIP_TRIES:
        return Message.CHIP_NOT_READ, Message.TRY_ONCE_MORE
    return Message.CHIP_UNREADABLE, Message.TAP_OR_CODE


def facts_of(outcome: Outcome, brand: str) -> CardFacts:
    """Return what may be shown and kept of the card behind an outcome."""
    record = outcome.data_record
    is_phone = _is_device(record) or outcome.cvm is CVM.CONFIRMATION_CODE_VERIFIED
    return CardFacts(
        medium=_medium(record, is_phone=is_phone),
        brand=brand,
        masked_pan=mask_pan(pan_of(record)),
        application_label=_label(record),
        aid=record.get(tags.TAG_84_DF_NAME, b"").hex().upper(),
        tvr=record.get(tags.TAG_95_TVR, b"").hex().upper(),
        ctq=record.get(tags.TAG_9F6C_CTQ, b"").hex().upper(),
        signature=outcome.cvm is CVM.SIGNATURE,
        pin=outcome.cvm in (CVM.ONLINE_PIN, CVM.OFFLINE_PIN),
    )


def _is_device(record: Mapping[int, bytes]) -> bool:
    """Read what the card says as its scheme writes it: is it something else than plastic?

    Source: Book C-3, Form Factor Indicator; Book C-2, Third Party Data;
    Book C-4, Mobile CVM Results.
    """
    said = record.get(tags.TAG_9F6E_FORM_FACTOR_INDICATOR, b"")
    name = record.get(tags.TAG_84_DF_NAME, b"")
    if name.startswith(_RID_AMERICAN_EXPRESS):
        return tags.TAG_9F71_MOBILE_CVM_RESULTS in record
    if name.startswith(_RID_MASTERCARD):
        has_type = len(said) >= 6 and not said[2] & _NO_DEVICE_TYPE
        return has_type and said[4:6] != _DEVICE_IS_CARD
    return bool(said) and bool(said[0] & _DEVICE_TYPE_MASK)


def _medium(record: Mapping[int, bytes], *, is_phone: bool) -> Medium:
    """Say what was presented, by how it was read and what it says of itself."""
    if record.get(tags.TAG_9F39_POS_ENTRY_MODE) == ENTRY_MODE_CHIP:
        return Medium.CHIP
    return Medium.PHONE if is_phone else Medium.CARD


def pan_of(record: Mapping[int, bytes]) -> str:
    """Return the card number of a data record; '' where it has none."""
    if tags.TAG_5A_PAN in record:
        return record[tags.TAG_5A_PAN].hex().rstrip("f")
    track2 = record.get(tags.TAG_57_TRACK_2_EQUIVALENT_DATA, b"").hex()
    return track2.partition("d")[0]


def encode_record(record: Mapping[int, bytes]) -> bytes:
    """Return a data record as BER-TLV, in the order of its tags."""
    return b"".join(tlv.encode(tag, record[tag]) for tag in sorted(record))


def entry_of(encoded: bytes) -> Literal["contact", "contactless"]:
    """Say how a card was read, by an encoded data record."""
    mode = tlv.find(tlv.decode(encoded), tags.TAG_9F39_POS_ENTRY_MODE)
    return "contact" if mode == ENTRY_MODE_CHIP else "contactless"


def _label(record: Mapping[int, bytes]) -> str:
    """The name the card gives itself: preferred name, else label.

    The preferred name may be in any part of ISO 8859; what ASCII does not
    have is left to the label. Source: EMV 4.4 Book 1, 12.2.4.
    """
    for tag in (tags.TAG_9F12_APPLICATION_PREFERRED_NAME, tags.TAG_50_APPLICATION_LABEL):
        name = record.get(tag, b"")
        if name and name.isascii():
            text = name.decode("ascii").strip()
            if text.isprintable():
                return text
    return ""
