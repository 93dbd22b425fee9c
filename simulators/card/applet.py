"""What every application of a simulated card has in common."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Protocol

from emv import apdu, tags, tlv
from emv.apdu import CommandAPDU
from emv.dol import parse_dol
from emv.errors import MalformedData
from simulators.card.profile import ApplicationProfile

LANGUAGES = b"enzh"

CLA_SECURE = 0x84
INS_APPLICATION_UNBLOCK = 0x18
INS_APPLICATION_BLOCK = 0x1E

STATUS_NOT_VERIFIED = 0x6300
STATUS_SECURITY_NOT_SATISFIED = 0x6982
STATUS_SECURE_MESSAGING_WRONG = 0x6988
STATUS_WRONG_DATA = 0x6A80
STATUS_WRONG_PARAMETERS = 0x6A86
STATUS_INSTRUCTION_UNKNOWN = 0x6D00
STATUS_CLASS_UNKNOWN = 0x6E00


class Refused(Exception):
    """A command that is answered with a status word alone."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


class Withheld(Exception):
    """The command was carried out, and the card left before its answer arrived."""


class Issued(Protocol):
    """An application as its issuer made it: what selection needs of it."""

    @property
    def aid(self) -> bytes:
        """Its whole name."""

    @property
    def application(self) -> ApplicationProfile:
        """What the directory says of it."""


Handlers = Mapping[int, tuple[int, Callable[[CommandAPDU], bytes]]]
"""By instruction: its class, and what answers it."""


def handled(command: CommandAPDU, handlers: Handlers) -> bytes:
    """Return what a command is answered. Raises Refused for one that nothing answers."""
    if command.ins not in handlers:
        raise Refused(STATUS_INSTRUCTION_UNKNOWN)
    cla, handler = handlers[command.ins]
    if command.cla != cla:
        raise Refused(STATUS_CLASS_UNKNOWN)
    return handler(command)


class Applet(Protocol):
    """One application: selected, it answers commands until another is."""

    @property
    def card(self) -> Issued:
        """What the issuer made."""

    def select(self) -> bytes:
        """Begin anew, and return the file control information."""

    def answer(self, command: CommandAPDU) -> bytes:
        """Return the data of a good answer. Raises Refused, Withheld or KeysUnusable."""

    def delay_us(self) -> int:
        """Return how long the last command took to work out, in microseconds."""


def file_control(name: bytes, proprietary: bytes) -> bytes:
    """Return file control information. Source: EMV 4.4 Book 1, 11.3.4."""
    return template(
        tags.TAG_6F_FCI_TEMPLATE,
        (tags.TAG_84_DF_NAME, name),
        (tags.TAG_A5_FCI_PROPRIETARY_TEMPLATE, proprietary),
    )


def application_control(card: Issued, pdol: bytes, discretionary: bytes = b"") -> bytes:
    """Return an application's file control information.

    discretionary: what of template BF0C it has, encoded.
    """
    application = card.application
    proprietary = (
        tlv.encode(tags.TAG_50_APPLICATION_LABEL, application.label.encode())
        + tlv.encode(tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, bytes((application.priority,)))
        + tlv.encode(tags.TAG_9F38_PDOL, pdol)
        + tlv.encode(tags.TAG_5F2D_LANGUAGE_PREFERENCE, LANGUAGES)
    )
    if discretionary:
        proprietary += tlv.encode(tags.TAG_BF0C_FCI_ISSUER_DISCRETIONARY_DATA, discretionary)
    return file_control(card.aid, proprietary)


def split(dol: bytes, data: bytes) -> dict[int, bytes]:
    """Split a reader's data as a list asked for it; raise Refused if it does not fit."""
    values, rest = {}, data
    for tag, length in parse_dol(dol):
        values[tag], rest = rest[:length], rest[length:]
        if len(values[tag]) != length:
            raise Refused(apdu.STATUS_WRONG_LENGTH)
    if rest:
        raise Refused(apdu.STATUS_WRONG_LENGTH)
    return values


def command_template(data: bytes) -> bytes:
    """Return what stands in template 83 of GET PROCESSING OPTIONS, or raise Refused."""
    try:
        nodes = tlv.decode(data)
    except MalformedData as error:
        raise Refused(STATUS_WRONG_DATA) from error
    if len(nodes) != 1 or nodes[0].tag != tags.TAG_83_COMMAND_TEMPLATE:
        raise Refused(STATUS_WRONG_DATA)
    return nodes[0].value


def template(tag: int, *objects: tuple[int, bytes]) -> bytes:
    """Return a template of data objects."""
    return tlv.encode(tag, b"".join(tlv.encode(each, value) for each, value in objects))


def record_of(
    command: CommandAPDU, files: Container[int], records: Mapping[tuple[int, int], bytes]
) -> bytes:
    """Return the record that READ RECORD names, or raise Refused.

    files: those that exist, though they may be empty. records: by file and number.

    Source: EMV 4.4 Book 1, 11.2.
    """
    if command.p2 & 0x07 != 0x04:
        raise Refused(STATUS_WRONG_PARAMETERS)
    file = command.p2 >> 3
    if file not in files:
        raise Refused(apdu.STATUS_FILE_NOT_FOUND)
    if (file, command.p1) not in records:
        raise Refused(apdu.STATUS_RECORD_NOT_FOUND)
    return records[file, command.p1]
