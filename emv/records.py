"""Reads the records that a card lists in its file locator.

What the records mean is the kernel's matter; what of them is signed is
gathered here, because only the locator knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emv import tlv
from emv.apdu import STATUS_OK, read_record
from emv.conversation import Kernel, exchange
from emv.errors import CardRefused, MalformedData

RECORDS_MAX = 64
"""More than any card has; a hostile locator could name sixteen thousand."""

TEMPLATE_70_RECORD = 0x70
SFI_PAYMENT_MAX = 10
"""Files 1 to 10 follow the EMV record coding. Source: EMV 4.4 Book 1, 10.2."""


@dataclass(frozen=True, slots=True)
class File:
    """One entry of a file locator: which records of a file, how many signed."""

    sfi: int
    first: int
    last: int
    signed: int
    """How many records, from the first on, take part in data authentication."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the card sent it, template and all."""

    sfi: int
    number: int
    data: bytes = field(repr=False)
    is_signed: bool


def parse_afl(afl: bytes) -> tuple[File, ...]:
    """Split an Application File Locator into its files.

    afl: value of tag 94; 4 bytes per file.
    Raises MalformedData on a wrong length, a file outside 1 to 30, a first
    record of 0 or beyond the last, or more signed records than records.

    Source: EMV 4.4 Book 3, 10.2.
    """
    if not afl or len(afl) % 4:
        raise MalformedData(f"file locator of {len(afl)} bytes")
    files = []
    for at in range(0, len(afl), 4):
        sfi, first, last, signed = afl[at] >> 3, *afl[at + 1 : at + 4]
        if afl[at] & 0x07 or not 1 <= sfi <= 30:
            raise MalformedData(f"file locator names no file at byte {at}")
        if not 1 <= first <= last:
            raise MalformedData(f"file locator names no record of file {sfi}")
        if signed > last - first + 1:
            raise MalformedData(f"file locator signs more records than file {sfi} has")
        files.append(File(sfi, first, last, signed))
    if sum(file.last - file.first + 1 for file in files) > RECORDS_MAX:
        raise MalformedData(f"file locator names more than {RECORDS_MAX} records")
    return tuple(files)


def read_application_data(afl: bytes) -> Kernel[tuple[Record, ...]]:
    """Read every record the card lists in its file locator.

    afl: Application File Locator, tag 94; 4 bytes per file.
    Returns the records in reading order.
    Raises CardRefused if any record is missing, MalformedData as parse_afl.

    Source: EMV 4.4 Book 3, 10.2.
    """
    records = []
    for file in parse_afl(afl):
        for number in range(file.first, file.last + 1):
            reply = yield from exchange(read_record(file.sfi, number))
            if reply.status != STATUS_OK:
                raise CardRefused("READ RECORD", reply.status)
            is_signed = number < file.first + file.signed
            records.append(Record(file.sfi, number, reply.data, is_signed))
    return tuple(records)


def data_objects(record: Record) -> tuple[tlv.Node, ...]:
    """Return the data objects inside a record's template.

    Records of files 11 to 30 may be proprietary: without the template they
    hold nothing for us.
    Raises MalformedData if a record of files 1 to 10 is not one '70'.
    """
    if record.sfi > SFI_PAYMENT_MAX and record.data[:1] != b"\x70":
        return ()
    nodes = tlv.decode(record.data)
    if len(nodes) != 1 or nodes[0].tag != TEMPLATE_70_RECORD:
        raise MalformedData(f"record {record.number} of file {record.sfi} is not one template 70")
    return nodes[0].children or ()


def signed_static_data(records: Sequence[Record], tag_list: bytes | None, aip: bytes) -> bytes:
    """Join what the issuer signed: the marked records, then the AIP if listed.

    tag_list: value of tag 9F4A; None if the card has none.
    aip: value of tag 82.
    Of files 1 to 10 the template's value counts, of the others the whole
    record.
    Raises MalformedData if the tag list is there and not exactly '82'.

    Source: EMV 4.4 Book 3, 10.3.
    """
    joined = bytearray()
    for record in records:
        if not record.is_signed:
            continue
        if record.sfi > SFI_PAYMENT_MAX:
            joined += record.data
            continue
        nodes = tlv.decode(record.data)
        if len(nodes) != 1 or nodes[0].tag != TEMPLATE_70_RECORD:
            raise MalformedData(f"signed record {record.number} of file {record.sfi} has no 70")
        joined += nodes[0].value
    if tag_list is not None:
        if tag_list != b"\x82":
            raise MalformedData("tag 9F4A lists something other than the AIP")
        joined += aip
    return bytes(joined)
