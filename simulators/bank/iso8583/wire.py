"""The bank's reading of ISO 8583:1987, written apart from the till's.

Both ways of writing are understood, by looking at a message's first bytes.
Source: ISO 8583:1987; Q/CUP 009 for what fills odd digits up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import iso8583

from simulators.bank.errors import BankError

TPDU = 5
MESSAGE_MAX = 4096
CODE = 8

# Number: what it holds, how long; a star after it for two digits of length,
# two stars for three. n digits, x digits filled up in front, t text, z track,
# b bytes.
TABLE = """
2 n19*    3 n6      4 n12     7 n10     11 n6     12 n6     13 n4     14 n4
15 n4     22 n3     23 x3     24 x3     25 n2     32 n11*   35 z37*   37 t12
38 t6     39 t2     41 t8     42 t15    44 t25*   48 n999** 49 t3     52 b8
53 n16    54 t240** 55 b255** 60 n19**  61 n29**  62 t999** 63 t163** 64 b8
70 x3     90 n42    128 b8
"""


class NotAMessage(BankError):
    """Bytes that no till of this dialect sends; nothing can be answered."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, and what is needed to answer it."""

    route: bytes
    """What stood before it."""
    is_ascii: bool
    kind: str
    fields: dict[int, str] = field(repr=False)
    covered: bytes = field(repr=False)
    """What its code is made over."""
    code: bytes = field(repr=False)
    """Its last field; b'' if that is no code."""

    def __getitem__(self, number: int) -> str:
        return self.fields.get(number, "")


def hear(routed: bytes) -> Heard:
    """Return the message in what came after a length. Raises NotAMessage."""
    route, message = routed[:TPDU], routed[TPDU:]
    is_ascii = message[:4].isdigit() and len(message) > 4
    try:
        found, _ = iso8583.decode(message, _TABLES[is_ascii])
    except iso8583.DecodeError as error:
        raise NotAMessage(f"field {error.field} cannot be read") from None
    except KeyError:
        # A third bitmap, or what looks like one.
        raise NotAMessage("a field above 128") from None
    fields = {int(name): text for name, text in found.items() if name.isdigit() and name != "1"}
    if not fields or min(fields) < 2 or set(fields) - set(_SHAPES):
        raise NotAMessage("a field that this dialect does not have")
    for number, text in fields.items():
        if _SHAPES[number] in "nx" and not text.isdecimal():
            raise NotAMessage(f"field {number} is not decimal")
    has_code = max(fields) in (64, 128)
    return Heard(
        route=route,
        is_ascii=is_ascii,
        kind=found["t"],
        fields=fields,
        covered=message[:-CODE] if has_code else message,
        code=message[-CODE:] if has_code else b"",
    )


def say(heard: Heard, fields: dict[int, str]) -> tuple[bytes, bytes]:
    """Return what stands before an answer, and the answer without its code.

    fields: with field 64 or 128 where a code will follow.
    """
    kind = f"{heard.kind[:2]}{int(heard.kind[2]) + 1}0"
    texts = {str(number): text for number, text in fields.items()}
    message, _ = iso8583.encode({"t": kind, **texts}, _TABLES[heard.is_ascii])
    back = heard.route[:1] + heard.route[3:] + heard.route[1:3]
    return back, bytes(message[:-CODE] if {64, 128} & set(fields) else message)


def framed(answer: bytes) -> bytes:
    """Return an answer with its length in front."""
    return len(answer).to_bytes(2, "big") + answer


def _tables() -> dict[bool, dict[str, Any]]:
    rows = TABLE.split()
    known = dict(zip(rows[::2], rows[1::2], strict=True))
    written: dict[bool, dict[str, Any]] = {}
    for is_ascii in (False, True):
        table = {str(number): _row("t0", is_ascii) for number in range(1, 129)}
        table |= {number: _row(shape, is_ascii) for number, shape in known.items()}
        bitmap = _row("t16" if is_ascii else "b8", is_ascii)
        table |= {"h": _row("t0", is_ascii), "t": _row("n4", is_ascii), "p": bitmap, "1": bitmap}
        written[is_ascii] = table
    return written


def _row(shape: str, is_ascii: bool) -> dict[str, Any]:
    kind, length, stars = shape[0], shape[1:].rstrip("*"), shape.count("*")
    is_packed = not is_ascii and kind in "nxz"
    row: dict[str, Any] = {
        "data_enc": "b" if kind == "b" or is_packed else "ascii",
        "len_enc": "ascii" if is_ascii else "bcd",
        "len_type": (stars + 1 if stars else 0) if is_ascii else stars,
        "len_count": "nibbles" if is_packed else "bytes",
        "max_len": int(length),
        "desc": "",
    }
    if is_packed:
        row["left_pad" if kind == "x" else "right_pad"] = "0"
    return row


_TABLES = _tables()
_SHAPES = {
    int(number): shape[0]
    for number, shape in zip(TABLE.split()[::2], TABLE.split()[1::2], strict=True)
}
