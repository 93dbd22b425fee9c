"""GENERATE AC, or RECOVER AC for a torn one; and whether the answer holds."""

from __future__ import annotations

import datetime

from emv import bits, tags
from emv.apdu import STATUS_OK, WITH_SIGNATURE, generate_ac, recover_ac
from emv.bits import TVR
from emv.conversation import Kernel, Reply, exchange, note
from emv.dol import fill_dol
from emv.errors import AuthenticationFailed, CardRefused, LinkLost
from emv.kernels.c2.integrated import check_summaries, write_with_cryptogram
from emv.kernels.c2.reading import signs
from emv.kernels.c2.session import CDA_OVER_AAC, Session
from emv.kernels.c2.torn import TornRecord, evict
from emv.kernels.first_cryptogram import (
    check_cryptogram,
    cryptogram_objects,
    is_signed,
    take_signed,
)
from emv.kernels.objects import pdol_data, take

SOURCE = "Book C-2, states 9 to 11"


def obtain_cryptogram(session: Session) -> Kernel[None]:
    """Get the card's cryptogram, a torn one if this payment has one, and check it.

    Raises CardRefused, MalformedData; AuthenticationFailed for a signature
    that does not hold; LinkLost, with the payment put into the torn log.
    """
    recovered = yield from _recover(session)
    reply = recovered if recovered is not None else (yield from _generate(session))
    if reply.status != STATUS_OK:
        raise CardRefused("GENERATE AC", reply.status)
    take(session.card, cryptogram_objects(reply.data))
    check_cryptogram(session.card, session.requested)
    yield from _check_signature(session, reply.data)


def _check_signature(session: Session, response: bytes) -> Kernel[None]:
    """Take the cryptogram from its signature, with the relay resistance data in it."""
    if not is_signed(session.card, is_due=session.asked_signature):
        return
    number = session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER]
    more = take_signed(
        session.card, response, session.evidence.icc_key(), number, session.lists_data
    )
    more = yield from check_summaries(session, more)
    if not more.startswith(session.relay_data):
        raise AuthenticationFailed("combined signature: not of this relay resistance data")
    yield from note("card is authentic", SOURCE)


def _generate(session: Session) -> Kernel[Reply]:
    """Ask for a new cryptogram."""
    stored = yield from write_with_cryptogram(session)
    session.terminal[tags.TAG_95_TVR] = session.tvr.encoded
    session.asked_signature = _asks_signature(session)
    control = session.requested | (WITH_SIGNATURE if session.asked_signature else 0)
    data = pdol_data(session.card[tags.TAG_8C_CDOL1], session.terminal) + stored
    session.lists_data += data
    try:
        return (yield from exchange(generate_ac(control, data)))
    except LinkLost:
        _remember(session)
        raise


def _asks_signature(session: Session) -> bool:
    """Decide whether the cryptogram shall be signed; a device without it is declined.

    Source: Book C-2, GENERATE AC reference control parameter.
    """
    if not signs(session):
        return False
    if TVR.CDA_FAILED in session.tvr:
        if session.verifies_on_device:
            session.requested, session.findings = bits.CID_AAC, TVR.CDA_FAILED
        return False
    if session.requested == bits.CID_AAC:
        return session.reads_storage or bool(session.capabilities[1] & CDA_OVER_AAC)
    return True


# Torn transactions


def _now(session: Session) -> datetime.datetime:
    """Return the transaction's own date and time: a kernel reads no clock."""
    transaction = session.activation.transaction
    return datetime.datetime.combine(transaction.date, transaction.time or datetime.time())


def _remember(session: Session) -> None:
    """Put the payment into the torn log, if card and reader keep one."""
    configuration, card = session.configuration, session.card
    recovery_list = card.get(tags.TAG_9F51_DRDOL)
    if not recovery_list or not configuration.torn_records_max:
        return
    record = TornRecord(
        pan=card[tags.TAG_5A_PAN],
        sequence_number=card.get(tags.TAG_5F34_PAN_SEQUENCE_NUMBER, b""),
        at=_now(session),
        terminal=dict(session.terminal),
        tvr=session.tvr,
        cvm=session.cvm,
        receipt=session.receipt,
        requested=session.requested,
        asked_signature=session.asked_signature,
        lists_data=session.lists_data,
        relay_data=session.relay_data,
        summary=session.card.get(tags.TAG_9F7D_DS_SUMMARY_1, b""),
        writes_storage=session.writes_storage,
        recovery_data=fill_dol(recovery_list, session.terminal),
    )
    _keep(session, (*session.torn, record))


def _keep(session: Session, records: tuple[TornRecord, ...]) -> None:
    """Write the log back, without the aged; tell of one that was given up."""
    configuration = session.configuration
    session.torn, gone = evict(
        records,
        _now(session),
        configuration.torn_record_lifetime_s,
        configuration.torn_records_max,
    )
    if gone:
        session.discretionary[tags.TAG_FF8101_TORN_RECORD] = gone[-1].encoded


def _recover(session: Session) -> Kernel[Reply | None]:
    """Ask the card for the answer that was lost; None if there is none to have.

    Raises LinkLost; the record then stays for the next tap.

    Source: Book C-2, state 10.
    """
    card = session.card
    _keep(session, session.torn)
    recovery_list = card.get(tags.TAG_9F51_DRDOL)
    record = next((one for one in session.torn if one.is_of(card, session.terminal)), None)
    if record is None or not recovery_list:
        return None
    reply = yield from exchange(recover_ac(record.recovery_data))
    session.torn = tuple(one for one in session.torn if one is not record)
    is_same_list = fill_dol(recovery_list, record.terminal) == record.recovery_data
    if reply.status != STATUS_OK or not is_same_list:
        yield from note("RECOVER AC answered {status}", SOURCE, status=f"{reply.status:04X}")
        return None
    # The answer is judged by what the card was given then.
    session.terminal = dict(record.terminal)
    session.tvr, session.cvm, session.receipt = record.tvr, record.cvm, record.receipt
    session.requested, session.asked_signature = record.requested, record.asked_signature
    session.lists_data, session.relay_data = record.lists_data, record.relay_data
    session.writes_storage = record.writes_storage
    if record.summary:
        session.card[tags.TAG_9F7D_DS_SUMMARY_1] = record.summary
    yield from note("a torn transaction is taken up again", SOURCE)
    return reply
