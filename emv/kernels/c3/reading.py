"""5.3 and 5.4: the records, whether all is there, and what the card decided."""

from __future__ import annotations

from collections.abc import Mapping

from emv import bits, tags
from emv.bits import CTQ, TTQ
from emv.conversation import Kernel, note
from emv.errors import MalformedData
from emv.kernels.c3.session import Session
from emv.kernels.objects import take
from emv.outcome import Reason
from emv.records import data_objects, read_application_data
from emv.restrictions import read_date


def read_records(session: Session) -> Kernel[None]:
    """Read what the card lists, if it lists anything.

    Raises CardRefused if a record is missing, MalformedData if one is bad.

    Source: Book C-3, 5.3.
    """
    afl = session.card.get(tags.TAG_94_AFL, b"")
    if not afl:
        return
    session.records = yield from read_application_data(afl)
    for record in session.records:
        take(session.card, data_objects(record))


MANDATORY = (
    tags.TAG_82_AIP,
    tags.TAG_9F36_ATC,
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM,
    tags.TAG_9F10_ISSUER_APPLICATION_DATA,
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
)

# Lengths that a decision or the bank relies on. Source: Book C-3, Annex A.2.
LENGTHS: Mapping[int, tuple[int, int]] = {
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA: (1, 19),
    tags.TAG_5A_PAN: (1, 10),
    tags.TAG_5F24_EXPIRATION_DATE: (3, 3),
    tags.TAG_5F28_ISSUER_COUNTRY_CODE: (2, 2),
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER: (1, 1),
    tags.TAG_82_AIP: (2, 2),
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX: (1, 1),
    tags.TAG_9F07_APPLICATION_USAGE_CONTROL: (2, 2),
    tags.TAG_9F10_ISSUER_APPLICATION_DATA: (1, 32),
    tags.TAG_9F26_APPLICATION_CRYPTOGRAM: (8, 8),
    tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA: (1, 1),
    tags.TAG_9F36_ATC: (2, 2),
    tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT: (6, 6),
    tags.TAG_9F69_CARD_AUTHENTICATION_RELATED_DATA: (5, 16),
    tags.TAG_9F6C_CTQ: (2, 2),
    tags.TAG_9F6E_FORM_FACTOR_INDICATOR: (4, 32),
    tags.TAG_9F7C_CUSTOMER_EXCLUSIVE_DATA: (0, 32),
}


def check_card_data(session: Session) -> int | None:
    """Return the mandatory tag that is missing, or None.

    Raises MalformedData for a wrong length, a track or date that is none,
    or a PAN that differs from the track's.

    Source: Book C-3, 5.4.2 and Annex A.2.
    """
    card = session.card
    if tags.TAG_84_DF_NAME not in session.fci:
        return tags.TAG_84_DF_NAME
    for tag in MANDATORY:
        if tag not in card:
            return tag
    for tag, (least, most) in LENGTHS.items():
        if tag in card and not least <= len(card[tag]) <= most:
            raise MalformedData(f"tag {tag:X} of {len(card[tag])} bytes")
    pan = session.pan
    stated = card.get(tags.TAG_5A_PAN)
    if stated is not None and stated.hex().upper().rstrip("F") != pan:
        raise MalformedData("tag 5A is not the PAN of tag 57")
    if tags.TAG_5F24_EXPIRATION_DATE in card:
        read_date(card[tags.TAG_5F24_EXPIRATION_DATE], is_end=True)
    offline_amount = card.get(tags.TAG_9F5D_AVAILABLE_OFFLINE_SPENDING_AMOUNT, b"")
    if offline_amount and not offline_amount.hex().isdecimal():
        raise MalformedData("tag 9F5D is no amount")
    if tags.TAG_9F6C_CTQ in card:
        session.ctq = CTQ.decode(card[tags.TAG_9F6C_CTQ])
    return None


def determine_cryptogram(session: Session) -> Kernel[None]:
    """Find what the card decided, and what follows from it.

    Raises MalformedData if the card does not say.

    Source: Book C-3, 5.4.3.
    """
    card = session.card
    if tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA not in card:
        # 5.4.3.1: bits 6-5 of IAD byte 5, which in every Visa format lie in
        # the card verification results, become bits 8-7 of the CID.
        application_data = card[tags.TAG_9F10_ISSUER_APPLICATION_DATA]
        if len(application_data) < 5:
            raise MalformedData("neither tag 9F27 nor byte 5 of tag 9F10")
        card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA] = bytes(
            (application_data[4] << 2 & bits.CID_TYPE_MASK,)
        )
    session.cryptogram = card[tags.TAG_9F27_CRYPTOGRAM_INFORMATION_DATA][0] & bits.CID_TYPE_MASK
    source = session.cite("5.4.3.2")
    if session.cryptogram == bits.CID_ARQC:
        session.must_go_online = True
        yield from note("card asks for the issuer (ARQC)", source)
    elif session.cryptogram == bits.CID_TC:
        yield from note("card approves (TC)", source)
        if TTQ.ONLINE_CRYPTOGRAM_REQUIRED in session.ttq:
            # unsettled: a card must not do this. Public implementations go
            # online with the TC, so that the issuer decides.
            session.must_go_online = True
            yield from note("an online cryptogram was required: going online", source)
    else:
        session.decline = Reason.CARD_DECLINED
        yield from note("card declines (AAC)", source)
