"""The records, and what must be in them before a cryptogram is asked for."""

from __future__ import annotations

from emv import tags
from emv.apdu import STATUS_OK, read_record
from emv.bits import AIP, TVR
from emv.conversation import Kernel, exchange, note
from emv.errors import CardRefused, MalformedData
from emv.kernels.c2.configuration import CDA
from emv.kernels.c2.session import Session
from emv.kernels.evidence import find_missing_evidence
from emv.kernels.objects import require, take
from emv.records import Record, data_objects, parse_afl

# Enough for a cryptogram without a signature. Source: Book C-2, "No CDA
# Optimisation". unsettled: the list differs between versions; these are
# what the kernel itself goes on to use.
_ENOUGH = frozenset(
    {
        tags.TAG_57_TRACK_2_EQUIVALENT_DATA,
        tags.TAG_5A_PAN,
        tags.TAG_5F24_EXPIRATION_DATE,
        tags.TAG_5F28_ISSUER_COUNTRY_CODE,
        tags.TAG_5F34_PAN_SEQUENCE_NUMBER,
        tags.TAG_8C_CDOL1,
        tags.TAG_8E_CVM_LIST,
        tags.TAG_9F07_APPLICATION_USAGE_CONTROL,
        tags.TAG_9F0D_IAC_DEFAULT,
        tags.TAG_9F0E_IAC_DENIAL,
        tags.TAG_9F0F_IAC_ONLINE,
    }
)

# Lengths that a decision relies on. Source: Book C-2, Annex A.
_LENGTHS = {
    tags.TAG_57_TRACK_2_EQUIVALENT_DATA: (1, 19),
    tags.TAG_5A_PAN: (1, 10),
    tags.TAG_5F24_EXPIRATION_DATE: (3, 3),
    tags.TAG_5F25_EFFECTIVE_DATE: (3, 3),
    tags.TAG_5F28_ISSUER_COUNTRY_CODE: (2, 2),
    tags.TAG_5F34_PAN_SEQUENCE_NUMBER: (1, 1),
    tags.TAG_8F_CA_PUBLIC_KEY_INDEX: (1, 1),
    tags.TAG_9F07_APPLICATION_USAGE_CONTROL: (2, 2),
    tags.TAG_9F08_APPLICATION_VERSION_CARD: (2, 2),
    tags.TAG_9F0D_IAC_DEFAULT: (5, 5),
    tags.TAG_9F0E_IAC_DENIAL: (5, 5),
    tags.TAG_9F0F_IAC_ONLINE: (5, 5),
    tags.TAG_9F42_APPLICATION_CURRENCY_CODE: (2, 2),
}


def signs(session: Session) -> bool:
    """True if card and reader share combined signatures."""
    return bool(session.configuration.security_capability & CDA) and AIP.CDA in session.aip


def read_records(session: Session) -> Kernel[None]:
    """Read what the locator lists; without a signature, as much as is of use.

    Raises CardRefused if a record is missing, MalformedData if one is bad.

    Source: Book C-2, states 4 to 6.
    """
    may_stop = not signs(session) and not session.configuration.reads_all_records
    if not signs(session):
        session.tvr |= TVR.ODA_NOT_PERFORMED
    records: list[Record] = []
    for file in parse_afl(require(session.card, tags.TAG_94_AFL)):
        for number in range(file.first, file.last + 1):
            if may_stop and session.card.keys() >= _ENOUGH:
                yield from note("the rest of the records is of no use", "Book C-2, No CDA")
                return
            reply = yield from exchange(read_record(file.sfi, number))
            if reply.status != STATUS_OK:
                raise CardRefused("READ RECORD", reply.status)
            is_signed = number < file.first + file.signed
            records.append(Record(file.sfi, number, reply.data, is_signed))
            take(session.card, data_objects(records[-1]))
    session.records = tuple(records)


def check_card_data(session: Session) -> None:
    """Raise DataMissing or MalformedData unless all is there to go on.

    Source: Book C-2, state 4-5-6.
    """
    for tag in (tags.TAG_5F24_EXPIRATION_DATE, tags.TAG_5A_PAN, tags.TAG_8C_CDOL1):
        require(session.card, tag)
    for tag, (least, most) in _LENGTHS.items():
        if tag in session.card and not least <= len(session.card[tag]) <= most:
            raise MalformedData(f"tag {tag:X} of {len(session.card[tag])} bytes")


def check_signature_data(session: Session) -> Kernel[None]:
    """See whether a combined signature could be verified; if not, mark it failed now.

    Raises MalformedData for a static data tag list that is not the AIP alone.

    Source: Book C-2, state 4-5-6.
    """
    if not signs(session):
        return
    session.tvr |= yield from find_missing_evidence(session.evidence)
