"""Integrated data storage: an operator's data, read with the options, written with the cryptogram.

The card signs a summary of what it stores before and after, so that both the
reading and the writing are proved by the combined signature. What one operator
wrote, only he can write over: he has to show the input whose digest he stored.

Source: EMV Contactless Book C-2, states 1, 3, 4 and 9, and 7.6. Version 1; a
card of version 2, with its digests under AES, is used without.
"""

from __future__ import annotations

from emv import bits, tags
from emv.bits import TVR
from emv.conversation import Kernel, note
from emv.dol import fill_dol, parse_dol
from emv.errors import DataMissing, MalformedData
from emv.kernels.c2.configuration import DataStorage
from emv.kernels.c2.session import Session
from emv.kernels.objects import require

VERSION = 0x01
VERSION_MASK = 0x0F
"""Application Capabilities Information, byte 1."""
ID_DIGITS_MIN = 16
SUMMARY_BYTES = 8

USABLE_FOR_ARQC = 0x40
USABLE_FOR_AAC = 0x20
STOP_IF_NOT_USABLE = 0x04
STOP_IF_WRITE_FAILED = 0x02
"""DS ODS Info For Reader."""

READ = 0x80
WRITTEN = 0x40
"""DS Summary Status."""
PERMANENT_SLOT = 0x80
"""DS Slot Management Control."""
VOLATILE_SLOT = 0x40
"""DS ODS Info."""

SOURCE = "Book C-2, integrated data storage"


def offer(session: Session) -> None:
    """Say who asks, and see whether the card stores data. Source: state 1."""
    storage = session.configuration.storage
    if storage is None:
        return
    session.terminal[tags.TAG_9F5C_DS_REQUESTED_OPERATOR_ID] = storage.operator_id
    session.terminal[tags.TAG_DF810D_DSVN_TERM] = bytes((VERSION,))
    session.reads_storage = (
        session.capabilities[0] & VERSION_MASK == VERSION and tags.TAG_9F5E_DS_ID in session.fci
    )


def take_stored(session: Session) -> Kernel[None]:
    """Take what came with the options. Raises DataMissing and MalformedData. Source: state 3."""
    if not session.reads_storage:
        return
    summary = require(session.card, tags.TAG_9F7D_DS_SUMMARY_1)
    if len(summary) != SUMMARY_BYTES:
        raise MalformedData(f"tag 9F7D of {len(summary)} bytes")
    stored = session.card.get(tags.TAG_9F54_DS_ODS_CARD)
    if stored is None:
        # Nothing of this operator's is there: then what is needed to begin.
        require(session.card, tags.TAG_9F5F_DS_SLOT_AVAILABILITY)
        require(session.card, tags.TAG_9F7F_DS_UNPREDICTABLE_NUMBER)
        yield from note("the operator has nothing on the card yet", SOURCE)
        return
    session.discretionary[tags.TAG_9F54_DS_ODS_CARD] = stored


def check_identity(session: Session) -> None:
    """Raise MalformedData unless the storage is this card's own. Source: state 4-5-6."""
    if not session.reads_storage:
        return
    sequence = session.card.get(tags.TAG_5F34_PAN_SEQUENCE_NUMBER, b"\x00").hex()
    digits = (session.pan + sequence).rjust(ID_DIGITS_MIN, "0")
    if bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0")) != _storage_id(session):
        raise MalformedData("tag 9F5E is not of this card")


def write_with_cryptogram(session: Session) -> Kernel[bytes]:
    """Return what is added to GENERATE AC to have data written; empty for nothing.

    May lower the cryptogram that is asked for to the one the data are for.
    Raises MalformedData where the operator wants the payment stopped instead.

    Source: 7.6.
    """
    storage = session.configuration.storage
    if storage is None or not session.reads_storage or TVR.CDA_FAILED in session.tvr:
        return b""
    wanted = session.card.get(tags.TAG_9F5B_DSDOL)
    if not wanted or storage.info is None:
        return b""
    if storage.cryptogram in _LOWER[session.requested]:
        session.requested = storage.cryptogram
    elif not storage.info_for_reader & _USABLE[session.requested]:
        if storage.info_for_reader & STOP_IF_NOT_USABLE:
            raise MalformedData("data storage: no matching cryptogram")
        yield from note("data are not for this cryptogram: nothing is written", SOURCE)
        return b""
    session.terminal |= {
        tags.TAG_DF60_DS_INPUT_CARD: storage.input_card,
        tags.TAG_DF62_DS_ODS_INFO: bytes((storage.info,)),
        tags.TAG_DF63_DS_ODS_TERM: storage.data,
    }
    if tags.TAG_DF61_DS_DIGEST_H in dict(parse_dol(wanted)):
        session.terminal[tags.TAG_DF61_DS_DIGEST_H] = storage.one_way(
            _storage_id(session), _owner(session, storage), storage.input_term
        )
    session.writes_storage = True
    yield from note("data go to the card with the cryptogram", SOURCE)
    return fill_dol(wanted, session.terminal)


def check_summaries(session: Session, signed: bytes) -> Kernel[bytes]:
    """Compare what the card signed of its storage; return what else it signed.

    signed: behind the transaction data hash code.
    Raises DataMissing and MalformedData, where reading or writing is not proved.

    Source: state 9-10. unsettled: that relay resistance data stand behind the
    summaries.
    """
    storage = session.configuration.storage
    if storage is None or not session.reads_storage:
        return signed
    before = session.card[tags.TAG_9F7D_DS_SUMMARY_1]
    found, rest = signed[:SUMMARY_BYTES], signed[SUMMARY_BYTES:]
    if found != before:
        raise MalformedData("data storage: what was read is not what is signed")
    status = READ
    if session.writes_storage:
        after, rest = rest[:SUMMARY_BYTES], rest[SUMMARY_BYTES:]
        if len(after) < SUMMARY_BYTES:
            raise DataMissing(tags.TAG_DF8102_DS_SUMMARY_3)
        session.discretionary[tags.TAG_DF8102_DS_SUMMARY_3] = after
        if after != found:
            status |= WRITTEN
        elif storage.info_for_reader & STOP_IF_WRITE_FAILED:
            raise MalformedData("data storage: nothing was written")
    session.discretionary[tags.TAG_DF810B_DS_SUMMARY_STATUS] = bytes((status,))
    yield from note("what the card stores is proved", SOURCE)
    return rest


# Which cryptograms the data may be for, by the one that the reader would ask for.
_LOWER = {
    bits.CID_AAC: (bits.CID_AAC,),
    bits.CID_ARQC: (bits.CID_AAC, bits.CID_ARQC),
    bits.CID_TC: (bits.CID_AAC, bits.CID_ARQC, bits.CID_TC),
}
_USABLE = {
    bits.CID_AAC: USABLE_FOR_AAC,
    bits.CID_ARQC: USABLE_FOR_ARQC,
    bits.CID_TC: 0,
}


def _storage_id(session: Session) -> bytes:
    return session.fci[tags.TAG_9F5E_DS_ID]


def _owner(session: Session, storage: DataStorage) -> bytes:
    """Return whose the data are: nobody's, for a passing note on a card for keeps."""
    control = session.card.get(tags.TAG_9F6F_DS_SLOT_MANAGEMENT_CONTROL) or b"\x00"
    is_volatile = bool((storage.info or 0) & VOLATILE_SLOT)
    return bytes(8) if control[0] & PERMANENT_SLOT and is_volatile else storage.operator_id
