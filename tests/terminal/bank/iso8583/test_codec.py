"""Messages on the wire: one that a terminal sent, the library's own cases, and damage."""

import json
from pathlib import Path
from typing import Any

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.bank.iso8583 import fields as f
from terminal.bank.iso8583.codec import Codec, Message, MessageCode
from terminal.bank.iso8583.fields import FIELDS, Encoding, Kind
from terminal.errors import MalformedMessage, UntrustedAnswer

# A sale by scanned code as a terminal sent it, with its key.
# Source: q.cnblogs.com, question 128930.
SENT = bytes.fromhex(
    "0200 3020048000C08015 000000 000000001234 000002 0300 99"
    "3030303030303031 393532373138313832323137383735 313536"
    "0019 26000001000600000000 0043 5F0112323834343132333435363738393031323334"
    "5F0306313630303336 5F0406323030383236 5C023031 4233413039324145"
)
SENT_KEY = bytes.fromhex("0723C80DB5F4CD3D")
SENT_FIELDS = {
    f.PROCESSING_CODE: "000000",
    f.AMOUNT: "000000001234",
    f.STAN: "000002",
    f.ENTRY_MODE: "030",
    f.CONDITION: "99",
    f.TERMINAL: "00000001",
    f.MERCHANT: "952718182217875",
    f.CURRENCY: "156",
    f.BATCH: "2600000100060000000",
}
KEY = bytes(range(16))
PAN = "4761739001010119"

ENCODINGS = st.sampled_from(Encoding)
CODES = st.sampled_from(MessageCode)


def texts(number: int) -> st.SearchStrategy[str]:
    """Anything that a field may hold."""
    field = FIELDS[number]
    shortest = 1 if field.length_digits else field.length
    longest = min(field.length, 60)
    if field.kind is Kind.BINARY:
        size = {"min_size": shortest, "max_size": longest}
        return st.binary(**size).map(lambda data: data.hex().upper())
    if field.kind is Kind.TRACK:
        return st.from_regex(r"[0-9]{12,19}D[0-9]{7,17}", fullmatch=True)
    alphabet = "0123456789" if field.kind is Kind.DIGITS else "ABCdef 0123;=*"
    return st.text(alphabet, min_size=shortest, max_size=longest)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    numbers = draw(st.sets(st.sampled_from(sorted(set(FIELDS) - {f.MAC, f.MAC_2})), min_size=1))
    return Message(
        draw(st.sampled_from(("0200", "0400", "0810"))),
        {number: draw(texts(number)) for number in sorted(numbers)},
    )


def test_a_sent_message_is_read_and_its_code_holds() -> None:
    message = Codec(Encoding.BCD, MessageCode.XOR_BLOCK).decode(SENT, SENT_KEY)
    assert message.type == "0200"
    assert {number: message.get(number) for number in SENT_FIELDS} == SENT_FIELDS


def test_a_sent_message_is_written_again_byte_for_byte() -> None:
    codec = Codec(Encoding.BCD, MessageCode.XOR_BLOCK)
    read = codec.decode(SENT)
    fields = {number: text for number, text in read.fields.items() if number != f.MAC}
    assert codec.encode(Message(read.type, fields), SENT_KEY) == SENT


def test_the_library_reads_and_writes_as_recorded(shared: Path) -> None:
    """What it was seen to do in its own tests, so that another version is noticed."""
    recorded = json.loads((shared / "vectors" / "emv" / "pyiso8583.json").read_text())
    seen = 0
    for name, do in (("decode", decode_as), ("encode", encode_as)):
        for call in recorded["calls"][f"iso8583.{name}"]:
            if "result" in call:
                table = table_of(recorded["specs"], call["args"]["spec"])
                assert as_json(do(call["args"], table)) == call["result"]
                seen += 1
    assert seen == 86


def decode_as(args: Any, table: Any) -> Any:
    return iso8583.decode(bytes.fromhex(args["s"]["hex"]), table)


def encode_as(args: Any, table: Any) -> Any:
    return iso8583.encode(dict(args["doc_dec"]), table)


def table_of(specs: Any, name: str) -> Any:
    """Most recorded tables are written as what differs from another."""
    found = specs[name]
    if "base" not in found:
        return found
    table = table_of(specs, found["base"]) | found["changed"]
    return {key: field for key, field in table.items() if key not in found["removed"]}


def as_json(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return {"hex": value.hex().upper()}
    if isinstance(value, tuple):
        return [as_json(part) for part in value]
    return {key: as_json(part) for key, part in value.items()} if isinstance(value, dict) else value


@given(messages(), ENCODINGS, CODES)
@settings(max_examples=120, deadline=None)
def test_reading_undoes_writing(message: Message, encoding: Encoding, code: MessageCode) -> None:
    codec = Codec(encoding, code)
    assert codec.decode(codec.encode(message)) == message
    read = codec.decode(codec.encode(message, KEY), KEY)
    last = f.MAC_2 if max(message.fields) > 64 else f.MAC
    assert set(read.fields) == set(message.fields) | {last}


@given(messages(), ENCODINGS, CODES, st.integers(0, 2000), st.integers(1, 255))
@settings(max_examples=120, deadline=None)
def test_no_altered_byte_goes_unseen(
    message: Message, encoding: Encoding, code: MessageCode, place: int, change: int
) -> None:
    codec = Codec(encoding, code)
    data = bytearray(codec.encode(message, KEY))
    data[place % len(data)] ^= change
    with pytest.raises((UntrustedAnswer, MalformedMessage)):
        codec.decode(bytes(data), KEY)


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: SENT[:20] + tail), ENCODINGS
)
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_message_or_malformed(noise: bytes, encoding: Encoding) -> None:
    codec = Codec(encoding, MessageCode.RETAIL)
    try:
        message = codec.decode(noise)
    except MalformedMessage:
        return
    assert codec.decode(codec.encode(message)) == message


def test_a_third_bitmap_is_malformed() -> None:
    """Fields above 128 came with ISO 8583:1993."""
    bitmaps = "8000000000000000" * 2 + "2000000000000000"
    data = bytes.fromhex("0210" + bitmaps) + bytes(60)
    with pytest.raises(MalformedMessage, match="above 128"):
        Codec(Encoding.BCD, MessageCode.RETAIL).decode(data)


def test_an_answer_without_a_code_is_not_trusted() -> None:
    codec = Codec(Encoding.BCD, MessageCode.RETAIL)
    with pytest.raises(UntrustedAnswer, match="no code"):
        codec.decode(codec.encode(Message("0210", {f.RESPONSE: "00"})), KEY)


@pytest.mark.parametrize(
    ("number", "text", "why"),
    [
        (5, "1", "field 5 is not one of this dialect"),
        (f.AMOUNT, "12", "field 4 has the wrong length"),
        (f.AMOUNT, "0000000012.3", "field 4 holds something else"),
        (f.PAN, PAN * 2, "field 2 has the wrong length"),
        (f.CHIP, "9f", "field 55 holds something else"),
    ],
)
def test_what_cannot_be_written_is_named_without_its_contents(
    number: int, text: str, why: str
) -> None:
    with pytest.raises(MalformedMessage, match=why) as refusal:
        Codec(Encoding.BCD, MessageCode.RETAIL).encode(Message("0200", {number: text}))
    assert PAN not in str(refusal.value)


def test_no_card_number_is_in_a_repr() -> None:
    assert PAN not in repr(Message("0200", {f.PAN: PAN}))


def test_the_two_encodings_look_as_they_should() -> None:
    message = Message("0200", {f.PAN: PAN, f.TRACK_2: f"{PAN}D3012", f.CHIP: "9F36020001"})
    bcd, ascii_ = (Codec(which, MessageCode.RETAIL).encode(message) for which in Encoding)
    assert bcd == bytes.fromhex(
        "0200 4000000020000200 16 4761739001010119 21 4761739001010119D30120 0005 9F36020001"
    )
    assert ascii_ == (
        b"0200400000002000020016"
        + PAN.encode()
        + b"21"
        + PAN.encode()
        + b"=3012005"
        + bytes.fromhex("9F36020001")
    )
