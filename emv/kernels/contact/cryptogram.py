"""10.7 and 10.8: what to ask the card for, and GENERATE AC.

The first and the second GENERATE AC are the same command with another list;
both are here.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1

from emv import bits, tags, tlv
from emv.apdu import STATUS_OK, generate_ac
from emv.bits import TSI, TVR
from emv.combined import verify_combined_data
from emv.conversation import Kernel, exchange, note
from emv.dol import fill_dol, parse_dol
from emv.errors import AuthenticationFailed, CardRefused, MalformedData
from emv.kernels.contact.session import Session
from emv.kernels.first_cryptogram import cryptogram_objects
from emv.kernels.objects import DOL_DATA_MAX, require

CDA_REQUESTED = 0x10  # Reference control parameter. Source: Book 3, Table 12.
CID_REFERRAL = 0xC0
"""AAR, a referral, until EMV 4.1; reserved since, and never an approval."""

# What a card may answer to each request: the same or less. Source: Book 3, 9.3.
_ALLOWED = {
    bits.CID_TC: {bits.CID_TC, bits.CID_ARQC, bits.CID_AAC, CID_REFERRAL},
    bits.CID_ARQC: {bits.CID_ARQC, bits.CID_AAC, CID_REFERRAL},
    bits.CID_AAC: {bits.CID_AAC, CID_REFERRAL},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the card decided."""

    kind: int
    """Cryptogram type: CID_AAC, CID_ARQC, CID_TC or CID_REFERRAL."""
    is_forged: bool = False
    """It was to be signed, and the signature does not fit."""


def generate(session: Session, requested: int, *, is_second: bool = False) -> Kernel[Answer]:
    """Have the card make its cryptogram; return what it decided.

    requested: CID_AAC, CID_ARQC or CID_TC.
    Combined authentication is asked for unless the card is to decline; if
    it fails, the TVR says so too.
    Raises CardRefused for a status word other than 9000, MalformedData for
    a response that cannot be read or grants more than was asked for.

    Source: EMV 4.4 Book 3, 6.5.5, 9.3 and 10.8.
    """
    tag = tags.TAG_8D_CDOL2 if is_second else tags.TAG_8C_CDOL1
    data = _cdol_data(session, session.card[tag])
    session.cdol_data += data
    is_signed = (
        session.icc_key is not None
        and requested != bits.CID_AAC
        and TVR.CDA_FAILED not in session.tvr
    )
    reply = yield from exchange(generate_ac(requested | CDA_REQUESTED * is_signed, data))
    if reply.status != STATUS_OK:
        raise CardRefused("GENERATE AC", reply.status)
    objects = _response_objects(reply.data)
    session.tsi |= TSI.CARD_RISK_MANAGEMENT_PERFORMED
    kind = objects[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    allowed = _ALLOWED[requested] - ({bits.CID_ARQC} if is_second else set())
    if kind not in allowed:
        raise MalformedData(f"cryptogram type {kind:02X} was answered to {requested:02X}")
    is_forged = False
    if is_signed and kind in (bits.CID_TC, bits.CID_ARQC):
        try:
            objects |= _check_signature(session, reply.data, objects)
        except AuthenticationFailed as failure:
            is_forged = True
            session.tvr |= TVR.CDA_FAILED
            yield from note("CDA failed: {failure}", "Book 2, 6.6.2", failure=str(failure))
    else:
        require(objects, tags.TAG_9F26_APPLICATION_CRYPTOGRAM)
    session.card.pop(tags.TAG_9F26_APPLICATION_CRYPTOGRAM, None)
    session.card.update(objects)
    yield from note(
        "card answered {kind} to {requested}",
        "Book 3, 10.8",
        kind=bits.CRYPTOGRAM_TYPES[kind],
        requested=bits.CRYPTOGRAM_TYPES[requested],
    )
    return Answer(kind, is_forged)


def _cdol_data(session: Session, cdol: bytes) -> bytes:
    """Return the values a CDOL asks for, the TC hash among them.

    Raises MalformedData if the list is broken or asks for too much.

    Source: EMV 4.4 Book 3, 5.4; the hash: Book 3, 9.2.2.
    """
    wanted = parse_dol(cdol)
    if sum(length for _, length in wanted) > DOL_DATA_MAX:
        raise MalformedData("CDOL asks for more than a command can carry")
    if any(tag == tags.TAG_98_TC_HASH_VALUE for tag, _ in wanted):
        tdol = session.card.get(tags.TAG_97_TDOL)
        if tdol is None:
            tdol = session.application.default_tdol
            session.tvr |= TVR.DEFAULT_TDOL_USED
        hashed = sha1(fill_dol(tdol, session.values())).digest()
        session.terminal[tags.TAG_98_TC_HASH_VALUE] = hashed
    return fill_dol(cdol, session.values())


def _response_objects(data: bytes) -> dict[int, bytes]:
    """Return the data objects of a GENERATE AC response, whichever of the formats.

    Raises MalformedData if it is neither, DataMissing if it lacks CID or ATC.

    Source: EMV 4.4 Book 3, 6.5.5.4.
    """
    found = tlv.collect(cryptogram_objects(data))
    for tag, length in (
        (tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA, 1),
        (tags.TAG_9F36_ATC, 2),
    ):
        if len(require(found, tag)) != length:
            raise MalformedData(f"tag {tag:X} of {len(found[tag])} bytes")
    cryptogram = found.get(tags.TAG_9F26_APPLICATION_CRYPTOGRAM)
    if cryptogram is not None and len(cryptogram) != 8:
        raise MalformedData(f"tag 9F26 of {len(cryptogram)} bytes")
    return found


def _check_signature(
    session: Session, response: bytes, objects: dict[int, bytes]
) -> dict[int, bytes]:
    """Return the cryptogram and dynamic number that a combined signature covers.

    Raises AuthenticationFailed, naming the check.

    Source: EMV 4.4 Book 2, 6.6.2.
    """
    if session.icc_key is None or tags.TAG_9F4B_SIGNED_DYNAMIC_APPLICATION_DATA not in objects:
        raise AuthenticationFailed("tag 9F4B is missing")
    combined = verify_combined_data(
        response,
        session.icc_key,
        session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER],
        session.pdol_data + session.cdol_data,
    )
    if combined.information_data != objects[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0]:
        raise AuthenticationFailed("the signed cryptogram information is another")
    return {
        tags.TAG_9F26_APPLICATION_CRYPTOGRAM: combined.cryptogram,
        tags.TAG_9F4C_ICC_DYNAMIC_NUMBER: combined.dynamic_number,
    }
