"""Data storage objects and the offline balance: GET DATA and PUT DATA.

Standalone data storage, which proves nothing; integrated has the other kind.

Source: EMV Contactless Book C-2, 3.6 and 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping

from emv import tags, tlv
from emv.apdu import STATUS_OK, get_data, put_data
from emv.conversation import Kernel, exchange, note
from emv.errors import MalformedData
from emv.kernels.c2.session import BALANCE_READING, Session

BALANCE_BYTES = 6
COMPLETED = b"\x80"
NOT_COMPLETED = b"\x00"


def read_data(session: Session) -> Kernel[None]:
    """Read the objects the shop wants; what the card lacks stays away.

    Source: Book C-2, Tags To Read.
    """
    for tag in session.configuration.tags_to_read:
        value = yield from _get(tag)
        if value is not None:
            session.discretionary[tag] = value


def write_data(session: Session, objects: Mapping[int, bytes], status_tag: int) -> Kernel[None]:
    """Write objects until one is refused, and note whether all are written.

    status_tag: where the result goes, DF810F or DF810E.

    Source: Book C-2, Tags To Write.
    """
    if not objects:
        return
    session.discretionary[status_tag] = NOT_COMPLETED
    for tag, value in objects.items():
        reply = yield from exchange(put_data(tag, value))
        if reply.status != STATUS_OK:
            yield from note(
                "PUT DATA {tag} answered {status}",
                "Book C-2, 3.7",
                tag=f"{tag:X}",
                status=f"{reply.status:04X}",
            )
            return
    session.discretionary[status_tag] = COMPLETED


def read_balance(session: Session, balance_tag: int) -> Kernel[None]:
    """Read the offline balance of a card that tells it, into DF8104 or DF8105."""
    if not session.capabilities[1] & BALANCE_READING:
        return
    value = yield from _get(tags.TAG_9F50_OFFLINE_ACCUMULATOR_BALANCE)
    if value is not None and len(value) == BALANCE_BYTES and value.hex().isdecimal():
        session.discretionary[balance_tag] = value


def _get(tag: int) -> Kernel[bytes | None]:
    """Return one object's value; None if the card does not give it."""
    reply = yield from exchange(get_data(tag))
    if reply.status != STATUS_OK:
        return None
    try:
        return tlv.find(tlv.decode(reply.data), tag)
    except MalformedData:
        yield from note(
            "GET DATA {tag} answered what cannot be read", "Book C-2, 3.6", tag=f"{tag:X}"
        )
        return None
