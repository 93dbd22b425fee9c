"""GENERATE AC, and what must be in its answer.

Source: EMV Contactless Book C-8, states 26 to 29.
"""

from __future__ import annotations

from emv import bits, tags
from emv.apdu import STATUS_OK, generate_ac
from emv.bits import TVR8
from emv.conversation import Kernel, exchange
from emv.errors import CardRefused, MalformedData
from emv.kernels.c8.session import Session
from emv.kernels.first_cryptogram import check_cryptogram
from emv.kernels.objects import pdol_data, require, response_template, take
from emv.kernels.relay import Measurement

_REQUIRED = (
    tags.TAG_9F10_ISSUER_APPLICATION_DATA,
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM,
    tags.TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION,
    tags.TAG_9F8105_EDA_MAC,
    # A record has it; without it nobody is charged.
    tags.TAG_5A_PAN,
)
_LENGTHS = {
    tags.TAG_9F8102_CARDHOLDER_VERIFICATION_DECISION: (1, 1),
    tags.TAG_9F8104_CARD_TVR: (5, 5),
    tags.TAG_9F8105_EDA_MAC: (8, 8),
    tags.TAG_9F8107_IAD_MAC_OFFSET: (1, 1),
    tags.TAG_9F8108_RESTART_INDICATOR: (1, 2),
}


def obtain_cryptogram(session: Session, measurement: Measurement | None) -> Kernel[bytes]:
    """Ask for the cryptogram; return the whole answer, its objects taken.

    Raises CardRefused, DataMissing and MalformedData.
    """
    session.terminal[tags.TAG_95_TVR] = session.tvr.encoded
    data = pdol_data(session.cdol1, session.terminal)
    session.covered += data
    if measurement is not None:
        session.covered += measurement.entropy + measurement.answer
    announces = bool(session.configuration.envelopes_to_write)
    reply = yield from exchange(generate_ac(session.decision, data, announces_writes=announces))
    if reply.status != STATUS_OK:
        raise CardRefused("GENERATE AC", reply.status)
    take(session.card, response_template(reply.data))
    for tag in _REQUIRED:
        require(session.card, tag)
    for tag, (least, most) in _LENGTHS.items():
        if tag in session.card and not least <= len(session.card[tag]) <= most:
            raise MalformedData(f"tag {tag:X} of {len(session.card[tag])} bytes")
    check_cryptogram(session.card, session.decision)
    return reply.data


def take_card_tvr(session: Session) -> None:
    """Let the card write those bits of the TVR that are not the kernel's.

    Source: Book C-8, Card TVR and Kernel Reserved TVR Mask.
    """
    if tags.TAG_9F8104_CARD_TVR not in session.card:
        return
    mask = session.configuration.reserved_tvr_mask
    told = TVR8.decode(session.card[tags.TAG_9F8104_CARD_TVR])
    session.tvr = session.tvr & mask | told.without(mask)


def kind(session: Session) -> int:
    """Return which cryptogram the card gave, as bits 8 and 7 of tag 9F27."""
    return session.card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
