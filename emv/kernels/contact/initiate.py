"""10.1 Initiate application processing, and 10.2 read application data."""

from __future__ import annotations

from emv import tags
from emv.apdu import (
    STATUS_CONDITIONS_NOT_SATISFIED,
    STATUS_OK,
    get_processing_options,
)
from emv.conversation import Kernel, exchange, fresh_bytes, note
from emv.errors import CardRefused, MalformedData
from emv.kernels.contact.session import Session
from emv.kernels.objects import pdol_data, require, response_objects, take
from emv.records import data_objects, read_application_data
from emv.restrictions import read_date

MANDATORY = (
    tags.TAG_5F24_EXPIRATION_DATE,
    tags.TAG_5A_PAN,
    tags.TAG_8C_CDOL1,
    tags.TAG_8D_CDOL2,
)
"""Without these no payment can be made. Source: EMV 4.4 Book 3, Table 33."""

DECIDING = (
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
    tags.TAG_5A_PAN,
    tags.TAG_5F24_EXPIRATION_DATE,
    tags.TAG_5F25_EFFECTIVE_DATE,
    tags.TAG_5F28_ISSUER_COUNTRY_CODE,
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER,
    tags.TAG_82_AIP,
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX,
    tags.TAG_9F07_APPLICATION_USAGE_CONTROL,
    tags.TAG_9F0D_IAC_DEFAULT,
    tags.TAG_9F0E_IAC_DENIAL,
    tags.TAG_9F0F_IAC_ONLINE,
    tags.TAG_9F14_LOWER_CONSECUTIVE_OFFLINE_LIMIT,
    tags.TAG_9F23_UPPER_CONSECUTIVE_OFFLINE_LIMIT,
    tags.TAG_9F42_APPLICATION_CURRENCY_CODE,
)
"""Objects whose length a decision or the bank relies on."""


def initiate_application(session: Session) -> Kernel[bool]:
    """Send GET PROCESSING OPTIONS; False if the card wants another application.

    Raises CardRefused for any other refusal, MalformedData if the PDOL or
    the response cannot be read, DataMissing without tag 82 or 94.

    Source: EMV 4.4 Book 3, 10.1.
    """
    session.terminal[tags.TAG_9F37_UNPREDICTABLE_NUMBER] = yield from fresh_bytes(4)
    pdol = session.fci.get(tags.TAG_9F38_PDOL, b"")
    session.pdol_data = pdol_data(pdol, session.values())
    reply = yield from exchange(get_processing_options(session.pdol_data))
    if reply.status == STATUS_CONDITIONS_NOT_SATISFIED:
        yield from note("the card does not allow this application here", "Book 3, 10.1")
        return False
    if reply.status != STATUS_OK:
        raise CardRefused("GET PROCESSING OPTIONS", reply.status)
    take(session.card, response_objects(reply.data))
    for tag in (tags.TAG_82_AIP, tags.TAG_94_AFL):
        require(session.card, tag)
    return True


def read_records(session: Session) -> Kernel[None]:
    """Read every record the card lists.

    Raises CardRefused if one is refused; MalformedData for one that cannot
    be read, an object that occurs twice, or one of an impossible length;
    DataMissing without a mandatory object.

    Source: EMV 4.4 Book 3, 10.2 and 7.
    """
    session.records = yield from read_application_data(session.card[tags.TAG_94_AFL])
    for record in session.records:
        take(session.card, data_objects(record))
    check_card_data(session.card)
    yield from note("records read: {count}", "Book 3, 10.2", count=len(session.records))


def check_card_data(card: dict[int, bytes]) -> None:
    """Raise DataMissing, or MalformedData, for data no payment can be made with."""
    for tag in MANDATORY:
        require(card, tag)
    for tag in DECIDING:
        meaning = tags.meaning(tag)
        if tag in card and meaning is not None and not meaning.fits(len(card[tag])):
            raise MalformedData(f"tag {tag:X} of {len(card[tag])} bytes")
    number = card[tags.TAG_5A_PAN].hex().upper().rstrip("F")
    if not number.isdecimal() or not 8 <= len(number) <= 19:
        raise MalformedData("tag 5A is no card number")
    read_date(card[tags.TAG_5F24_EXPIRATION_DATE], is_end=True)
