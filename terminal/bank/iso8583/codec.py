"""Messages to bytes and back, with the message code in their last field.

Source: ISO 8583:1987, 4; the code's range, from the message type to the field
before it, Q/CUP 009 and ANSI X9.19.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import iso8583

from emv.keys import mac
from terminal.bank.iso8583.fields import (
    FIELDS,
    MAC,
    MAC_2,
    Encoding,
    Kind,
    Specification,
    specification,
)
from terminal.errors import MalformedMessage, UntrustedAnswer

CODE_BYTES = 8
SECOND_BITMAP_FROM = 65

_SHAPES = {
    Kind.DIGITS: re.compile(r"[0-9]*"),
    # Hosts put data objects into text fields of their own.
    Kind.TEXT: re.compile(r"[\x00-\x7F]*"),
    Kind.TRACK: re.compile(r"[0-9]+D[0-9]+"),
    Kind.BINARY: re.compile(r"([0-9A-F]{2})*"),
}


class MessageCode(enum.Enum):
    """Which code a host wants over each message."""

    RETAIL = "retail"
    """ISO/IEC 9797-1, algorithm 3."""
    XOR_BLOCK = "xor-block"
    """UnionPay's, eight letters."""

    @property
    def make(self) -> Callable[[bytes, bytes], bytes]:
        """Return what makes 8 bytes of code from a key and data."""
        return mac.retail_mac if self is MessageCode.RETAIL else mac.xor_block_mac


@dataclass(frozen=True, slots=True)
class Message:
    """A message type and its fields. Its repr shows no field's contents."""

    type: str
    fields: Mapping[int, str] = field(repr=False)

    def get(self, number: int) -> str:
        """Return a field's text, '' if it is not there."""
        return self.fields.get(number, "")


class Codec:
    """Writes and reads messages of one host."""

    def __init__(self, encoding: Encoding, code: MessageCode) -> None:
        self._specification: Specification = specification(encoding)
        self._encoding = encoding
        self._make_code = code.make

    def encode(self, message: Message, key: bytes | None = None) -> bytes:
        """Return a message's bytes; with a key, its code is the last field.

        Raises MalformedMessage, naming the field, if it cannot be written.
        """
        fields = dict(message.fields)
        for number, text in fields.items():
            _check(number, text)
        if key is None:
            return self._write(message.type, fields)
        fields[MAC_2 if max(fields) >= SECOND_BITMAP_FROM else MAC] = "00" * CODE_BYTES
        covered = self._write(message.type, fields)[:-CODE_BYTES]
        return covered + self._make_code(key, covered)

    def decode(self, data: bytes, key: bytes | None = None) -> Message:
        """Return the message in some bytes, its code checked if there is a key.

        Raises MalformedMessage if they are none, UntrustedAnswer if the code is
        missing or wrong.
        """
        message = self._read(data)
        if key is not None:
            last = max(message.fields)
            if last not in (MAC, MAC_2):
                raise UntrustedAnswer("the bank's message has no code")
            if not mac.is_same(self._make_code(key, data[:-CODE_BYTES]), data[-CODE_BYTES:]):
                raise UntrustedAnswer("the bank's message has a wrong code")
        return message

    def _write(self, kind: str, fields: Mapping[int, str]) -> bytes:
        texts = {str(number): self._outward(number, text) for number, text in fields.items()}
        try:
            written, _ = iso8583.encode({"t": kind, **texts}, self._specification)
        except iso8583.EncodeError as error:
            raise MalformedMessage(
                f"message {kind}: field {error.field} cannot be written"
            ) from None
        return bytes(written)

    def _read(self, data: bytes) -> Message:
        try:
            found, _ = iso8583.decode(data, self._specification)
        except iso8583.DecodeError as error:
            # Its text quotes what it could not read.
            raise MalformedMessage(
                f"message of the bank: field {error.field} is no field"
            ) from None
        except KeyError:
            # A third bitmap, which the library reads and 1987 does not have.
            raise MalformedMessage("message of the bank: a field above 128") from None
        fields = {
            int(name): self._inward(int(name), text)
            for name, text in found.items()
            if name.isdigit() and name != "1"
        }
        for number, text in fields.items():
            _check(number, text)
        if not re.fullmatch(r"[0-9]{4}", found["t"]):
            raise MalformedMessage("message of the bank: its type is not four digits")
        return Message(found["t"], fields)

    def _outward(self, number: int, text: str) -> str:
        is_track = FIELDS[number].kind is Kind.TRACK
        return text.replace("D", "=") if is_track and self._encoding is Encoding.ASCII else text

    def _inward(self, number: int, text: str) -> str:
        kind = FIELDS[number].kind if number in FIELDS else Kind.TEXT
        if kind is Kind.TRACK:
            return text.replace("=", "D").upper()
        return text.upper() if kind is Kind.BINARY else text


def _check(number: int, text: str) -> None:
    """Raise MalformedMessage for a field that is not in the table or holds something else."""
    known = FIELDS.get(number)
    if known is None:
        raise MalformedMessage(f"field {number} is not one of this dialect")
    if not _SHAPES[known.kind].fullmatch(text):
        raise MalformedMessage(f"field {number} holds something else than {known.kind.value}")
    size = len(text) // 2 if known.kind is Kind.BINARY else len(text)
    if size > known.length or (not known.length_digits and size != known.length):
        raise MalformedMessage(f"field {number} has the wrong length")
