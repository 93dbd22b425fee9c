"""Whatever comes in from outside is read or refused: by the errors that are declared, and soon.

Every reader of bytes gets noise and mutations of what it reads well, drawn
from a seed. OPENTILL_SOAK=1 makes it a million.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import config
from config.errors import ConfigError
from config.loader import read_table
from config.schema import CAKeysFile, ShopFile
from drivers.pinpad_frames import Frame, FrameReader
from drivers.scanner_serial import Cutter
from emv import bits, dol, records, scripts, tlv
from emv.apdu import CommandAPDU
from emv.authentication import PublicKey, open_icc_certificate, open_issuer_certificate
from emv.conversation import Reply
from emv.errors import EmvError
from emv.keys.key_block import Purpose, open_block
from emv.keys.pin_block import decipher_format_4, decode_format_0
from emv.qr import consumer, merchant
from emv.qr.payment_code import classify
from emv.restrictions import read_date
from simulators.bank.errors import BankError, Refused
from simulators.bank.iso8583.wire import hear
from simulators.bank.messages import PaymentRequest, read
from terminal.bank import messages
from terminal.bank.iso8583.codec import Codec, Message, MessageCode
from terminal.bank.iso8583.fields import Encoding
from terminal.bank.iso8583.framing import Frames
from terminal.bank.signing import Ed25519Verifier, verify_answer
from terminal.errors import BankLinkError
from tests.soak import size

INPUTS = size(150, full=40_000)
SECONDS_MAX = 0.05
BYTES_MAX = 10 * 2**20
WEIGHED = 25
"""Every so manieth input's memory is measured; that takes five times as long."""

ATTEMPT = "018f0000-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Target:
    """A reader of bytes from outside."""

    reads: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    refuses_with: tuple[type[Exception], ...]


def each_byte(make: Callable[[], Any]) -> Callable[[bytes], object]:
    """Return what feeds a fresh reader of a stream, in two pieces."""

    def read_stream(data: bytes) -> object:
        reader = make()
        return [*reader.feed(data[: len(data) // 2]), *reader.feed(data[len(data) // 2 :])]

    return read_stream


def text(function: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: function(data.decode("utf-8", "replace"))


def file(function: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return what gives a file with these bytes in it to a reader of files."""

    def read_file(data: bytes) -> object:
        number = os.memfd_create("settings")
        try:
            os.write(number, data)
            return function(Path(f"/proc/self/fd/{number}"))
        finally:
            os.close(number)

    return read_file


def answer_headers(data: bytes) -> object:
    """Read a signature's two fields out of noise."""
    claim, _, signature = data.decode("latin-1").partition("\n")
    headers = {
        "content-type": "application/json",
        "content-digest": "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:",
        "signature-input": claim,
        "signature": signature,
    }
    asked = {"Signature": "opentill=:AA==:", "Idempotency-Key": ATTEMPT}
    return verify_answer(200, headers, b"{}", request_headers=asked, key=VERIFIER)


VERIFIER = Ed25519Verifier(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())
RSA = PublicKey.of(bytes([0xC1]) * 128, b"\x03")
# Of the first of the blocks below, which are published examples.
PROTECTION = bytes.fromhex("EFE0853B256B583D868F251CE99EA1D9")
PURPOSE = Purpose(usage="K0", algorithm="T", modes="N")

PDOL = bytes.fromhex("9F66049F02069F03069F1A0295055F2A029A039C019F3704")
RECORD = bytes.fromhex(
    "70 22 57 12 4761739001010119D31122010000000000000F 5F24 03 311231 9F6E 04 20700000".replace(
        " ", ""
    )
)
STATUS_REQUEST = messages.StatusQuestion(attempt=ATTEMPT)
ANSWER = json.dumps(
    {"at": "2026-11-24T08:00:00.000Z", "attempt": ATTEMPT, "state": "approved", "code": "00"}
).encode()
PAYMENT = json.dumps(
    {
        "attempt": ATTEMPT,
        "number": 1,
        "kind": "sale",
        "amount_minor": 1250,
        "currency": "CNY",
        "at": "2026-11-24T08:00:00.000Z",
        "tender": {"type": "card", "sealed": "a..b.c.d"},
    }
).encode()
CODEC = Codec(Encoding.BCD, MessageCode.RETAIL)
THREE_BITMAPS = bytes.fromhex("0210" + "8000000000000000" * 2 + "2000000000000000") + bytes(60)
ISO_MESSAGE = CODEC.encode(Message("0210", {3: "000000", 11: "000001", 39: "00"}))


CODES = config.load_payment_codes()
# The examples of the specifications themselves.
MERCHANT_CODE = (
    "00020101021229300012D156000000000510A93F"
    "O3230Q31280012D1560000000103081234567852"
    "0441115802CN5914BEST TRANSPORT6007BEIJIN"
    "G64200002ZH0104最佳运输0202北京540523.72530315"
    "65502016233030412340603***0708A600866709"
    "02ME91320016A011223344998877070812345678"
    "6304A13A"
).encode()
CONSUMER_CODE = b"hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
KEY_BLOCKS = (
    b"B0080K0TN00N00001C414014375212C24995E405B5EE052CB92B67F455EA2680F6751088F9F1C228",
    b"B0080P0TE00E000094B420079CC80BA3461F86FE26EFC4A3B8E4FA4C5F5341176EED7B727B8A248E",
)

EMV, BANK = (EmvError,), (BankLinkError,)
TARGETS = {
    "TLV": Target(tlv.decode, (RECORD, RECORD * 8), EMV),
    "DOL": Target(dol.parse_dol, (PDOL,), EMV),
    "tag list": Target(dol.parse_tag_list, (b"\x82",), EMV),
    "AFL": Target(records.parse_afl, (bytes.fromhex("08010100 10010301"),), EMV),
    "CVM list": Target(bits.parse_cvm_list, (bytes(8) + b"\x1f\x03",), EMV),
    "date": Target(read_date, (b"\x31\x12\x31",), EMV),
    "issuer scripts": Target(
        scripts.parse_scripts, (bytes.fromhex("71098607 8424000002AABB"),), EMV
    ),
    "command APDU": Target(CommandAPDU.parse, (bytes.fromhex("00A4040007A0000000031010"),), EMV),
    "response APDU": Target(lambda data: Reply.parse(data, 0), (RECORD + b"\x90\x00",), EMV),
    "issuer certificate": Target(
        lambda data: open_issuer_certificate(data[:128], data[128:160], data[160:], RSA),
        (bytes(range(128)) + bytes(36),),
        EMV,
    ),
    "card certificate": Target(
        lambda data: open_icc_certificate(data[:128], data[128:160], data[160:], RSA),
        (bytes(range(128)) + bytes(36),),
        EMV,
    ),
    "key block": Target(
        text(lambda block: open_block(block, PROTECTION, PURPOSE, is_legacy_allowed=True)),
        KEY_BLOCKS,
        EMV,
    ),
    "PIN block, format 0": Target(
        lambda data: decode_format_0(data, "4761739001010119", is_legacy_allowed=True),
        (bytes(8),),
        EMV,
    ),
    "PIN block, format 4": Target(
        lambda data: decipher_format_4(data, "4761739001010119", bytes(16)), (bytes(16),), EMV
    ),
    "merchant's code": Target(text(merchant.parse), (MERCHANT_CODE,), EMV),
    "customer's EMV code": Target(text(consumer.parse), (CONSUMER_CODE,), EMV),
    "payment code": Target(
        lambda data: classify(data, "QRCode", CODES),
        (b"280000000000000018", MERCHANT_CODE, CONSUMER_CODE),
        (),
    ),
    "PIN pad frames": Target(each_byte(FrameReader), (Frame(1, 0x83, bytes(30)).encode() * 3,), ()),
    "scanner lines": Target(
        each_byte(lambda: Cutter(b"\x02", b"\r")), (b"\x02280000000000000018\r",), ()
    ),
    "bank answer": Target(
        lambda data: messages.decode_answer(data, STATUS_REQUEST), (ANSWER,), BANK
    ),
    "bank refusal": Target(
        messages.decode_fault,
        (b'{"error":"busy","at":"2026-11-24T08:00:00.000Z","detail":""}',),
        BANK,
    ),
    "answer signature": Target(
        answer_headers,
        (
            b'opentill=("@status" "content-type" "content-digest");alg="ed25519";'
            b'tag="opentill-rsp"\nopentill=:AAAA:',
        ),
        BANK,
    ),
    "request, at the bank": Target(lambda data: read(data, PaymentRequest), (PAYMENT,), (Refused,)),
    "ISO 8583": Target(CODEC.decode, (ISO_MESSAGE, THREE_BITMAPS), BANK),
    "ISO 8583, with its code": Target(
        lambda data: CODEC.decode(data, bytes(range(16))), (ISO_MESSAGE,), BANK
    ),
    "ISO 8583 framing": Target(each_byte(Frames), (b"\x00\x05hello" * 4,), BANK),
    "ISO 8583, at the bank": Target(
        hear, (bytes(5) + ISO_MESSAGE, bytes(5) + THREE_BITMAPS), (BankError,)
    ),
    "shop's file": Target(
        file(lambda path: read_table(path, ShopFile)), (config.BENCH.read_bytes(),), (ConfigError,)
    ),
    "CA keys' file": Target(
        file(lambda path: read_table(path, CAKeysFile)),
        ((config.BENCH.parent / "ca_keys_test.toml").read_bytes(),),
        (ConfigError,),
    ),
}


def mutated(seeds: tuple[bytes, ...], chance: random.Random) -> bytes:
    """Return noise, or a seed with a few things done to it."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.choice([0, 1, 2, 5, 16, 64, 300, 4000]))
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        length = chance.choice([1, 1, 1, 2, 4, 16])
        match chance.randrange(7):
            case 0 if place < len(data):
                data[place] ^= 1 << chance.randrange(8)
            case 1 if place < len(data):
                data[place] = chance.choice([0x00, 0x7F, 0x80, 0xFF, 0x1F, 0x30])
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = chance.randbytes(length)
            case 4:
                data[place:place] = data[place : place + length] * chance.choice([1, 2, 200])
            case 5:
                del data[place:]
            case 6:
                other = chance.choice(seeds)
                data[place:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data)


def cost(
    reads: Callable[[bytes], object], data: bytes, refuses: tuple[type[Exception], ...]
) -> float:
    """Read it once; return the seconds of processor time. Other errors come through."""
    begun = time.thread_time()
    with contextlib.suppress(*refuses):
        reads(data)
    return time.thread_time() - begun


@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_read_or_refused_and_soon(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    target = TARGETS[name]
    chance = random.Random(name)
    for number in range(INPUTS):
        data = mutated(target.seeds, chance)
        seconds = cost(target.reads, data, target.refuses_with)
        if seconds > SECONDS_MAX:
            # A collection of garbage may have come between; the input is to blame if it does again.
            seconds = min(cost(target.reads, data, target.refuses_with) for _ in range(3))
        assert seconds <= SECONDS_MAX, data.hex()
        if number % WEIGHED == 0:
            tracemalloc.start()
            cost(target.reads, data, target.refuses_with)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak <= BYTES_MAX, data.hex()

    record_property("inputs", INPUTS)


def test_the_seeds_are_read_whole_or_refused_as_they_should_be() -> None:
    """So the mutations begin at what the readers know."""
    read_well = set()
    for name, target in TARGETS.items():
        for seed in target.seeds:
            try:
                target.reads(seed)
                read_well.add(name)
            except target.refuses_with:
                continue
    assert len(read_well) > len(TARGETS) * 2 / 3, sorted(set(TARGETS) - read_well)
