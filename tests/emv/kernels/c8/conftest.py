"""A paper card of kernel 8: its own half of the channel, every byte open to change.

Written from Book E with numbers alone, and checked against the computed
cases from outside by the kernel that it must agree with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from emv.entry_point import Combination, EntryPointConfig, Terminal, Transaction, run
from emv.kernels import c8

if TYPE_CHECKING:
    from tests.emv.conftest import Respond, Tap

AID = bytes.fromhex("A0000000040808")
RID = AID[:5]
PAN = "5413330089600010"
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CURVE = ec.SECP256R1()
CDOL1 = "9F02069F03069F1A0295055F2A029A039C019F37049F3501"
PDOL = "9E409F2B08"
CA_INDEX = 0x92

CA, ISSUER, ICC, BLINDING = 0xCA11, 0x155E, 0x1CC0FFEE, 0xB11D


def tlv(tag: str, value: bytes | str) -> bytes:
    """Encode one object by hand: lengths to 255."""
    raw = bytes.fromhex(value) if isinstance(value, str) else value
    length = bytes((len(raw),)) if len(raw) < 128 else bytes((0x81, len(raw)))
    return bytes.fromhex(tag) + length + raw


def certified(secret: int) -> tuple[int, bytes]:
    """Return a secret whose point has the smaller y, and that point's x."""
    numbers = ec.derive_private_key(secret, CURVE).public_key().public_numbers()
    if numbers.y >= (P + 1) // 2:
        secret = N - secret
    return secret, numbers.x.to_bytes(32, "big")


def times(scalar: int, point: ec.EllipticCurvePublicKey) -> bytes:
    return ec.derive_private_key(scalar % N, CURVE).exchange(ec.ECDH(), point)


def sign(message: bytes, secret: int) -> bytes:
    """EC-SDSA by x alone, with a nonce that is good enough for paper."""
    nonce = int.from_bytes(sha256(b"nonce" + message).digest(), "big") % N
    point = ec.derive_private_key(nonce, CURVE).public_key().public_numbers()
    witness = sha256(point.x.to_bytes(32, "big") + message).digest()
    response = (nonce + int.from_bytes(witness, "big") * secret) % N
    return witness + response.to_bytes(32, "big")


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


@dataclass
class PaperCard8:
    """A card of kernel 8; it asks the issuer, unless told otherwise."""

    aid: bytes = AID
    qualifier: str = "02 00FFFF 00 0000"
    pdol: str = PDOL
    aip: str = "010A"
    """Local authentication; may approve offline; the IAD-MAC at the default offset."""
    wants: int = 0x80
    """The best cryptogram it gives: TC 40, ARQC 80 or AAC 00."""
    cvd: str = "0F"
    relay: str = "11223344 0005 0032 0018"
    iad: str = "00" * 16
    gpo_status: str = "9000"
    gpo_without: frozenset[str] = frozenset()
    gpo_extra: bytes = b""
    record_without: frozenset[str] = frozenset()
    record_extra: bytes = b""
    is_plain: bool = False
    """Send the records as they are."""
    extended_list: str = ""
    answer_status: str = "9000"
    answer_without: frozenset[str] = frozenset()
    answer_extra: bytes = b""
    cid: int | None = None
    is_wrong: frozenset[str] = frozenset()
    """What it gets wrong: iad-mac, eda-mac, key, issuer, icc, static, envelope."""
    issuer_head: str = "1200 541333FFFF 10 20311231 000001"
    issuer_scheme: bytes = RID + bytes((CA_INDEX,))
    icc_head: str = "140000 20311231 2359 000000000001 0102"
    envelopes: dict[int, bytes] = field(default_factory=dict)
    leaves_at: int | None = None
    """The instruction at which it leaves."""
    commands: list[bytes] = field(default_factory=list)

    def __call__(self, command: bytes) -> bytes | None:
        self.commands.append(command)
        ins, length = command[1], command[4]
        data = command[5 : 5 + length]
        if ins == self.leaves_at:
            return None
        if ins == 0xA4:
            return self.select(data)
        if ins == 0xA8:
            return self.options(data[2:] if data[1] < 128 else data[3:])
        if ins == 0xEA:
            self.entropy = data + bytes.fromhex(self.relay)
            return tlv("80", self.relay) + b"\x90\x00"
        if ins == 0xB2:
            records = self.records()
            number = command[2]
            if number > len(records):
                return b"\x6a\x83"
            return self.protect(records[number - 1]) + b"\x90\x00"
        if ins == 0x32:
            return self.read(int.from_bytes(data, "big"))
        if ins == 0x34:
            return self.write(data)
        if ins == 0xAE:
            return self.generate(command[2], data)
        return b"\x6d\x00"

    def select(self, name: bytes) -> bytes:
        if name == b"2PAY.SYS.DDF01":
            entry = tlv("61", tlv("4F", self.aid) + tlv("87", "01") + tlv("9F2A", "08"))
            return tlv("6F", tlv("84", name) + tlv("A5", tlv("BF0C", entry))) + b"\x90\x00"
        inner = tlv("50", b"KERNEL 8") + tlv("5F2D", b"enzh") + tlv("9F38", self.pdol)
        if self.qualifier:
            inner += tlv("9F2C", self.qualifier)
        return tlv("6F", tlv("84", self.aid) + tlv("A5", inner)) + b"\x90\x00"

    # The channel. Source: Book E, 7.

    def options(self, values: bytes) -> bytes:
        self.lists, self.entropy = values, b""
        self.card_counter, self.kernel_counter = 0x8000, 0x0000
        self.secret, self.own_x = certified(ICC)
        try:
            kernel_key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, b"\x04" + values[:64])
        except ValueError:
            # Somebody changed the list on its way, and the kernel sent no key.
            return b"\x6a\x80"
        secret = self.secret + ("key" in self.is_wrong)
        own = ec.derive_private_key(secret, CURVE).public_key()
        blinded = times(BLINDING, own)
        derived = cmac(bytes(16), times(secret * BLINDING, kernel_key))
        encrypt = Cipher(algorithms.AES(derived), modes.ECB()).encryptor()
        constant = bytes.fromhex("010054334A325957773DA5A5A50180")
        self.skc, self.ski = (encrypt.update(one + constant) for one in (b"\x01", b"\x02"))
        objects: dict[str, bytes | str] = {
            "82": self.aip,
            "94": f"1001{len(self.records()):02X}01",
            "8C": CDOL1,
            "9F8103": blinded + self.cipher(BLINDING.to_bytes(32, "big")),
        }
        body = b"".join(tlv(*one) for one in objects.items() if one[0] not in self.gpo_without)
        if self.gpo_status != "9000":
            return bytes.fromhex(self.gpo_status)
        return tlv("77", body + self.gpo_extra) + b"\x90\x00"

    def cipher(self, data: bytes) -> bytes:
        start = self.card_counter.to_bytes(2, "big") + bytes(14)
        self.card_counter += 1
        return Cipher(algorithms.AES(self.skc), modes.CTR(start)).encryptor().update(data)

    def static(self) -> bytes:
        objects: dict[str, bytes | str] = {"5A": PAN, "5F24": "311231", "5F34": "01"}
        if self.extended_list:
            objects["9F810A"] = self.extended_list
        kept = [tlv(*one) for one in objects.items() if one[0] not in self.record_without]
        return b"".join(kept) + self.record_extra

    def static_hash(self) -> bytes:
        known = {"50": b"KERNEL 8", "9F8111": self.envelopes.get(0x9F8111, b"")}
        extended, rest = b"", self.extended_list
        for tag in ("50", "9F8111", "9F70"):
            if tag in rest:
                extended += tlv(tag, known.get(tag, b""))
        return sha256(self.static() + extended + bytes.fromhex(self.aip)).digest()

    def records(self) -> list[bytes]:
        """Contents of the records: signed data, then the certificates."""
        ca, issuer = certified(CA)[0], certified(ISSUER)
        own_x = certified(ICC)[1]
        signed = bytes.fromhex(self.issuer_head) + self.issuer_scheme + issuer[1]
        issuer_certificate = signed + sign(signed, ca + ("issuer" in self.is_wrong))
        digest = bytes(32) if "static" in self.is_wrong else self.static_hash()
        signed = bytes.fromhex(self.icc_head) + digest + own_x
        own_certificate = signed + sign(signed, issuer[0] + ("icc" in self.is_wrong))
        objects: list[dict[str, bytes | str]] = [
            {"8F": f"{CA_INDEX:02X}", "90": issuer_certificate},
            {"9F46": own_certificate},
        ]
        return [self.static()] + [
            b"".join(tlv(*one) for one in each.items() if one[0] not in self.record_without)
            for each in objects
        ]

    def protect(self, content: bytes) -> bytes:
        return tlv("70", content) if self.is_plain else tlv("DA", self.cipher(content))

    def read(self, tag: int) -> bytes:
        if tag not in self.envelopes:
            return b"\x6a\x88"
        counter = self.card_counter.to_bytes(2, "big")
        sent = self.cipher(tlv(f"{tag:X}", self.envelopes[tag]))
        mac = cmac(self.ski, counter + sent)[:8]
        if "envelope" in self.is_wrong:
            mac = bytes(8)
        return sent + mac + b"\x90\x00"

    def write(self, data: bytes) -> bytes:
        start = self.kernel_counter.to_bytes(2, "big") + bytes(14)
        self.kernel_counter += 1
        plain = Cipher(algorithms.AES(self.skc), modes.CTR(start)).encryptor().update(data)
        counter = self.card_counter.to_bytes(2, "big")
        self.card_counter += 1
        self.envelopes[int.from_bytes(plain[:3], "big")] = plain[4:]
        mac = cmac(self.ski, counter + plain)[:8]
        return (bytes(8) if "envelope" in self.is_wrong else mac) + b"\x90\x00"

    def generate(self, control: int, data: bytes) -> bytes:
        if self.answer_status != "9000":
            return bytes.fromhex(self.answer_status)
        order = (0x00, 0x80, 0x40)
        given = min(control, self.wants, key=order.index)
        objects = {
            "9F27": bytes((given if self.cid is None else self.cid,)),
            "9F36": b"\x00\x2a",
            "9F8102": bytes.fromhex(self.cvd),
            "9F10": bytes.fromhex(self.iad),
        }
        body = b"".join(tlv(*one) for one in objects.items() if one[0] not in self.answer_without)
        body += self.answer_extra
        covered = self.lists + data + self.entropy + body + self.static_hash()
        plain = cmac(self.ski, bytes(2) + covered)
        opened = Cipher(algorithms.AES(self.ski), modes.ECB()).decryptor().update(plain)
        self.mac = bytes(a ^ b for a, b in zip(plain, opened, strict=True))[:8]
        if "iad-mac" in self.is_wrong:
            self.mac = bytes(8)
        cryptogram = bytes.fromhex("0123456789ABCDEF")
        eda = cmac(self.ski, bytes(2) + cryptogram + self.mac)[:8]
        if "eda-mac" in self.is_wrong:
            eda = bytes(8)
        proofs = {"9F26": cryptogram, "9F8105": eda}
        body += b"".join(tlv(*one) for one in proofs.items() if one[0] not in self.answer_without)
        return tlv("77", body) + b"\x90\x00"


@pytest.fixture
def card8() -> PaperCard8:
    return PaperCard8()


@pytest.fixture(scope="session")
def new_card8() -> Callable[..., PaperCard8]:
    """Make paper cards, for tests that need many."""
    return PaperCard8


@pytest.fixture(scope="session")
def ca_keys() -> c8.ECKeyStore:
    numbers = ec.derive_private_key(certified(CA)[0], CURVE).public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return c8.ECKeyStore([c8.ECKey(RID, CA_INDEX, x, y)])


@pytest.fixture
def pay8(
    ca_keys: c8.ECKeyStore, terminal: Terminal, sale: Transaction, pump: Callable[..., Tap]
) -> Callable[..., Tap]:
    """Tap a card for an amount with a reader of this configuration."""

    def tap(
        card: Respond,
        amount: int = 12_345,
        *,
        terminal_type: int = 0x22,
        transaction_type: int = 0x00,
        elapsed_us: Callable[[bytes], int] = lambda _command: 5000,
        **configuration: Any,
    ) -> Tap:
        settings = {
            "ca_keys": ca_keys,
            "floor_limit_minor": 20_000,
            "cvm_required_limit_minor": 100_000,
            **configuration,
        }
        kernel = c8.kernel({AID: c8.Configuration(**settings)})
        config = EntryPointConfig(
            replace(terminal, terminal_type=terminal_type), (Combination(AID, 8),)
        )
        transaction = replace(
            sale, amount_authorised_minor=amount, transaction_type=transaction_type
        )
        return pump(run(config, transaction, {8: kernel}), card, elapsed_us=elapsed_us)

    return tap
