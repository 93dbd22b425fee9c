"""A till, a wallet and a card to try the bank with, each written by hand.

Signatures are made from RFC 9421's text and cryptograms by pyemv, so that
the bank is not held against itself.
"""

import base64
import hashlib
import json
import random
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jwe
from joserfc.jwk import ECKey
from pyemv.cvn import VisaCVN10, VisaCVN18
from sqlalchemy import Connection

from simulators.bank import bench, ledger
from simulators.bank.core import Bank, HttpAnswer, HttpRequest, Peer, answer
from simulators.bank.place import BankPlace
from simulators.bank.postgres import PrivatePostgres
from simulators.bank.trust.signatures import FieldLines

# 24 November 2026, 08:00 UTC.
NOW_MS = 1_795_507_200_000

ISSUER_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")

ONLINE_PAN = "4761739001010119"
CVN_10_PAN = "4242424242424242"

REQUEST_COMPONENTS = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-type",
    "content-digest",
    "idempotency-key",
)

Body = dict[str, Any]


class Shop:
    """A bank with a clock that stands still until it is moved."""

    def __init__(self, home: Path, database: str | None = None) -> None:
        """database: an address of PostgreSQL; the usual file without one."""
        self.database = database
        self.now_ms = NOW_MS
        self.chance = random.Random(4)
        self.home = home
        self.place: BankPlace = bench.prepare(home, self.now_ms)
        self.place.issuer_key.parent.mkdir(mode=0o700)
        self.place.issuer_key.write_text(ISSUER_KEY.hex())
        self.bank = Bank.open(self.place, database)
        self.counters: dict[str, int] = {}
        self.nudged: list[str] = []

    def close(self) -> None:
        self.bank.close()

    def pass_s(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    def uuid(self) -> str:
        digits = f"{self.chance.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def at(self) -> str:
        import datetime

        moment = datetime.datetime.fromtimestamp(self.now_ms / 1000, datetime.UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"

    def send(self, request: HttpRequest) -> HttpAnswer:
        told = answer(self.bank, request, self.now_ms, self.chance.randbytes)
        self.nudged += told.nudges
        return told

    def enrol(self, role: str, id: str, request: Body, merchant: str = "") -> Body:
        code = bench.issue_enrolment_code(
            self.place,
            role,
            id,
            self.now_ms,
            self.chance.randbytes,
            merchant=merchant,
            database=self.database,
        )
        asked = {"code": code, **request}
        return bench.enrol(self.place, asked, self.now_ms, database=self.database)

    def till(self, id: str = "till-1", merchant: str = "corner-shop") -> "Till":
        tls_key, signing_key = ec.generate_private_key(ec.SECP256R1()), new_signing_key()
        request = {"tls_csr": csr(tls_key), "signing_csr": csr(signing_key)}
        enrolled = self.enrol("till", id, request, merchant)
        return Till(self, id, tls_key, signing_key, enrolled)

    def wallet(self, id: str) -> "Wallet":
        tls_key = ec.generate_private_key(ec.SECP256R1())
        return Wallet(self, id, tls_key, self.enrol("wallet", id, {"tls_csr": csr(tls_key)}))

    def read(self, look: Callable[[Connection], Any]) -> Any:
        return self.bank.store.write(look)

    def balance(self, account: str, currency: str = "CNY") -> int:
        totals = self.read(ledger.totals)
        return int(totals.get((account, currency), 0))

    def taken(self, merchant: str = "corner-shop", currency: str = "CNY") -> int:
        return self.balance(f"merchant/{merchant}", currency)

    def card(self, amount_minor: int, **changes: Any) -> "Card":
        pan = changes.pop("pan", ONLINE_PAN)
        self.counters[pan] = self.counters.get(pan, 0) + 1
        return Card(pan, amount_minor, counter=self.counters[pan], **changes)


@dataclass
class Card:
    """What one tap of a card with a good key gives the till."""

    pan: str
    amount_minor: int
    counter: int = 1
    currency: int = 156
    version: int = 18
    kind: int = 0x80
    """Cryptogram information data: 80 ARQC, 40 TC."""
    issuer_key: bytes = ISSUER_KEY
    changes: dict[int, bytes | None] = field(default_factory=dict)
    """Tags to replace, or to leave out, after the cryptogram was made."""

    def emv(self) -> str:
        results = {0x80: "A0", 0x40: "90", 0x00: "80"}[self.kind]
        issuer_data = bytes.fromhex(f"0601{self.version:02X}03{results}0000")
        told = {
            "tag_9f02": bytes.fromhex(f"{self.amount_minor:012d}"),
            "tag_9f03": bytes(6),
            "tag_9f1a": bytes.fromhex("0156"),
            "tag_95": bytes(5),
            "tag_5f2a": bytes.fromhex(f"{self.currency:04d}"),
            "tag_9a": bytes.fromhex("261124"),
            "tag_9c": b"\x00",
            "tag_9f37": bytes.fromhex("01020304"),
            "tag_82": bytes.fromhex("2000"),
            "tag_9f36": self.counter.to_bytes(2, "big"),
        }
        if self.version == 10:
            maker = VisaCVN10(self.issuer_key, bytes(16), bytes(16), self.pan, "00")
            cryptogram = maker.generate_ac(**told, cvr=issuer_data[3:])
        else:
            other = VisaCVN18(self.issuer_key, bytes(16), bytes(16), self.pan, "00")
            cryptogram = other.generate_ac(**told, tag_9f10=issuer_data)
        values: dict[int, bytes | None] = {
            int(name.removeprefix("tag_"), 16): value for name, value in told.items()
        }
        values |= {
            0x9F10: issuer_data,
            0x9F26: cryptogram,
            0x9F27: bytes([self.kind]),
            0x57: bytes.fromhex(f"{self.pan}D31122010000000000"[:36]),
            0x5F24: bytes.fromhex("311231"),
        }
        values |= self.changes
        return "".join(tlv(tag, value) for tag, value in values.items() if value is not None)


@dataclass
class Till:
    """Signs by hand, checks every answer by hand."""

    shop: Shop
    id: str
    tls_key: ec.EllipticCurvePrivateKey
    signing_key: ed25519.Ed25519PrivateKey
    enrolled: Body

    @property
    def peer(self) -> Peer:
        return peer_of(self.enrolled["tls_chain"])

    def tls(self, folder: Path) -> ssl.SSLContext:
        """Return what a connection of this till is made with."""
        key = self.tls_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = folder / f"{self.id}.pem"
        chain.write_bytes(key + self.enrolled["tls_chain"].encode())
        context = ssl.create_default_context(cafile=str(self.shop.place.ca_certificate))
        context.load_cert_chain(chain)
        return context

    def request(
        self,
        path: str,
        body: Body | bytes,
        *,
        key: str | None = None,
        created_s: int | None = None,
        life_s: int = 60,
        nonce: str | None = None,
        keyid: str | None = None,
        alg: str = "ed25519",
        tag: str = "opentill-req",
        label: str = "opentill",
        components: Sequence[str] = REQUEST_COMPONENTS,
        leave_out: Sequence[str] = (),
        digest: str | None = None,
        host: str = "127.0.0.1:8443",
        method: str = "POST",
        peer: Peer | None = None,
        number: str | None = None,
    ) -> HttpRequest:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sha_256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = {
            "host": host,
            "content-type": "application/json",
            "content-digest": digest or f"sha-256=:{sha_256}:",
            "idempotency-key": key or self.shop.uuid(),
        }
        if number is not None:
            headers["opentill-counter"] = number
        name, _, query = path.partition("?")
        derived = {"@method": method, "@authority": host, "@path": name, "@query": f"?{query}"}
        created_s = self.shop.now_ms // 1000 if created_s is None else created_s
        nonce = nonce or base64.b64encode(self.shop.chance.randbytes(16)).decode()
        parameters = {
            "created": f"{created_s}",
            "expires": f"{created_s + life_s}",
            "nonce": f'"{nonce}"',
            "keyid": f'"{keyid or self.id}"',
            "alg": f'"{alg}"',
            "tag": f'"{tag}"',
        }
        covered = " ".join(f'"{component}"' for component in components)
        end = "".join(f";{k}={v}" for k, v in parameters.items() if k not in leave_out)
        lines = [f'"{component}": {(derived | headers)[component]}' for component in components]
        base = "\n".join([*lines, f'"@signature-params": ({covered}){end}'])
        signature = base64.b64encode(self.signing_key.sign(base.encode())).decode()
        headers["signature-input"] = f"{label}=({covered}){end}"
        headers["signature"] = f"{label}=:{signature}:"
        return HttpRequest(method, path, FieldLines(headers.items()), content, peer or self.peer)

    def ask(self, path: str, body: Body | bytes, **changes: Any) -> tuple[int, Body]:
        """Send, check that the answer is bound to the request, return it."""
        request = self.request(path, body, **changes)
        return self.check(request, self.shop.send(request))

    def check(
        self, request: HttpRequest, told: HttpAnswer, *, bound: bool = True
    ) -> tuple[int, Body]:
        headers = told.headers
        digest = base64.b64encode(hashlib.sha256(told.body).digest()).decode()
        assert headers["content-digest"] == f"sha-256=:{digest}:"
        label, _, params = headers["signature-input"].partition("=")
        assert label == "opentill"
        covered = '"@status" "content-type" "content-digest"'
        lines = [
            f'"@status": {told.status}',
            f'"content-type": {headers["content-type"]}',
            f'"content-digest": {headers["content-digest"]}',
        ]
        if bound:
            covered += ' "signature";req "idempotency-key";req'
            lines += [
                f'"{name}";req: {request.headers.single(name)}'
                for name in ("signature", "idempotency-key")
            ]
        assert params.startswith(f"({covered});")
        assert 'tag="opentill-rsp"' in params
        base = "\n".join([*lines, f'"@signature-params": {params}'])
        signature = headers["signature"].removeprefix("opentill=:").removesuffix(":")
        key = serialization.load_pem_public_key(self.enrolled["answer_key"].encode())
        cast(ed25519.Ed25519PublicKey, key).verify(base64.b64decode(signature), base.encode())
        return told.status, json.loads(told.body)

    def seal(self, content: Body) -> str:
        key = ECKey.import_key(self.enrolled["sealing_key"])
        header = {"alg": "ECDH-ES", "enc": "A256GCM"}
        return jwe.encrypt_compact(header, json.dumps(content), key)

    def sale(self, amount_minor: int, *, currency: str = "CNY", **changes: Any) -> Body:
        """Return the body of a sale by a card that taps now.

        sealed: what goes under the seal beside the card.
        """
        attempt = changes.pop("attempt", None) or self.shop.uuid()
        more = changes.pop("sealed", {})
        card = changes.pop("card", None) or self.shop.card(amount_minor, **changes)
        content = {"attempt": attempt, "entry": "contactless", "emv": card.emv(), **more}
        return {
            "attempt": attempt,
            "number": 7,
            "kind": "sale",
            "amount_minor": amount_minor,
            "currency": currency,
            "at": self.shop.at(),
            "tender": {"type": "card", "sealed": self.seal(content)},
            "original": None,
        }

    def code_sale(self, amount_minor: int, code: str) -> Body:
        """Return the body of a sale by a payment code."""
        attempt = self.shop.uuid()
        sealed = self.seal({"attempt": attempt, "code": code})
        tender = {"type": "payment_code", "sealed": sealed}
        return self.sale(amount_minor, attempt=attempt) | {"tender": tender}

    def give_back(self, kind: str, original: str, amount_minor: int) -> Body:
        return {
            "attempt": self.shop.uuid(),
            "number": 8,
            "kind": kind,
            "amount_minor": amount_minor,
            "currency": "CNY",
            "at": self.shop.at(),
            "original": original,
        }

    def pay(self, body: Body, **changes: Any) -> tuple[int, Body]:
        return self.ask("/v1/payments", body, key=body["attempt"], **changes)

    def advise(self, body: Body) -> tuple[int, Body]:
        return self.ask("/v1/advices", body, key=body["attempt"])

    def status(self, attempt: str) -> str:
        code, told = self.ask("/v1/payments/status", {"attempt": attempt})
        assert code == 200
        return str(told["state"])

    def reverse(self, attempt: str) -> str:
        body = {"attempt": attempt, "reason": "no_answer"}
        code, told = self.ask("/v1/payments/reverse", body)
        assert code == 200
        return str(told["state"])

    def close(self, attempt: str) -> str:
        code, told = self.ask("/v1/payments/close", {"attempt": attempt})
        assert code == 200
        return str(told["state"])

    def order(self, amount_minor: int, attempt: str | None = None, **changes: Any) -> Body:
        body = {
            "order": self.shop.uuid(),
            "attempt": attempt or self.shop.uuid(),
            "number": 9,
            "amount_minor": amount_minor,
            "currency": "CNY",
            "at": self.shop.at(),
            "valid_s": 60,
        }
        code, told = self.ask("/v1/orders", body | changes)
        assert code == 200, told
        return told


@dataclass
class Wallet:
    """A phone's side of the bank."""

    shop: Shop
    id: str
    tls_key: ec.EllipticCurvePrivateKey
    enrolled: Body

    @property
    def peer(self) -> Peer:
        return peer_of(self.enrolled["tls_chain"])

    def ask(self, verb: str, **body: Any) -> tuple[int, Body]:
        headers = {"host": "127.0.0.1:8443", "content-type": "application/json"}
        told = self.shop.send(
            HttpRequest(
                "POST",
                f"/wallet/v1/{verb}",
                FieldLines(headers.items()),
                json.dumps({"wallet": self.id} | body).encode(),
                self.peer,
            )
        )
        return told.status, json.loads(told.body)

    def code(self, form: str = "digits") -> str:
        status, told = self.ask("codes", form=form)
        assert status == 200, told
        return str(told["code"])


def new_signing_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def csr(key: Any) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whatever it likes")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)
    return request.public_bytes(serialization.Encoding.PEM).decode()


def peer_of(chain: str) -> Peer:
    certificate = x509.load_pem_x509_certificate(chain.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return Peer(tuple(uris), certificate.fingerprint(hashes.SHA256()).hex())


def tlv(tag: int, value: bytes) -> str:
    return f"{tag:02X}{len(value):02X}{value.hex().upper()}"


# What is decided and booked is the same on a server.
ON_BOTH = ("test_payments", "test_holds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shop" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        on_server = pytest.param("server", marks=pytest.mark.wire)
        metafunc.parametrize("shop", ["file", on_server], indirect=True)


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL for this process. Missing, it is a failure that names the package."""
    with PrivatePostgres() as server:
        yield server


@pytest.fixture
def postgres(running_postgres: PrivatePostgres) -> PrivatePostgres:
    """The same, empty."""
    running_postgres.clear()
    return running_postgres


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """A bank, and that its ledger balances whatever the test did."""
    database = None
    if getattr(request, "param", "file") == "server":
        database = request.getfixturevalue("postgres").url
    shop = Shop(tmp_path, database)
    yield shop
    assert shop.read(ledger.faults) == []
    shop.close()


@pytest.fixture
def till(shop: Shop) -> Till:
    return shop.till()
