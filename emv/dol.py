"""Data object lists: what a card asks for, and the bytes it is given.

Source: EMV 4.4 Book 3, 5.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from emv import tags, tlv
from emv.errors import MalformedData
from emv.tags import Format


@lru_cache(maxsize=256)
def parse_dol(dol: bytes) -> tuple[tuple[int, int], ...]:
    """Return the tags a list asks for, each with the length it wants.

    dol: tag-length pairs as the card sent them; a length is one byte.
    Raises MalformedData, with the offset, if the list ends inside a pair.
    """
    pairs = []
    position = 0
    while position < len(dol):
        tag, length_at = read_tag(dol, position)
        if length_at == len(dol):
            raise MalformedData(f"DOL: tag {tag:02X} at offset {position} has no length")
        pairs.append((tag, dol[length_at]))
        position = length_at + 1
    return tuple(pairs)


def parse_tag_list(tag_list: bytes) -> tuple[int, ...]:
    """Return the tags of a list that has no lengths, such as 9F4A.

    Raises MalformedData, with the offset, if the list ends inside a tag.
    """
    found = []
    position = 0
    while position < len(tag_list):
        tag, position = read_tag(tag_list, position)
        found.append(tag)
    return tuple(found)


def read_tag(data: bytes, offset: int) -> tuple[int, int]:
    """Return the tag at an offset, and the offset after it.

    Raises MalformedData if it is cut short or longer than a tag can be.
    """
    tag = data[offset]
    position = offset + 1
    more = tag & 0x1F == 0x1F
    while more:
        if position == len(data):
            raise MalformedData(f"tag {tag:02X} at offset {offset} is cut short")
        if position - offset == tlv.TAG_BYTES_MAX:
            raise MalformedData(f"tag {tag:02X} at offset {offset} is too long")
        more = data[position] >= 0x80
        tag = tag << 8 | data[position]
        position += 1
    return tag, position


def fill_dol(dol: bytes, values: Mapping[int, bytes]) -> bytes:
    """Build the bytes a card asked for in a data object list.

    dol: tag-length pairs as the card sent them.
    values: tag number to value, encoded as the data dictionary says.
    Returns the values joined, each exactly as long as asked: numbers keep
    their right end and are padded on the left with zeros; compressed
    numbers keep their left end and are padded on the right with F;
    everything else keeps its left end and is padded on the right with
    zeros. Absent tags and templates become zeros.
    Raises MalformedData if the list ends inside a pair.

    Source: EMV 4.4 Book 3, 5.4.
    """
    return b"".join(fit(tag, values.get(tag, b""), length) for tag, length in parse_dol(dol))


def split_filled(dol: bytes, data: bytes) -> tuple[tlv.Node, ...]:
    """Return the values that were built for a list, each with its tag and offset.

    data: may go on behind the list; that is not returned.
    Raises MalformedData if the list is broken, or asks for more than there is.
    """
    nodes, at = [], 0
    for tag, length in parse_dol(dol):
        if at + length > len(data):
            raise MalformedData(
                f"DOL asks for {length} bytes of {tag:02X} at offset {at} of {len(data)}"
            )
        nodes.append(tlv.Node(tag, data[at : at + length], None, at))
        at += length
    return tuple(nodes)


def fit(tag: int, value: bytes, length: int) -> bytes:
    """Return the value of a tag cut or padded to a length, as its format says."""
    if not value or is_template(tag):
        # Zeros also where F is the padding: an absent object is no number.
        return bytes(length)
    if len(value) == length:
        return value
    reading = tags.meaning(tag)
    format = reading.format if reading else Format.B
    if format is Format.N:
        return value[-length:].rjust(length, b"\x00") if length else b""
    padding = b"\xff" if format is Format.CN else b"\x00"
    return value[:length].ljust(length, padding)


def is_template(tag: int) -> bool:
    """Return whether an object with this tag is constructed."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & 0x20)
