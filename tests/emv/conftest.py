"""A paper card, its keys, and the pump that lets kernels talk to it.

The card is written from the specification's tables with its own arithmetic;
its keys are test keys published by mrautio/emv-card-simulator.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from emv.authentication import CAKey, CAKeyStore
from emv.conversation import (
    Answer,
    Command,
    Kernel,
    Note,
    OnExceptionFile,
    Question,
    RandomBytes,
    Reply,
    Show,
)
from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction
from emv.errors import LinkLost
from emv.outcome import Outcome, UserInterfaceRequest

UNPREDICTABLE_NUMBER = bytes.fromhex("7FBC4049")
VISA = bytes.fromhex("A0000000031010")
PAN = "4761739001010119"
TODAY = date(2026, 11, 24)


@dataclass
class Tap:
    """What one conversation came to, and everything in it."""

    outcome: Outcome
    commands: list[bytes]
    shown: list[UserInterfaceRequest]
    notes: list[str]
    sources: list[str]
    """Of the notes."""
    asked: list[OnExceptionFile]


Respond = Callable[[bytes], bytes | None]


def tap(
    kernel: Kernel[Outcome],
    card: Respond,
    *,
    on_exception_file: bool = False,
    commands_max: int = 10_000,
    number: bytes = UNPREDICTABLE_NUMBER,
    elapsed_us: Callable[[bytes], int] = lambda _command: 1000,
    answer: Callable[[Question], Answer] | None = None,
) -> Tap:
    """Pump a kernel against a card; None from the card is a lost link.

    number: what every question for random bytes is answered with.
    elapsed_us: how long a command takes.
    answer: for what is asked beyond randomness, notes and the exception file.
    """
    commands: list[bytes] = []
    shown: list[UserInterfaceRequest] = []
    notes: list[str] = []
    sources: list[str] = []
    asked: list[OnExceptionFile] = []
    try:
        request = next(kernel)
        while True:
            if isinstance(request, Command):
                commands.append(request.encoded)
                assert len(commands) <= commands_max, "the kernel does not come to an end"
                response = card(request.encoded)
                if response is None:
                    request = kernel.throw(LinkLost("timeout"))
                else:
                    request = kernel.send(Reply.parse(response, elapsed_us(request.encoded)))
            elif isinstance(request, RandomBytes):
                request = kernel.send(number.rjust(request.count, b"\0"))
            elif isinstance(request, OnExceptionFile):
                asked.append(request)
                request = kernel.send(on_exception_file)
            elif isinstance(request, Show):
                shown.append(request.request)
                request = kernel.send(None)
            elif isinstance(request, Note):
                notes.append(request.said)
                sources.append(request.source)
                request = kernel.send(None)
            else:
                assert answer is not None, f"nobody was to be asked: {request}"
                request = kernel.send(answer(request))
    except StopIteration as finished:
        return Tap(finished.value, commands, shown, notes, sources, asked)


def tlv(tag: str, value: bytes | str) -> bytes:
    """Encode one object by hand: lengths to 255."""
    raw = bytes.fromhex(value) if isinstance(value, str) else value
    length = bytes((len(raw),)) if len(raw) < 128 else bytes((0x81, len(raw)))
    return bytes.fromhex(tag) + length + raw


@dataclass(frozen=True)
class PrivateKey:
    """An RSA key of the test PKI."""

    n: int = field(repr=False)
    d: int = field(repr=False)
    length: int

    @classmethod
    def of(cls, entry: dict[str, Any]) -> PrivateKey:
        n = bytes.fromhex(entry["n"])
        return cls(int.from_bytes(n, "big"), int(entry["d"], 16), len(n))

    @property
    def modulus(self) -> bytes:
        return self.n.to_bytes(self.length, "big")

    @lru_cache(maxsize=4096)  # noqa: B019 - the keys live as long as the tests
    def sign(self, format_: int, body: bytes, also_hashed: bytes = b"") -> bytes:
        """Sign header, format, body padded to size, hash, trailer."""
        room = self.length - 23
        content = bytes((format_,)) + body
        assert len(content) == room + 1, (len(content), room)
        digest = hashlib.sha1(content + also_hashed).digest()
        plain = b"\x6a" + content + digest + b"\xbc"
        return pow(int.from_bytes(plain, "big"), self.d, self.n).to_bytes(self.length, "big")


@dataclass
class PKI:
    """A scheme, an issuer and a card, all able to sign."""

    ca: PrivateKey
    issuer: PrivateKey
    icc: PrivateKey

    def ca_key(
        self, *, expires: date | None = date(2035, 12, 31), rid: str = "A000000003"
    ) -> CAKey:
        raw_rid = bytes.fromhex(rid)
        digest = hashlib.sha1(raw_rid + b"\x92" + self.ca.modulus + b"\x03").digest()
        return CAKey(raw_rid, 0x92, self.ca.modulus, 3, expires, digest)

    def store(self) -> CAKeyStore:
        return CAKeyStore([self.ca_key()])

    def _certify(
        self, signer: PrivateKey, format_: int, head: bytes, key: PrivateKey, also: bytes
    ) -> tuple[bytes, bytes]:
        """Return certificate and remainder of a key under a signer."""
        room = signer.length - 22 - len(head) - 4 - 1
        body = head + b"\x01\x01" + bytes((key.length,)) + b"\x01"
        body += key.modulus[:room].ljust(room, b"\xbb")
        remainder = key.modulus[room:]
        return signer.sign(format_, body, remainder + b"\x03" + also), remainder

    def certify_issuer(
        self, *, identifier: str = "476173FF", expires: str = "1235", format_: int = 2
    ) -> tuple[bytes, bytes]:
        head = bytes.fromhex(identifier + expires + "03DA0A")
        return self._certify(self.ca, format_, head, self.issuer, b"")

    def certify_icc(
        self,
        static_data: bytes,
        *,
        pan: str = PAN,
        expires: str = "1231",
        format_: int = 4,
    ) -> tuple[bytes, bytes]:
        head = bytes.fromhex(pan.ljust(20, "F") + expires + "000001")
        return self._certify(self.issuer, format_, head, self.icc, static_data)

    def sign_static(self, static_data: bytes) -> bytes:
        body = b"\x01\xda\xc0".ljust(self.issuer.length - 23, b"\xbb")
        return self.issuer.sign(3, body, static_data)

    def sign_dynamic(
        self, covered: bytes, *, format_: int = 0x95, atc: bytes = b"\x00\x2a"
    ) -> bytes:
        dynamic = bytes((len(atc),)) + atc
        body = (b"\x01" + bytes((len(dynamic),)) + dynamic).ljust(self.icc.length - 23, b"\xbb")
        return self.icc.sign(format_, body, covered)


@dataclass
class PaperCard:
    """A qVSDC card whose every byte a test may change before the tap."""

    pki: PKI
    pan: str = PAN
    expiry: str = "311231"
    iad: str = "06011203A00000"
    aip: str = "2000"
    ctq: str | None = "0000"
    cid: str | None = None
    fdda: int | None = None
    """None: no signature; else its version."""
    fdda_format: int = 0x95
    sda: bool = False
    related_ctq: str | None = None
    """The CTQ inside 9F69; None copies the real one."""
    ca_index: str = "92"
    issuer_expires: str = "1235"
    icc_expires: str = "1231"
    issuer_identifier: str = "476173FF"
    gpo_status: str = "9000"
    pdol: str = "9F66049F02069F03069F1A0295055F2A029A039C019F3704"
    program: str = ""
    """Tag 9F5A; empty for none."""
    gpo_extra: bytes = b""
    gpo_without: frozenset[str] = frozenset()
    record_extra: bytes = b""
    record_without: frozenset[str] = frozenset()
    directory: bytes = b""
    entries: list[bytes] = field(default_factory=lambda: [tlv("4F", VISA) + tlv("87", "01")])
    record_status: str = "9000"
    lost_at: int | None = None
    """The command, from 1, at which the link is lost."""
    seen: int = 0

    def __call__(self, command: bytes) -> bytes | None:
        self.seen += 1
        if self.seen == self.lost_at:
            return None
        if command[:2] == b"\x00\xa4":
            name = command[5 : 5 + command[4]]
            return self.select(name)
        if command[:2] == b"\x80\xa8":
            if self.gpo_status != "9000":
                return bytes.fromhex(self.gpo_status)
            assert command[5] == 0x83
            data = command[7 : 7 + command[6]]
            return self.options(data) + b"\x90\x00"
        if command[:2] == b"\x00\xb2":
            if self.record_status != "9000":
                return bytes.fromhex(self.record_status)
            return self.records()[command[2], command[3] >> 3] + b"\x90\x00"
        return b"\x6d\x00"

    def select(self, name: bytes) -> bytes:
        if name == b"2PAY.SYS.DDF01":
            entries = b"".join(tlv("61", entry) for entry in self.entries)
            fci = tlv("84", name) + tlv("A5", tlv("BF0C", entries))
            return tlv("6F", fci) + b"\x90\x00"
        known = [entry for entry in self.entries if name in entry]
        if not known:
            return b"\x6a\x82"
        inner = tlv("50", b"VISA DEBIT") + tlv("9F12", b"Debit") + tlv("5F2D", b"zhen")
        if self.pdol:
            inner += tlv("9F38", self.pdol)
        if self.program:
            inner += tlv("BF0C", tlv("9F5A", self.program))
        return tlv("6F", tlv("84", name) + tlv("A5", inner)) + b"\x90\x00"

    @property
    def has_records(self) -> bool:
        return self.fdda is not None or self.sda or bool(self.record_extra)

    def track_2(self) -> str:
        text = f"{self.pan}D{self.expiry[:4]}2011234500"
        return text + "F" * (len(text) % 2)

    def related(self) -> bytes:
        ctq = self.related_ctq if self.related_ctq is not None else self.ctq or "0000"
        return bytes((self.fdda or 0,)) + b"\x8c\xc9\xf8\x07" + bytes.fromhex(ctq)

    def options(self, data: bytes) -> bytes:
        objects = {
            "82": self.aip,
            "9F36": "002A",
            "9F26": "0123456789ABCDEF",
            "9F10": self.iad,
            "57": self.track_2(),
            "5F34": "01",
            "9F6E": "20700003",
        }
        if self.cid is not None:
            objects["9F27"] = self.cid
        if self.ctq is not None:
            objects["9F6C"] = self.ctq
        if self.has_records:
            objects["94"] = "10010401"
        body = b"".join(
            tlv(tag, value) for tag, value in objects.items() if tag not in self.gpo_without
        )
        if self.fdda is not None:
            # By place in the usual PDOL: amount, currency, unpredictable number.
            amount, currency, number = data[4:10], data[23:25], data[29:33]
            covered = number
            if self.fdda == 1:
                covered += amount + currency + self.related()
            if "9F4B" not in self.gpo_without:
                body += tlv("9F4B", self.pki.sign_dynamic(covered, format_=self.fdda_format))
        return tlv("77", body + self.gpo_extra)

    def records(self) -> dict[tuple[int, int], bytes]:
        """Record 1 of file 2 is signed, the others hold certificates."""
        signed = {"5F24": self.expiry, "5A": self.pan, "9F07": "FFC0", "5F28": "0156"}
        signed["9F4A"] = "82"
        first = b"".join(
            tlv(tag, value) for tag, value in signed.items() if tag not in self.record_without
        )
        first += self.record_extra
        tag_list = b"" if "9F4A" in self.record_without else bytes.fromhex(self.aip)
        issuer, issuer_rest = self.pki.certify_issuer(
            expires=self.issuer_expires, identifier=self.issuer_identifier
        )
        icc, icc_rest = self.pki.certify_icc(
            first + tag_list, pan=self.pan, expires=self.icc_expires
        )
        others: list[dict[str, bytes | str]] = [
            {"8F": self.ca_index, "90": issuer, "92": issuer_rest, "9F32": "03"},
            {"9F46": icc, "9F47": "03", "9F48": icc_rest},
            {},
        ]
        if self.sda:
            others[2]["93"] = self.pki.sign_static(first + tag_list)
        if self.fdda == 1:
            others[2]["9F69"] = self.related()
        records = {(1, 2): tlv("70", first)}
        for number, objects in enumerate(others, start=2):
            body = b"".join(
                tlv(tag, value)
                for tag, value in objects.items()
                if tag not in self.record_without and value
            )
            records[number, 2] = tlv("70", body)
        return records


@pytest.fixture(scope="session")
def emv_vectors(shared: Path) -> Callable[[str], Any]:
    """Load one file of EMV cases by name."""

    def load(name: str) -> Any:
        return json.loads((shared / "vectors" / "emv" / name).read_text())

    return load


@pytest.fixture(scope="session")
def pki(emv_vectors: Callable[[str], Any]) -> PKI:
    """The published test keys, CA to card."""
    keys = {
        entry["file"].partition("_")[0]: PrivateKey.of(entry)
        for entry in emv_vectors("card_profile_testpki.json")["keys"]
    }
    return PKI(keys["AFFFFFFFFF"], keys["iin"], keys["icc"])


@pytest.fixture
def card(pki: PKI) -> PaperCard:
    """An online card: ARQC, no CVM wish, no records."""
    return PaperCard(pki)


@pytest.fixture
def visa() -> Combination:
    """The combination of the bench: online PIN is not possible, signature is."""
    return Combination(
        VISA,
        3,
        ttq=bytes.fromhex("22004080"),
        transaction_limit_minor=500_000,
        floor_limit_minor=20_000,
        cvm_required_limit_minor=100_000,
    )


@pytest.fixture(scope="session")
def terminal() -> Terminal:
    return Terminal(country=156, merchant_name="Bench Shop", merchant_id="OPENTILL0000001")


@pytest.fixture
def config(terminal: Terminal, visa: Combination) -> EntryPointConfig:
    return EntryPointConfig(terminal, (visa,))


@pytest.fixture(scope="session")
def sale() -> Transaction:
    """A sale of 123.45 yuan."""
    return Transaction(12_345, currency=156, currency_exponent=2, date=TODAY)


@pytest.fixture(scope="session")
def new_card(pki: PKI) -> Callable[..., PaperCard]:
    """Make paper cards, for tests that need many."""
    return lambda **fields: PaperCard(pki, **fields)


@pytest.fixture(scope="session")
def pump() -> Callable[..., Tap]:
    return tap


@pytest.fixture(scope="session")
def encode() -> Callable[[str, bytes | str], bytes]:
    return tlv


def scripted(responses: Iterable[str]) -> Respond:
    """A card that gives these answers in order, whatever it is asked."""
    left = iter(responses)
    return lambda _command: bytes.fromhex(next(left))


@pytest.fixture
def script() -> Callable[[Iterable[str]], Respond]:
    return scripted
