"""The records, plain or enciphered, and the data envelopes on the card."""

from __future__ import annotations

from emv import tags, tlv
from emv.apdu import STATUS_OK, read_data, read_record, write_data
from emv.conversation import Kernel, exchange, note
from emv.errors import AuthenticationFailed, CardRefused, LinkLost, MalformedData
from emv.kernels.c8.channel import SecureChannel
from emv.kernels.c8.session import SOURCE, Session
from emv.kernels.objects import require, take
from emv.records import Record, data_objects, parse_afl

TAG_DA_ENCIPHERED_RECORD = 0xDA

COMPLETED, NOT_COMPLETED = b"\x80", b"\x00"


def read_records(session: Session, channel: SecureChannel) -> Kernel[None]:
    """Read what the locator lists.

    Raises CardRefused if a record is missing, MalformedData if one is bad.

    Source: Book C-8, state 22.
    """
    records: list[Record] = []
    for file in parse_afl(require(session.card, tags.TAG_94_AFL)):
        for number in range(file.first, file.last + 1):
            reply = yield from exchange(read_record(file.sfi, number))
            if reply.status != STATUS_OK:
                raise CardRefused("READ RECORD", reply.status)
            is_signed = number < file.first + file.signed
            plain = _deciphered(reply.data, channel)
            records.append(Record(file.sfi, number, plain, is_signed))
            take(session.card, data_objects(records[-1]))
    session.records = tuple(records)


def _deciphered(data: bytes, channel: SecureChannel) -> bytes:
    """Return a record as one template 70."""
    nodes = tlv.decode(data)
    if [node.tag for node in nodes] == [tags.TAG_70_RECORD_TEMPLATE]:
        return data
    if [node.tag for node in nodes] != [TAG_DA_ENCIPHERED_RECORD]:
        raise MalformedData("a record is neither template 70 nor object DA")
    return tlv.encode(tags.TAG_70_RECORD_TEMPLATE, channel.open_record(nodes[0].value))


def read_envelopes(session: Session, channel: SecureChannel) -> Kernel[None]:
    """Read the data envelopes the shop wants, and note whether all were had.

    What a card does not give, or what was changed on the way, stays away.

    Source: Book C-8, READ DATA.
    """
    status = COMPLETED
    for tag in session.configuration.tags_to_read:
        reply = yield from exchange(read_data(tag))
        try:
            if reply.status != STATUS_OK:
                raise CardRefused("READ DATA", reply.status)
            nodes = tlv.decode(channel.open_data(reply.data))
            if [node.tag for node in nodes] != [tag]:
                raise MalformedData("READ DATA: another object came")
            take(session.card, nodes)
        except (CardRefused, AuthenticationFailed, MalformedData) as error:
            yield from note(
                "{tag} not read: {error}", f"{SOURCE}, READ DATA", tag=f"{tag:X}", error=str(error)
            )
            status = NOT_COMPLETED
        else:
            session.discretionary[tag] = nodes[0].value
    session.terminal[tags.TAG_9F821C_READ_DATA_STATUS] = status


def write_envelopes(session: Session, channel: SecureChannel) -> Kernel[None]:
    """Write the shop's data envelopes until one is refused, and note whether all are written.

    The cryptogram is here: nothing that goes wrong now is worth losing it.

    Source: Book C-8, WRITE DATA.
    """
    envelopes = list(session.configuration.envelopes_to_write.items())
    if not envelopes:
        return
    session.discretionary[tags.TAG_9F821B_WRITE_DATA_STATUS] = NOT_COMPLETED
    for left, (tag, value) in zip(range(len(envelopes) - 1, -1, -1), envelopes, strict=True):
        plain = tlv.encode(tag, value)
        try:
            reply = yield from exchange(write_data(channel.encipher(plain), is_last=not left))
            if reply.status != STATUS_OK:
                raise CardRefused("WRITE DATA", reply.status)
            channel.check_written(plain, reply.data)
        except (CardRefused, AuthenticationFailed, MalformedData, LinkLost) as error:
            yield from note(
                "{tag} not written: {error}",
                f"{SOURCE}, WRITE DATA",
                tag=f"{tag:X}",
                error=str(error),
            )
            return
    session.discretionary[tags.TAG_9F821B_WRITE_DATA_STATUS] = COMPLETED
