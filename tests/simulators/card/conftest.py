"""A reader written apart from the terminal: it knows qVSDC and trusts nothing.

Its TLV, its RSA and its hashes are its own; cryptograms are checked with
pyemv by the tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulators.card import Answer, AnyCard, load_profiles, make_card
from simulators.card.keys import CardKeys
from simulators.card.profile import Profile

PPSE = b"2PAY.SYS.DDF01".hex()
UNPREDICTABLE_NUMBER = "7FBC4049"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a scheme and an issuer, shared for speed."""
    folder = tmp_path_factory.mktemp("state")
    CardKeys(folder).prepare()
    return folder


@pytest.fixture(scope="session")
def profiles() -> dict[str, Profile]:
    return load_profiles()


@pytest.fixture
def card(home: Path, profiles: dict[str, Profile]) -> Callable[[str], AnyCard]:
    """Make a card by its profile's name."""

    def make(name: str) -> AnyCard:
        return make_card(profiles[name], home)

    return make


def read_tlv(data: bytes) -> dict[str, bytes]:
    """Every object, templates and what they hold, by tag; the first of a tag counts."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        start = at
        is_template = bool(data[at] & 0x20)
        if data[at] & 0x1F == 0x1F:
            at += 1
            while data[at] & 0x80:
                at += 1
        at += 1
        tag = data[start:at].hex().upper()
        length = data[at]
        at += 1
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        value = data[at : at + length]
        assert len(value) == length, f"{tag} is cut short"
        at += length
        found.setdefault(tag, value)
        if is_template:
            for inner, content in read_tlv(value).items():
                found.setdefault(inner, content)
    return found


@dataclass
class Reading:
    """What one tap brought."""

    options: dict[str, bytes]
    records: list[bytes]
    signed: bytes
    """Contents of the signed records."""
    given: dict[str, bytes]
    card: dict[str, bytes] = field(default_factory=dict)


@dataclass
class PlainReader:
    """Selects, asks for options, reads records."""

    amount: int = 10_000
    ttq: str = "22004080"
    number: str = UNPREDICTABLE_NUMBER
    statuses: list[str] = field(default_factory=list)

    def send(self, card: AnyCard, command: str) -> bytes:
        """Exchange one command; the data of its answer, the status kept apart."""
        response = card.respond(bytes.fromhex(command))
        assert isinstance(response, Answer)
        self.statuses.append(response.data[-2:].hex())
        return response.data[:-2]

    def given(self) -> dict[str, bytes]:
        values = {
            "9F66": self.ttq,
            "9F02": f"{self.amount:012}",
            "9F03": "000000000000",
            "9F1A": "0156",
            "95": "0000000000",
            "5F2A": "0156",
            "9A": "261124",
            "9C": "00",
            "9F37": self.number,
        }
        return {tag: bytes.fromhex(value) for tag, value in values.items()}

    def select(self, card: AnyCard, aid: str = "A0000000031010") -> dict[str, bytes]:
        """Power the card, look into its directory, select an application."""
        card.power_up()
        self.send(card, f"00A404000E{PPSE}00")
        return read_tlv(self.send(card, f"00A40400{len(aid) // 2:02X}{aid}00"))

    def get_options(self, card: AnyCard, pdol: bytes) -> bytes:
        data, at = b"", 0
        while at < len(pdol):
            size = 2 if pdol[at] & 0x1F == 0x1F else 1
            tag = pdol[at : at + size].hex().upper()
            value = self.given()[tag]
            assert pdol[at + size] == len(value)
            data += value
            at += size + 1
        body = b"\x83" + bytes((len(data),)) + data
        return self.send(card, f"80A80000{len(body):02X}{body.hex()}00")

    def tap(self, card: AnyCard, aid: str = "A0000000031010") -> Reading:
        """A whole tap, which must go well."""
        fci = self.select(card, aid)
        answer = self.get_options(card, fci["9F38"])
        assert self.statuses[-1] == "9000"
        assert len(answer) + 2 <= 258, "longer than a short answer"
        options = read_tlv(answer)
        records: list[bytes] = []
        signed = b""
        locator = options.get("94", b"")
        for at in range(0, len(locator), 4):
            sfi, first, last, count = locator[at] >> 3, *locator[at + 1 : at + 4]
            for number in range(first, last + 1):
                record = self.send(card, f"00B2{number:02X}{sfi << 3 | 4:02X}00")
                assert self.statuses[-1] == "9000"
                assert len(record) <= 256
                records.append(record)
                if number < first + count:
                    signed += read_tlv(record)["70"]
        everything = {**fci, **options}
        for record in records:
            objects = read_tlv(record)
            del objects["70"]
            assert not objects.keys() & options.keys(), "an object came twice"
            everything |= objects
        return Reading(options, records, signed, self.given(), everything)


@pytest.fixture
def reader() -> PlainReader:
    return PlainReader()


@pytest.fixture
def new_reader() -> Callable[..., PlainReader]:
    return PlainReader


@dataclass(frozen=True)
class PlainKey:
    """A public key and its bare power."""

    modulus: bytes
    exponent: int

    def open(self, signature: bytes) -> bytes:
        assert len(signature) == len(self.modulus)
        number = pow(
            int.from_bytes(signature, "big"), self.exponent, int.from_bytes(self.modulus, "big")
        )
        return number.to_bytes(len(self.modulus), "big")


class NotGenuine(AssertionError):
    """Something signed does not verify."""


def certified_key(
    signer: PlainKey, format_: int, head: int, objects: tuple[bytes, bytes, bytes], more: bytes
) -> tuple[bytes, PlainKey]:
    """Return the bytes before the algorithms, and the key, of a certificate.

    head: how many bytes stand between the format and the algorithms.
    objects: certificate, remainder, exponent. more: static data.
    """
    certificate, remainder, exponent = objects
    opened = signer.open(certificate)
    if (opened[0], opened[1], opened[-1]) != (0x6A, format_, 0xBC):
        raise NotGenuine(f"format {format_:02X} does not open")
    body = opened[1:-21]
    if hashlib.sha1(body + remainder + exponent + more).digest() != opened[-21:-1]:
        raise NotGenuine(f"format {format_:02X}: wrong hash")
    algorithms = body[1 + head : 5 + head]
    assert algorithms[:2] == b"\x01\x01"
    assert algorithms[3] == len(exponent)
    key = (body[5 + head :] + remainder)[: algorithms[2]]
    if remainder:
        key = body[5 + head :] + remainder
    assert len(key) == algorithms[2]
    return body[1 : 1 + head], PlainKey(key, int.from_bytes(exponent, "big"))


@pytest.fixture
def prove(home: Path) -> Callable[[Reading, int], bytes]:
    """Check a tap from the authority down; return what the card signed last."""
    public = CardKeys(home).ca_public_keys()[0]
    ca = PlainKey(public.modulus, public.exponent)

    def check(reading: Reading, format_: int) -> bytes:
        card = reading.card
        pan = card["5A"].hex().rstrip("f")
        assert card["8F"][0] == public.index
        head, issuer = certified_key(
            ca, 0x02, 9, (card["90"], card.get("92", b""), card["9F32"]), b""
        )
        assert pan.startswith(head[:4].hex().rstrip("f"))
        assert card["9F4A"] == b"\x82"
        head, icc = certified_key(
            issuer,
            0x04,
            15,
            (card["9F46"], card.get("9F48", b""), card["9F47"]),
            reading.signed + card["82"],
        )
        assert head[:10].hex().rstrip("f") == pan
        opened = icc.open(card["9F4B"])
        if (opened[0], opened[1], opened[2], opened[-1]) != (0x6A, format_, 0x01, 0xBC):
            raise NotGenuine("dynamic data does not open")
        given = reading.given
        covered = given["9F37"]
        if "9F69" in card:
            covered += given["9F02"] + given["5F2A"] + card["9F69"]
        if hashlib.sha1(opened[1:-21] + covered).digest() != opened[-21:-1]:
            raise NotGenuine("dynamic data: wrong hash")
        return opened[4 : 4 + opened[3]]

    return check


@pytest.fixture
def not_genuine() -> type[Exception]:
    return NotGenuine
