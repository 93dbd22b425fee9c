"""Logs of commands and answers, as card tools write them.

Known by their marks, line by line: GlobalPlatformPro, scriptor, pcscd,
opensc-tool, nfcpy, libnfc, Proxmark's APDU and trace list, and plain
lines with arrows or with hex digits alone. Blocks of ISO/IEC 14443-4 are
joined to the APDUs in them. Nothing of a log is in an error but its line.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from emv.dialogue import Exchange
from emv.errors import MalformedData

HEX_DUMP_COLUMNS = 48
"""Sixteen bytes of a dump; what stands behind them are its characters."""


class Side(enum.Enum):
    """Who speaks."""

    READER = "reader"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said, and the log's line where it begins."""

    side: Side
    data: bytes = field(repr=False)
    line: int
    is_block: bool = False
    """A block of ISO/IEC 14443-4 with its check sum, as seen on the air."""


_FAMILIES = (
    ("A>>", "A<<"),
    ("C-APDU:", "R-APDU:"),
    ("CAPDU:", "RAPDU:"),
    ("COMMAND APDU:", "RESPONSE APDU:"),
    ("COMMAND:", "RESPONSE:"),
    ("APDU:", "SW:"),
    ("SENDING:", "RECEIVED:"),
    ("C:", "R:"),
    (">", "<"),
    (">>", "<<"),
    ("=>", "<="),
    ("->", "<-"),
    ("-->", "<--"),
    (">>>", "<<<"),
    (">>>>", "<<<<"),
    ("TX:", "RX:"),
)
"""Marks of reader and card. Where a log has several, the first has the whole APDUs:
nfcpy tells of the blocks and the frames below them as well."""
_MARKED = re.compile(
    r"(?:^|[\s:\]|])([AC]?-?>{1,4}|A?<{1,4}|=>|<=|-{1,2}>|<-{1,2}|[CR]-?APDU:|(?:(?:COMMAND|RESPONSE)"
    r"(?: APDU)?|APDU|SW|SENDING|TX|RX|C|R):)(?![<>=-])",
    re.IGNORECASE,
)
_TABLE_ROW = re.compile(r"^[^|]*\|[^|]*\|\s*(Rdr|Tag|)\s*\|([^|]*)")
"""Of a trace list; a row without a source goes on with the one before."""
_RECEIVED = re.compile(r"Received \(SW1=0x([0-9A-F]{2}), SW2=0x([0-9A-F]{2})\)", re.IGNORECASE)
_LEFT_OUT = re.compile(r"\[[^\]]*\]|\([^)]*\)|\bT=[01*]", re.IGNORECASE)
_BYTES = re.compile(r"\s*((?:[0-9A-F]{2}[ \t:]*)+)(?![0-9A-Za-z])", re.IGNORECASE)
_ONLY_BYTES = re.compile(r"(?:[0-9A-F]{2}\s*)+", re.IGNORECASE)

_PN53X_WRAPS = (bytes.fromhex("D440"), bytes.fromhex("D541"))
"""InDataExchange, and its answer. Source: NXP UM0701-02, 7.3.8."""

_RATS = 0xE0
_WAKE_UPS = (0x26, 0x52)
_CHAINED = 0x10
_WITH_CID, _WITH_NAD = 0x08, 0x04
"""Bits of a block's first byte. Source: ISO/IEC 14443-4:2018, 7.1."""


def looks_like_log(text: str) -> bool:
    """True if a text is a log, and not the digits of one object."""
    lines = [line for line in text.splitlines() if line.strip()]
    return any(
        _said_in(line) or _RECEIVED.search(line) or _TABLE_ROW.search(line) for line in lines
    )


def read_log(text: str) -> list[Exchange]:
    """Return the commands of a log, each with its answer.

    Raises MalformedData, naming the line, for an answer without a command,
    or if there is no command at all.
    """
    messages = _joined_blocks(list(_messages(text)))
    if not messages:
        raise MalformedData("no command in this log: see 'till decode --help' for the formats")
    exchanges: list[Exchange] = []
    command: bytes | None = None
    for message in messages:
        if message.side is Side.READER:
            if command is not None:
                # The card never answered it.
                exchanges.append(Exchange(command, b""))
            command = message.data
        elif command is None:
            raise MalformedData(f"line {message.line}: an answer without a command before it")
        else:
            exchanges.append(Exchange(command, message.data))
            command = None
    if command is not None:
        exchanges.append(Exchange(command, b""))
    return exchanges


def _messages(text: str) -> Iterator[Message]:
    """Yield what the lines of a log say; lines that say nothing are left out."""
    lines = text.splitlines()
    if not looks_like_log(text):
        yield from _alternating(lines)
    elif any(_TABLE_ROW.search(line) for line in lines):
        yield from _in_table(lines)
    elif any(_RECEIVED.search(line) for line in lines):
        yield from _with_dumps(lines)
    else:
        yield from _marked(lines)


def _marked(lines: list[str]) -> Iterator[Message]:
    """Yield what stands behind the marks of one family, the one nearest to APDUs."""
    said = [(number, _said_in(line)) for number, line in enumerate(lines, 1)]
    speaking = [each[0] for _, each in said if each and each[1] is Side.READER]
    chosen = min(speaking, default=None)
    for number, each in said:
        if each and each[0] == chosen:
            yield Message(each[1], each[2], number)


def _in_table(lines: list[str]) -> Iterator[Message]:
    """Yield the blocks of a trace list."""
    side, data, begun = Side.READER, b"", 0
    for number, line in enumerate(lines, 1):
        row = _TABLE_ROW.search(line)
        digits = re.sub(r"[\s!]", "", _LEFT_OUT.sub(_unbracketed, row[2])) if row else ""
        if row is None or not _ONLY_BYTES.fullmatch(digits):
            continue
        if row[1] and data:
            yield Message(side, data, begun, is_block=True)
            data = b""
        if row[1]:
            side, begun = Side.READER if row[1] == "Rdr" else Side.CARD, number
        data += bytes.fromhex(digits)
    if data:
        yield Message(side, data, begun, is_block=True)


def _unbracketed(found: re.Match[str]) -> str:
    """Return the check sum that brackets mark; a number of bits in parentheses is no byte."""
    return found[0].strip("[]") if found[0].startswith("[") else ""


def _with_dumps(lines: list[str]) -> Iterator[Message]:
    """Yield commands, and the answers whose bytes follow as a dump."""
    dump: list[str] | None = None
    status, begun = "", 0
    for number, line in enumerate(lines, 1):
        said, received = _said_in(line), _RECEIVED.search(line)
        if dump is not None and (said or received or not _ONLY_BYTES.match(line)):
            yield Message(Side.CARD, _dumped(dump, status), begun)
            dump = None
        if received:
            dump, status, begun = [], received[1] + received[2], number
        elif dump is not None:
            dump.append(line[:HEX_DUMP_COLUMNS])
        elif said:
            yield Message(said[1], said[2], number)
    if dump is not None:
        yield Message(Side.CARD, _dumped(dump, status), begun)


def _dumped(lines: Iterable[str], status: str) -> bytes:
    """Return the bytes of a dump, its status word behind them."""
    found = (_ONLY_BYTES.match(line) for line in lines)
    digits = "".join(match[0] for match in found if match)
    return bytes.fromhex(digits + status)


def _said_in(line: str) -> tuple[int, Side, bytes] | None:
    """Return by which family's mark a line speaks, who, and what; None for a line without."""
    for found in _MARKED.finditer(line):
        data = _BYTES.match(_LEFT_OUT.sub(" ", line[found.end() :]))
        if data is None:
            continue
        mark = " ".join(found[1].upper().split())
        for family, sides in enumerate(_FAMILIES):
            if mark in sides:
                side = Side.READER if mark == sides[0] else Side.CARD
                said = bytes.fromhex(re.sub(r"[\s:]", "", data[1]))
                return family, side, _without_frame(said)
    return None


def _without_frame(data: bytes) -> bytes:
    """Return what a PN53x was told to send, where the log shows its frames."""
    body = data[5:-2] if data[:3] == b"\x00\x00\xff" else data
    return body[3:] if body[:2] in _PN53X_WRAPS else data


def _alternating(lines: list[str]) -> Iterator[Message]:
    """Yield lines of hex digits alone: a command, its answer, a command, its answer."""
    side = Side.READER
    for number, line in enumerate(lines, 1):
        digits = "".join(line.partition("#")[0].split())
        if not digits:
            continue
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
            raise MalformedData(f"line {number}: neither hex digits in pairs nor a known mark")
        yield Message(side, bytes.fromhex(digits), number)
        side = Side.CARD if side is Side.READER else Side.READER


# --- blocks of ISO/IEC 14443-4 ------------------------------------------------


def _joined_blocks(messages: list[Message]) -> list[Message]:
    """Return messages with the blocks among them joined to APDUs.

    A log of blocks alone, without their check sums, is known by their first bytes.
    """
    if any(message.is_block for message in messages):
        return _joined([m for m in messages if m.is_block], lambda data: data[:-2])
    commands = [message.data for message in messages if message.side is Side.READER]
    if any(data[0] == _RATS for data in commands) or (
        commands and all(_is_block(data) for data in commands)
    ):
        return _joined(messages, lambda data: data)
    return messages


def _is_block(data: bytes) -> bool:
    """True for what begins as a block does, and as no command of a payment card."""
    return data[0] & 0xE2 == 0x02 or data[0] & 0xE6 == 0xA2 or data[0] & 0xC7 == 0xC2


def _joined(messages: list[Message], strip: Callable[[bytes], bytes]) -> list[Message]:
    """Return the APDUs in the I-blocks; what the protocol says to itself is left out.

    strip: takes the check sum off.
    """
    joined: list[Message] = []
    parts: dict[Side, tuple[bytes, int]] = {}
    for message in _activated(messages):
        block = strip(message.data)
        if not block or block[0] & 0xE2 != 0x02:
            continue
        begin = 1 + bool(block[0] & _WITH_CID) + bool(block[0] & _WITH_NAD)
        data, line = parts.pop(message.side, (b"", message.line))
        data += block[begin:]
        if block[0] & _CHAINED:
            parts[message.side] = data, line
        elif len(data) >= 2:
            joined.append(Message(message.side, data, line))
    return joined


def _activated(messages: list[Message]) -> list[Message]:
    """Return what was said after the card was activated, where the log shows that.

    An identifier or an answer to select may begin as a block does.
    """
    requests = [
        place
        for place, message in enumerate(messages)
        if message.side is Side.READER and message.data[0] == _RATS
    ]
    kept, is_active = [], not requests
    for place, message in enumerate(messages):
        if place in requests:
            is_active = True
        elif message.data[0] in _WAKE_UPS and message.side is Side.READER:
            is_active = not requests
        elif is_active and (place - 1 not in requests or message.side is Side.READER):
            kept.append(message)
    return kept
