"""The clear part of a key block: what the key is for, letter by letter.

Source: ANSI X9.143:2021, 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emv.errors import MalformedData

FIXED_CHARACTERS = 16
OPTIONAL_CHARACTERS_MIN = 4
"""An optional block's name and length."""
LENGTH_MAX = 9999

PADDING = "PB"
"""The optional block that fills the header up, always the last."""

_FIXED = re.compile(
    r"(?P<version>[A-Z0-9])"
    r"(?P<length>[0-9]{4})"
    r"(?P<usage>[A-Z0-9]{2})"
    r"(?P<algorithm>[A-Z0-9])"
    r"(?P<mode>[A-Z0-9])"
    r"(?P<key_version>[A-Za-z0-9]{2})"
    r"(?P<exportability>[A-Z0-9])"
    r"(?P<count>[0-9]{2})"
    r"00"
)


class KeyBlockRefused(MalformedData):
    """A key block that is damaged, forged, or for something else."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a key is for. The letters are those of the standard."""

    usage: str
    algorithm: str
    mode: str
    exportability: str = "N"
    key_version: str = "00"
    version: str = "D"
    """How the block itself is protected."""
    blocks: tuple[tuple[str, str], ...] = ()
    """Optional blocks, name and contents, without padding."""

    def optional(self, name: str) -> str | None:
        """Return an optional block's contents, such as 'KS', the key's serial number."""
        return dict(self.blocks).get(name)


def parse_header(block: str) -> tuple[Header, int]:
    """Return a block's header, and how many characters it takes.

    Raises KeyBlockRefused, naming the field.
    """
    fixed = _FIXED.match(block)
    if fixed is None or not block.isascii():
        raise KeyBlockRefused("key block: the header is not one")
    if int(fixed["length"]) != len(block):
        raise KeyBlockRefused("key block: not as long as it says")
    if fixed["exportability"] not in "ENS":
        raise KeyBlockRefused("key block: exportability is none of E, N, S")
    place = FIXED_CHARACTERS
    blocks = []
    for _ in range(int(fixed["count"])):
        name, contents, place = _parse_optional(block, place)
        blocks.append((name, contents))
    names = [name for name, _ in blocks]
    if len(set(names)) < len(names) or PADDING in names[:-1]:
        raise KeyBlockRefused("key block: an optional block stands there twice, or after padding")
    header = Header(
        usage=fixed["usage"],
        algorithm=fixed["algorithm"],
        mode=fixed["mode"],
        exportability=fixed["exportability"],
        key_version=fixed["key_version"],
        version=fixed["version"],
        blocks=tuple(item for item in blocks if item[0] != PADDING),
    )
    return header, place


def encode_header(header: Header, sealed_characters: int, block: int) -> str:
    """Return a header as it stands before so many characters of sealed key.

    block: the cipher's block; the header is filled up to whole ones.
    Raises KeyBlockRefused if the header cannot be written.
    """
    blocks = [name + _length_of(contents) + contents for name, contents in header.blocks]
    short = -(FIXED_CHARACTERS + sum(map(len, blocks))) % block
    if short:
        short += block if short < OPTIONAL_CHARACTERS_MIN else 0
        blocks.append(f"{PADDING}{short:02X}".ljust(short, "0"))
    length = FIXED_CHARACTERS + sum(map(len, blocks)) + sealed_characters
    if length > LENGTH_MAX:
        raise KeyBlockRefused(f"key block: {length} characters, at most {LENGTH_MAX}")
    text = (
        f"{header.version}{length:04}{header.usage}{header.algorithm}{header.mode}"
        f"{header.key_version}{header.exportability}{len(blocks):02}00" + "".join(blocks)
    )
    if parse_header(text + "0" * sealed_characters)[0] != header:
        raise KeyBlockRefused("key block: the header holds what no header can")
    return text


def _length_of(contents: str) -> str:
    """Return an optional block's length field, which counts all of the block."""
    short = OPTIONAL_CHARACTERS_MIN + len(contents)
    if short <= 0xFF:
        return f"{short:02X}"
    # 00, how many digits the length has, the length.
    return f"0004{short + 6:04X}"


def _parse_optional(block: str, place: int) -> tuple[str, str, int]:
    """Return name, contents and end of the optional block at a place."""
    name = block[place : place + 2]
    digits, begin = block[place + 2 : place + 4], place + OPTIONAL_CHARACTERS_MIN
    if digits == "00":
        size = _hexadecimal(block[begin : begin + 2], 2)
        digits, begin = block[begin + 2 : begin + 2 + size], begin + 2 + size
        end = place + _hexadecimal(digits, size)
    else:
        end = place + _hexadecimal(digits, 2)
    if not re.fullmatch(r"[A-Z0-9]{2}", name) or not begin <= end <= len(block):
        raise KeyBlockRefused("key block: an optional block is not one")
    contents = block[begin:end]
    if not contents.isprintable():
        raise KeyBlockRefused(f"key block: optional block {name} is not printable")
    return name, contents, end


def _hexadecimal(digits: str, count: int) -> int:
    if count == 0 or not re.fullmatch(rf"[0-9A-F]{{{count}}}", digits):
        raise KeyBlockRefused("key block: the length of an optional block is not hexadecimal")
    return int(digits, 16)
