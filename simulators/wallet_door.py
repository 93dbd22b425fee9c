"""The wallet's way to its bank: HTTPS with the wallet's own certificate.

Written on the standard library alone, apart from the till's client.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ANSWER_BYTES_MAX = 1 << 20


class WalletError(Exception):
    """The wallet cannot do what was asked; the message says why."""


class BankUnreachable(WalletError):
    """The phone has no way to its bank."""


class BankRefused(WalletError):
    """The bank does not accept the request as it stands."""


class HTTPSDoor:
    """Asks the bank, one connection per question. Satisfies wallet.Door."""

    def __init__(self, url: str, certificates: Path, *, timeout_s: float = 10.0) -> None:
        """url: the bank, 'https://localhost:8443'.

        certificates: the folder that enrol_wallet() fills.
        Raises WalletError if the folder does not hold a wallet's certificate,
        or the address is none.
        """
        address = urlsplit(url)
        if address.scheme != "https" or not address.hostname:
            raise WalletError(f"{url} is not an https address")
        self._host, self._port = address.hostname, address.port or 443
        self._timeout_s = timeout_s
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            context.load_verify_locations(certificates / "bank-ca.pem")
            context.load_cert_chain(certificates / "tls.pem", certificates / "tls-key.pem")
        except (OSError, ssl.SSLError) as error:
            raise WalletError(f"no wallet certificate in {certificates}: {error}") from error
        self._context = context

    def ask(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the bank's answer to a POST of this JSON object.

        Raises BankUnreachable, or BankRefused with the bank's own words.
        """
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._context
        )
        try:
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
            response = connection.getresponse()
            raw = response.read(ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise BankUnreachable(f"the bank at {self._host}:{self._port}: {error}") from error
        finally:
            connection.close()
        try:
            answer = json.loads(raw)
        except ValueError as error:
            raise BankUnreachable(f"the bank answers {response.status} without JSON") from error
        if not isinstance(answer, dict):
            raise BankUnreachable(f"the bank answers {response.status} without an object")
        if response.status != 200:
            raise BankRefused(f"{path}: {answer.get('error')}: {answer.get('detail')}")
        return answer


def enrol_wallet(
    certificates: Path,
    issue_code: Callable[[], str],
    enrol: Callable[[Mapping[str, object]], Mapping[str, Any]],
) -> None:
    """Make a wallet's key, have it certified, and keep both; once.

    certificates: the folder to keep them in; if it holds a certificate
    already, nothing happens. Safe to call from two processes at once.
    issue_code: gets the bank's one-time enrolment code. enrol: carries the
    request to the bank and returns its answer. What they raise passes
    through, and nothing is kept then.
    """
    if (certificates / "tls.pem").is_file():
        return
    certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (certificates / "enrol.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A second enrolment would make the first one's certificate worthless.
        if not (certificates / "tls.pem").is_file():
            _enrol(certificates, issue_code(), enrol)


def _enrol(
    certificates: Path, code: str, enrol: Callable[[Mapping[str, object]], Mapping[str, Any]]
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    answer = enrol({"code": code, "tls_csr": signed.decode()})
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(certificates / "tls-key.pem", private)
    _write(certificates / "bank-ca.pem", answer["bank_ca"].encode())
    # Last, since its presence says that the others are there.
    _write(certificates / "tls.pem", answer["tls_chain"].encode())


def _write(path: Path, content: bytes) -> None:
    """Replace a file whole, readable by its owner only."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
