"""A bank that can misbehave: real TLS and real keys, every byte of its answers ours."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from requests.structures import CaseInsensitiveDict

from simulators.bank import bench
from simulators.bank.place import BankPlace
from simulators.bank.trust.authority import Authority, certificate_pem, private_pem
from simulators.bank.trust.keys import Keys
from terminal.bank.client import BankClient
from terminal.bank.signing import BOUND, content_digest
from terminal.seams import SystemClock
from terminal.security.enrolment import enrol
from terminal.security.keys import TillKeys

NOW_MS = time.time_ns() // 1_000_000
ATTEMPT = "018f0000-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


Behaviour = Callable[[Seen, ssl.SSLSocket], None]


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Any:
        return self._key

    def resolve_public_key(self, key_id: str) -> Any:
        raise NotImplementedError


@dataclass
class Answering:
    """Forms answers, signed by an independent implementation."""

    key: ed25519.Ed25519PrivateKey

    def body(self, **changes: object) -> bytes:
        """Return an approval's JSON, with changes."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        content = {
            "attempt": ATTEMPT,
            "state": "approved",
            "code": "00",
            "reference": "012345678901",
            "authorisation": "123456",
            "emv": "910A0102030405060708" + "3030",
            "brand": "Visa",
            "shown_code": None,
            "expires_at": None,
            "at": at.replace("+00:00", "Z"),
        }
        return json.dumps(content | changes).encode()

    def fault(self, word: str) -> bytes:
        """Return a refusal's JSON."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        return json.dumps({"error": word, "detail": "", "at": at.replace("+00:00", "Z")}).encode()

    def headers(
        self,
        seen: Seen,
        body: bytes,
        status: int = 200,
        *,
        covered: tuple[str, ...] = BOUND,
        tag: str = "opentill-rsp",
        label: str = "opentill",
        key: ed25519.Ed25519PrivateKey | None = None,
        **fields: str,
    ) -> dict[str, str]:
        """Return the header fields of a signed answer."""
        headers = CaseInsensitiveDict(
            {
                "Content-Type": "application/json",
                "Content-Digest": content_digest(body),
                "Content-Length": str(len(body)),
                **fields,
            }
        )
        request = SimpleNamespace(
            method="POST", url=f"https://localhost{seen.path}", headers=seen.headers
        )
        message = SimpleNamespace(status_code=status, headers=headers, request=request)
        HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(key or self.key)
        ).sign(
            message,
            key_id="bank",
            label=label,
            tag=tag,
            covered_component_ids=covered,
            use_existing_digest=True,
        )
        return dict(headers)

    def signed(self, seen: Seen, body: bytes | None = None, status: int = 200, **how: Any) -> bytes:
        """Return the bytes of a whole signed answer."""
        body = self.body() if body is None else body
        return self.raw(status, self.headers(seen, body, status, **how), body)

    def send(self, *args: Any, **how: Any) -> Behaviour:
        """Return a behaviour that answers so."""
        return lambda seen, connection: connection.sendall(self.signed(seen, *args, **how))

    @staticmethod
    def raw(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [
            f"HTTP/1.1 {status} Answer",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    @staticmethod
    def hang_up(seen: Seen, connection: ssl.SSLSocket) -> None:
        """Close without a word."""
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    @staticmethod
    def say_nothing(seen: Seen, connection: ssl.SSLSocket) -> None:
        """Keep the till waiting."""

    @staticmethod
    def nonce_of(seen: Seen) -> str:
        found = re.search(r'nonce="([^"]+)"', seen.headers["signature-input"])
        assert found
        return found.group(1)


@dataclass
class HostileBank:
    """Listens on loopback and does to each request what the next behaviour says."""

    context: ssl.SSLContext
    default: Behaviour
    next: list[Behaviour] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    met: threading.Event = field(default_factory=threading.Event)
    """Somebody connected."""
    keeps_failed_open: bool = False

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._count += 1
            self.met.set()
            threading.Thread(
                target=self._serve, args=(connection, self._count), daemon=True
            ).start()

    def _serve(self, plain: socket.socket, number: int) -> None:
        try:
            with self.context.wrap_socket(
                plain.dup() if self.keeps_failed_open else plain, server_side=True
            ) as connection:
                self._open.append(connection)
                stream = connection.makefile("rb")
                while line := stream.readline():
                    path = line.decode().split(" ")[1]
                    headers = CaseInsensitiveDict[str]()
                    while header := stream.readline().strip():
                        name, _, value = header.decode().partition(": ")
                        headers[name] = value
                    body = stream.read(int(headers["content-length"]))
                    seen = Seen(path, headers, body, number)
                    self.seen.append(seen)
                    self.asked.set()
                    behaviour = self.next.pop(0) if self.next else self.default
                    behaviour(seen, connection)
        except OSError:
            return

    def stop_listening(self) -> None:
        """Refuse new connections; open ones live on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        self.stop_listening()
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            connection.close()


@dataclass(frozen=True)
class Enrolled:
    """A till's keys, and those of the bank it enrolled with."""

    keys: TillKeys
    bank: Keys
    authority: Authority
    place: BankPlace


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Enrolled:
    home = tmp_path_factory.mktemp("shop")
    place = bench.prepare(home, NOW_MS)
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    keys = enrol(home / "till/keys", code, lambda request: bench.enrol(place, request, NOW_MS))
    return Enrolled(keys, Keys.load(place), Authority.load(place), place)


@pytest.fixture(scope="session")
def answering(enrolled: Enrolled) -> Answering:
    return Answering(enrolled.bank.answer)


def repurposed(
    certificate: x509.Certificate, authority: Authority, key: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    """Return the same certificate, but for TLS clients."""
    builder = x509.CertificateBuilder(
        certificate.issuer,
        certificate.subject,
        key,
        certificate.serial_number,
        certificate.not_valid_before_utc.replace(tzinfo=None),
        certificate.not_valid_after_utc.replace(tzinfo=None),
    )
    for extension in certificate.extensions:
        if not isinstance(extension.value, x509.ExtendedKeyUsage):
            builder = builder.add_extension(extension.value, extension.critical)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return builder.add_extension(purpose, critical=True).sign(authority.key, hashes.SHA256())


ServerTLS = Callable[..., ssl.SSLContext]


@pytest.fixture
def server_tls(enrolled: Enrolled, tmp_path: Path) -> ServerTLS:
    """Make a server's TLS settings, by default those of the bank."""

    def make(
        *,
        authority: Authority = enrolled.authority,
        name: str = "localhost",
        now_ms: int = NOW_MS,
        clients: Path = enrolled.place.ca_certificate,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        is_for_clients: bool = False,
    ) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = authority.issue_server([name], key.public_key(), now_ms)
        if is_for_clients:
            certificate = repurposed(certificate, authority, key.public_key())
        file = tmp_path / "server.pem"
        file.write_bytes(private_pem(key) + certificate_pem(certificate).encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = newest
        return context

    return make


StartBank = Callable[..., HostileBank]


@pytest.fixture
def start_bank(server_tls: ServerTLS, answering: Answering) -> Iterator[StartBank]:
    banks: list[HostileBank] = []

    def start(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> HostileBank:
        bank = HostileBank(tls or server_tls(), default=answering.send(), next=list(behaviours))
        banks.append(bank)
        return bank

    yield start
    for bank in banks:
        bank.close()


@pytest.fixture
def bank(start_bank: StartBank) -> HostileBank:
    """Approves until told otherwise."""
    return start_bank()


ConnectTill = Callable[..., BankClient]


@pytest.fixture
def connect(enrolled: Enrolled) -> Iterator[ConnectTill]:
    """Make a till's client for an address."""
    clients: list[BankClient] = []

    def make(url: str, **settings: Any) -> BankClient:
        settings.setdefault("keys", enrolled.keys)
        settings.setdefault("clock", SystemClock())
        client = BankClient(url, randomness=os.urandom, **settings)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()
