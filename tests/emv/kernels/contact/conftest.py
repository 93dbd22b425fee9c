"""A chip card on paper: every byte of it may be changed before it is inserted.

Written from the specification's tables with the arithmetic of the tests;
its keys are the published test keys of tests/emv/conftest.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import pytest

from emv.actions import ActionCodes
from emv.bits import TVR
from emv.conversation import (
    Answer,
    AskIssuer,
    ChooseApplication,
    IssuerAnswer,
    LoggedAmount,
    PINAnswer,
    Question,
    TakeOnlinePIN,
    VerifyPIN,
)
from emv.entry_point import Terminal, Transaction
from emv.kernels.contact import Application, Configuration, process
from emv.outcome import Outcome, UserInterfaceRequest
from emv.risk import RiskLimits

VISA = bytes.fromhex("A0000000031010")
CDOL1 = "9F02069F03069F1A0295055F2A029A039C019F37049F34039B02"
CDOL2 = "8A0291089F02069F03069F1A0295055F2A029A039C019F3704"

Pump = Callable[..., Any]
Encode = Callable[[str, bytes | str], bytes]


class Keys(Protocol):
    """What of the test PKI the card uses."""

    icc: Any

    def certify_issuer(self, **fields: Any) -> tuple[bytes, bytes]: ...
    def certify_icc(self, static_data: bytes, **fields: Any) -> tuple[bytes, bytes]: ...
    def sign_static(self, static_data: bytes) -> bytes: ...


@dataclass
class ChipCard:
    """One application behind a PSE."""

    pki: Keys
    encode: Encode
    aip: str = "1C00"
    """Cardholder verification, terminal risk management, issuer authentication."""
    pan: str = "4761739001010119"
    fci: dict[str, str] = field(default_factory=lambda: {"50": "56495341", "5F2D": "7A68656E"})
    signed: dict[str, str] = field(default_factory=dict)
    """Objects to add to the signed record, or to replace in it."""
    without: frozenset[str] = frozenset()
    extra_record: bytes = b""
    answers: Sequence[str] = ("80", "40")
    """Cryptogram information of the first and of the second GENERATE AC."""
    ac_format: str = "77"
    ac_without: frozenset[str] = frozenset()
    statuses: dict[tuple[int, int], str] = field(default_factory=dict)
    """Instruction and which of its kind, from 1, to a status word."""
    removed_at: int | None = None
    """The command, from 1, before which the card is pulled."""
    objects: dict[str, str] = field(default_factory=lambda: {"9F17": "03"})
    """For GET DATA."""
    ddol: str | None = "9F3704"
    sda_only: bool = False
    breaks_signature: bool = False
    signed_cid: str | None = None
    pin_key: bool = False
    commands: list[bytes] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    given: bytes = b""

    def __call__(self, command: bytes) -> bytes | None:
        self.commands.append(command)
        if len(self.commands) == self.removed_at:
            return None
        ins = command[1]
        self.counts[ins] = self.counts.get(ins, 0) + 1
        status = self.statuses.get((ins, self.counts[ins]))
        if status is not None:
            return bytes.fromhex(status)
        data = command[5 : 5 + command[4]] if len(command) > 5 else b""
        handlers: dict[int, Callable[[bytes, bytes], bytes]] = {
            0xA4: self.select,
            0xA8: self.options,
            0xB2: self.record,
            0xCA: self.get_data,
            0x88: self.sign,
            0x84: lambda _command, _data: b"\x01\x02\x03\x04\x05\x06\x07\x08",
            0xAE: self.cryptogram,
            0x82: lambda _command, _data: b"",
            0x18: lambda _command, _data: b"",
        }
        if ins not in handlers:
            return b"\x6d\x00"
        answer = handlers[ins](command, data)
        return answer if answer[:1] == b"\x6a" else answer + b"\x90\x00"

    def template(self, tag: str, objects: dict[str, bytes | str]) -> bytes:
        inside = b"".join(self.encode(each, value) for each, value in objects.items())
        return self.encode(tag, inside)

    def select(self, _command: bytes, name: bytes) -> bytes:
        if name == b"1PAY.SYS.DDF01":
            return self.template("6F", {"84": name, "A5": self.encode("88", "01")})
        if name != VISA:
            return b"\x6a\x82"
        inside = self.template("A5", dict(self.fci))
        return self.encode("6F", self.encode("84", name) + inside)

    def options(self, _command: bytes, data: bytes) -> bytes:
        self.given = data[2:]
        count = "05" if self.extra_record else "04"
        return self.template("77", {"82": self.aip, "94": f"1001{count}01"})

    def record(self, command: bytes, _data: bytes) -> bytes:
        if command[3] >> 3 == 1:
            if command[2] > 1:
                return b"\x6a\x83"
            entry = self.template("61", {"4F": VISA, "50": "56495341", "87": "01"})
            return self.encode("70", entry)
        return self.records()[command[2] - 1]

    def records(self) -> list[bytes]:
        objects = {
            "5A": self.pan,
            "5F24": "311231",
            "5F34": "01",
            "5F28": "0156",
            "9F07": "FFC0",
            "9F42": "0156",
            "57": f"{self.pan}D3112201000000000F",
            "8C": CDOL1,
            "8D": CDOL2,
            "8E": "00000000000000001F00",
            "9F0D": "0000000000",
            "9F0E": "0000000000",
            "9F0F": "0000000000",
            "9F4A": "82",
        }
        if self.ddol is not None:
            objects["9F49"] = self.ddol
        kept = {
            tag: value
            for tag, value in {**objects, **self.signed}.items()
            if tag not in self.without
        }
        first = b"".join(self.encode(tag, value) for tag, value in kept.items())
        tag_list = b"" if "9F4A" in self.without else bytes.fromhex(self.aip)
        issuer, issuer_rest = self.pki.certify_issuer()
        icc, icc_rest = self.pki.certify_icc(first + tag_list, pan=self.pan)
        pin, pin_rest = self.pki.certify_icc(b"", pan=self.pan)
        others: list[dict[str, bytes | str]] = [
            {"8F": "92", "90": issuer, "92": issuer_rest, "9F32": "03"},
            {"9F46": icc, "9F47": "03", "9F48": icc_rest},
            {"93": self.pki.sign_static(first + tag_list)},
        ]
        if self.pin_key:
            others[2] = {"9F2D": pin, "9F2E": "03", "9F2F": pin_rest}
        rest = [
            self.template("70", {t: v for t, v in each.items() if t not in self.without and v})
            for each in others
        ]
        records = [self.encode("70", first), *rest]
        return [*records, self.extra_record] if self.extra_record else records

    def get_data(self, command: bytes, _data: bytes) -> bytes:
        tag = command[2:4].hex().upper()
        if tag not in self.objects:
            return b"\x6a\x88"
        return self.encode(tag, self.objects[tag])

    def dynamic(self, content: bytes, covered: bytes) -> bytes:
        if self.breaks_signature:
            covered += b"\x00"
        icc = self.pki.icc
        body = b"\x01" + bytes((len(content),)) + content
        signature: bytes = icc.sign(5, body.ljust(icc.length - 23, b"\xbb"), covered)
        return signature

    def sign(self, _command: bytes, data: bytes) -> bytes:
        return self.encode("80", self.dynamic(b"\x02\x00\x2a", data))

    def cryptogram(self, command: bytes, data: bytes) -> bytes:
        self.given += data
        cid = self.answers[self.counts[0xAE] - 1]
        objects: dict[str, bytes | str] = {"9F27": cid, "9F36": "002A"}
        if command[2] & 0x10 and int(cid, 16) & 0xC0 in (0x40, 0x80):
            objects["9F10"] = "06010A03A4B800"
            others = b"".join(self.encode(tag, value) for tag, value in objects.items())
            covered = hashlib.sha1(self.given + others).digest()
            signed_cid = bytes.fromhex(self.signed_cid or cid)
            content = b"\x02\x00\x2a" + signed_cid + b"CRYPTOGR" + covered
            # The unpredictable number stands behind type in the usual list.
            number = data[-9:-5] if self.counts[0xAE] == 1 else data[-4:]
            objects["9F4B"] = self.dynamic(content, number)
            kept = {tag: value for tag, value in objects.items() if tag not in self.ac_without}
            return self.template("77", kept)
        objects |= {"9F26": "0123456789ABCDEF", "9F10": "06010A03A4B800"}
        kept = {tag: value for tag, value in objects.items() if tag not in self.ac_without}
        if self.ac_format == "80":
            values = [bytes.fromhex(str(value)) for value in kept.values()]
            return self.encode("80", b"".join(values))
        return self.template(self.ac_format, kept)

    def names(self) -> list[int]:
        """Which instructions it was sent."""
        return [command[1] for command in self.commands]

    def sent(self, ins: int) -> list[bytes]:
        """The data of every command of one kind."""
        return [
            command[5 : 5 + command[4]] if len(command) > 5 else b""
            for command in self.commands
            if command[1] == ins
        ]

    def requested(self) -> list[int]:
        """Reference control parameters of the GENERATE AC commands."""
        return [command[2] for command in self.commands if command[1] == 0xAE]


@dataclass
class People:
    """Cardholder, PIN pad, issuer and log: whoever a kernel may ask."""

    issuer: IssuerAnswer | None = field(default_factory=lambda: IssuerAnswer(b"00"))
    pins: list[PINAnswer] = field(default_factory=list)
    choice: int | None = 0
    logged_minor: int = 0
    asked: list[Question] = field(default_factory=list)

    def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        match question:
            case AskIssuer():
                return self.issuer
            case VerifyPIN() | TakeOnlinePIN():
                return self.pins.pop(0)
            case ChooseApplication():
                return self.choice
            case LoggedAmount():
                return self.logged_minor
        raise AssertionError(question)

    def was_asked(self, kind: type) -> list[Any]:
        return [question for question in self.asked if isinstance(question, kind)]


@dataclass
class Slot:
    """A contact reader with its terminal; a test changes what it needs."""

    pump: Pump
    configuration: Configuration
    terminal: Terminal
    transaction: Transaction
    people: People = field(default_factory=People)

    def insert(
        self,
        card: Callable[[bytes], bytes | None],
        *,
        on_exception_file: bool = False,
        forced_online: bool = False,
    ) -> Outcome:
        kernel = process(
            self.configuration, self.terminal, self.transaction, forced_online=forced_online
        )
        tap = self.pump(
            kernel,
            card,
            answer=self.people,
            on_exception_file=on_exception_file,
            commands_max=400,
        )
        self.notes: list[str] = tap.notes
        self.shown: list[UserInterfaceRequest] = tap.shown
        assert isinstance(tap.outcome, Outcome)
        return tap.outcome


def application(**fields: Any) -> Application:
    nothing = ActionCodes(TVR(0), TVR(0), TVR(0))
    given = {"action_codes": nothing, "limits": RiskLimits(floor_minor=20_000)}
    return Application(VISA, **{**given, **fields})


@pytest.fixture(scope="session")
def new_application() -> Callable[..., Application]:
    return application


@pytest.fixture
def slot(pump: Pump, pki: Any) -> Slot:
    """A terminal with everything: PIN both ways, signature, no CVM, SDA, DDA, CDA."""
    return Slot(
        pump,
        Configuration((application(),), ca_keys=pki.store()),
        Terminal(country=156, capabilities=bytes.fromhex("E0F8C8")),
        Transaction(12_345, currency=156, currency_exponent=2, date=date(2026, 11, 24)),
    )


@pytest.fixture(scope="session")
def new_chip(pki: Any, encode: Encode) -> Callable[..., ChipCard]:
    return lambda **fields: ChipCard(pki, encode, **fields)


@pytest.fixture
def chip(new_chip: Callable[..., ChipCard]) -> ChipCard:
    """Asks for the issuer, then approves; no CVM, no offline authentication."""
    return new_chip()
