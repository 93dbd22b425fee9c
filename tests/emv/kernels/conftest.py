"""A paper M/Chip card: every byte may be changed before the tap."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emv.conftest import PKI

MASTERCARD = bytes.fromhex("A0000000041010")
PAN = "5413330089600010"

CDOL1 = "9F02069F03069F1A0295055F2A029A039C019F37049F35019F34039F3303"
PDOL = "9F35019F3303"


def tlv(tag: str, value: bytes | str) -> bytes:
    """Encode one object by hand: lengths to 255."""
    raw = bytes.fromhex(value) if isinstance(value, str) else value
    length = bytes((len(raw),)) if len(raw) < 128 else bytes((0x81, len(raw)))
    return bytes.fromhex(tag) + length + raw


def listed(dol: str, data: bytes) -> dict[str, bytes]:
    """Split data by a list of two-byte and one-byte tags."""
    raw, at, values = bytes.fromhex(dol), 0, {}
    while at < len(raw):
        size = 2 if raw[at] & 0x1F == 0x1F else 1
        length = raw[at + size]
        values[raw[at : at + size].hex().upper()], data = data[:length], data[length:]
        at += size + 1
    return values


@dataclass
class PaperChip:
    """A card of kernel 2, in EMV mode unless its AIP says otherwise."""

    pki: PKI
    aid: bytes = MASTERCARD
    pdol: str = PDOL
    options_extra: bytes = b""
    aip: str = "1980"
    """Cardholder verification, risk management, CDA; EMV mode."""
    wants: int = 0x80
    """The best cryptogram it gives: TC 40, ARQC 80 or AAC 00."""
    cvm_list: str | None = "0000000000000000 4203 1E03 1F03"
    expiry: str = "311231"
    capabilities: str = ""
    """Tag 9F5D in the FCI."""
    storage_id: str = ""
    """Tag 9F5E in the FCI; empty for none."""
    summaries: str = ""
    """What it signs of its storage: DS Summary 2 and 3."""
    iac: dict[str, str] = field(
        default_factory=lambda: {"9F0D": "0000000000", "9F0E": "0000000000", "9F0F": "0000000000"}
    )
    ca_index: str = "92"
    signs: bool = True
    signed_cid: int | None = None
    """The CID inside the signature; None copies the real one."""
    forges: bool = False
    """Sign something else than the transaction."""
    gpo_status: str = "9000"
    gpo_without: frozenset[str] = frozenset()
    record_without: frozenset[str] = frozenset()
    record_extra: bytes = b""
    answer_without: frozenset[str] = frozenset()
    answer_extra: bytes = b""
    answer_status: str = "9000"
    as_format_1: bool = False
    drdol: str = ""
    lost_at: int | None = None
    """The GENERATE AC, from 1, whose answer is lost; it is kept for RECOVER AC."""
    relay: str = "11223344 0005 0032 0018"
    """Entropy, minimum, maximum, estimated transmission time."""
    data: dict[str, str] = field(default_factory=dict)
    """What GET DATA finds and PUT DATA writes."""
    generated: int = 0
    lost_answer: bytes = b""
    recovered: list[bytes] = field(default_factory=list)
    lists: bytes = b""
    entropy: bytes = b""

    def __call__(self, command: bytes) -> bytes | None:
        ins, data = command[1], command[5 : 5 + command[4]]
        if ins == 0xA4:
            return self.select(data)
        if ins == 0xA8:
            self.lists, self.entropy = data[2:], b""
            return self.options() + bytes.fromhex(self.gpo_status)
        if ins == 0xEA:
            self.entropy = data + bytes.fromhex(self.relay)
            return tlv("80", self.relay) + b"\x90\x00"
        if ins == 0xB2:
            record = self.records().get((command[2], command[3] >> 3))
            return record + b"\x90\x00" if record is not None else b"\x6a\x83"
        if ins == 0xAE:
            return self.generate(command[2], data)
        if ins == 0xD0:
            self.recovered.append(data)
            return self.lost_answer + b"\x90\x00" if self.lost_answer else b"\x69\x85"
        tag = (command[2:4] if command[2] else command[3:4]).hex().upper()
        if ins == 0xCA:
            found = self.data.get(tag)
            return tlv(tag, found) + b"\x90\x00" if found is not None else b"\x6a\x88"
        if ins == 0xDA and tag in self.data:
            self.data[tag] = data.hex()
            return b"\x90\x00"
        return b"\x6d\x00"

    def select(self, name: bytes) -> bytes:
        if name == b"2PAY.SYS.DDF01":
            entry = tlv("61", tlv("4F", self.aid) + tlv("87", "01"))
            return tlv("6F", tlv("84", name) + tlv("A5", tlv("BF0C", entry))) + b"\x90\x00"
        if name != self.aid:
            return b"\x6a\x82"
        inner = tlv("50", b"MASTERCARD") + tlv("5F2D", b"enzh") + tlv("9F38", self.pdol)
        if self.capabilities:
            offered = tlv("9F5D", self.capabilities)
            if self.storage_id:
                offered += tlv("9F5E", self.storage_id)
            inner += tlv("BF0C", offered)
        return tlv("6F", tlv("84", name) + tlv("A5", inner)) + b"\x90\x00"

    def options(self) -> bytes:
        objects = {"82": self.aip, "94": "10010301"}
        kept = [tlv(*one) for one in objects.items() if one[0] not in self.gpo_without]
        return tlv("77", b"".join(kept) + self.options_extra)

    def records(self) -> dict[tuple[int, int], bytes]:
        """Record 1 of file 2 is signed, the others hold certificates."""
        static = {
            "57": f"{PAN}D{self.expiry[:4]}2010000000000",
            "5A": PAN,
            "5F24": self.expiry,
            "5F34": "01",
            "5F28": "0156",
            "9F07": "FFC0",
            "9F42": "0156",
            "8C": CDOL1,
            "9F4A": "82",
            **self.iac,
        }
        if self.cvm_list is not None:
            static["8E"] = self.cvm_list
        if self.drdol:
            static["9F51"] = self.drdol
        first = b"".join(tlv(*one) for one in static.items() if one[0] not in self.record_without)
        first += self.record_extra
        issuer, issuer_rest = self.pki.certify_issuer(identifier=PAN[:6] + "FF")
        icc, icc_rest = self.pki.certify_icc(first + bytes.fromhex(self.aip), pan=PAN)
        others: list[dict[str, bytes | str]] = [
            {"8F": self.ca_index, "90": issuer, "92": issuer_rest, "9F32": "03"},
            {"9F46": icc, "9F47": "03", "9F48": icc_rest},
        ]
        records = {(1, 2): tlv("70", first)}
        for number, objects in enumerate(others, start=2):
            body = b"".join(
                tlv(*one) for one in objects.items() if one[0] not in self.record_without and one[1]
            )
            records[number, 2] = tlv("70", body)
        return records

    def generate(self, control: int, data: bytes) -> bytes | None:
        self.generated += 1
        if self.answer_status != "9000":
            return bytes.fromhex(self.answer_status)
        requested = control & 0xC0
        # As a card does: at most what it is asked for.
        order = (0x00, 0x80, 0x40)
        given = min(requested, self.wants, key=order.index)
        answer = self.answer(given, bool(control & 0x10), data)
        if self.generated == self.lost_at:
            self.lost_answer = answer
            return None
        return answer + b"\x90\x00"

    def answer(self, cid: int, is_asked: bool, data: bytes) -> bytes:
        cryptogram = bytes.fromhex("0123456789ABCDEF")
        iad = bytes.fromhex("0114 A00000000000 0000 000000000000 0000")
        if self.as_format_1:
            return tlv("80", bytes((cid,)) + b"\x00\x2a" + cryptogram + iad)
        objects: dict[str, bytes] = {"9F27": bytes((cid,)), "9F36": b"\x00\x2a", "9F10": iad}
        objects = {tag: v for tag, v in objects.items() if tag not in self.answer_without}
        body = b"".join(tlv(*one) for one in objects.items()) + self.answer_extra
        if is_asked and self.signs:
            return tlv("77", body + tlv("9F4B", self.sign(cid, cryptogram, data, body)))
        if "9F26" not in self.answer_without:
            body += tlv("9F26", cryptogram)
        return tlv("77", body)

    def sign(self, cid: int, cryptogram: bytes, data: bytes, body: bytes) -> bytes:
        digest = hashlib.sha1(self.lists + data + body).digest()
        inside = self.signed_cid if self.signed_cid is not None else cid
        dynamic = b"\x08" + bytes(8) + bytes((inside,)) + cryptogram + digest
        dynamic += bytes.fromhex(self.summaries) + self.entropy
        content = (b"\x01" + bytes((len(dynamic),)) + dynamic).ljust(
            self.pki.icc.length - 23, b"\xbb"
        )
        number = bytes(4) if self.forges else listed(CDOL1, data)["9F37"]
        return self.pki.icc.sign(0x05, content, number)


@pytest.fixture
def chip(pki: PKI) -> PaperChip:
    """A card that asks the issuer, with CDA."""
    return PaperChip(pki)


@pytest.fixture(scope="session")
def new_chip(pki: PKI) -> Callable[..., PaperChip]:
    """Make paper chips, for tests that need many."""
    return lambda **fields: PaperChip(pki, **fields)
