"""The bank's door for tills that have no certificate yet.

Nothing is trusted on first use: the bank's CA comes in a file, or its
fingerprint comes with the one-time code, and only a bank that the CA vouches
for hears the code.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from terminal.bank import silence, trust
from terminal.errors import EnrolmentRefused
from terminal.seams import Clock

AUTHORITY_PATH: Final = "/enrolment/v1/authority"
CERTIFICATES_PATH: Final = "/enrolment/v1/certificates"

FINGERPRINT_BYTES: Final = 20
"""Of the SHA-256 of the CA's certificate: a code stays short enough to be typed."""

ANSWER_BYTES_MAX: Final = 65_536

_CODE = re.compile(r"([A-Z2-7]{16})(?:-([A-Z2-7]{32}))?")


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A bank's one-time code, as it was typed."""

    secret: str = field(repr=False)
    fingerprint: bytes
    """The first bytes of the SHA-256 of the bank's CA; empty if the code has none."""

    @classmethod
    def parse(cls, text: str) -> EnrolmentCode:
        """Read a code; spaces and small letters do not matter. Raises EnrolmentRefused."""
        match = _CODE.fullmatch("".join(text.split()).upper())
        if match is None:
            raise EnrolmentRefused(
                "This is no enrolment code: 16 letters and digits, then perhaps a hyphen and 32 "
                "more. Look at it again, or ask the bank for another"
            )
        secret, fingerprint = match.groups(default="")
        return cls(secret, base64.b32decode(fingerprint))


class EnrolmentDoor:
    """One address at which a bank takes tills in."""

    def __init__(
        self, url: str, clock: Clock, *, connect_s: float = 5.0, answer_s: float = 30.0
    ) -> None:
        """url: scheme, host and port. connect_s, answer_s: as the bank link has them, in seconds.

        Raises EnrolmentRefused if the address is none.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise EnrolmentRefused(
                f"{url!r} is no address of a bank: it is https://, a host, and perhaps a port"
            )
        self._host, self._port = parts.hostname, parts.port or 443
        self._clock = clock
        self._connect_s = connect_s
        self._answer_s = answer_s

    def authority(self, fingerprint: bytes) -> str:
        """Ask the bank for its CA; return it as PEM if it has this fingerprint.

        Raises EnrolmentRefused if it has another, NeverLeft, AnswerLost.
        """
        told = self._ask(AUTHORITY_PATH, {}, None)
        authority = read_authority(str(told.get("bank_ca")))
        if not is_named(authority, fingerprint):
            raise EnrolmentRefused(
                "Another bank answers here than the one that gave the code, so nothing was sent "
                "to it: check the address and the code with the bank"
            )
        return pem(authority)

    def carry(self, bank_ca: str, request: Mapping[str, str]) -> Mapping[str, object]:
        """Bring an enrolment request to the bank that this CA vouches for; return the answer.

        bank_ca: PEM. Raises EnrolmentRefused, NeverLeft, AnswerLost.
        """
        answer = self._ask(CERTIFICATES_PATH, request, bank_ca)
        if read_authority(str(answer.get("bank_ca"))) != read_authority(bank_ca):
            raise EnrolmentRefused("the bank's answer names another CA than the one that proves it")
        return answer

    def _ask(
        self, path: str, content: Mapping[str, str], bank_ca: str | None
    ) -> Mapping[str, object]:
        line = trust.Line(self._clock.monotonic)
        line.prepare(self._connect_s, self._answer_s)
        try:
            status, body = self._post(line, path, json.dumps(content).encode(), bank_ca)
        except (OSError, http.client.HTTPException) as error:
            lost = silence.meaning(error, line, self._host, self._port)
            raise type(lost)(f"{lost}. Try again: the same code is good for this till") from None
        return _read(status, body)

    def _post(
        self, line: trust.Line, path: str, body: bytes, bank_ca: str | None
    ) -> tuple[int, bytes]:
        context = trust.newcomer_context(bank_ca, line)
        dialled = trust.dial(line, self._host, self._port)
        with context.wrap_socket(dialled, server_hostname=self._host) as channel:
            connection = http.client.HTTPConnection(self._host, self._port)
            # Connected already, it opens no line of its own and asks no proxy.
            connection.sock = channel
            line.is_fresh = True
            line.first_byte()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read(ANSWER_BYTES_MAX)
            if answer.length:
                raise ConnectionError("the answer ends before its length, or is too long")
            return answer.status, content


def read_authority(text: str) -> x509.Certificate:
    """Return a CA's certificate. Raises EnrolmentRefused if it is none."""
    try:
        certificate = x509.load_pem_x509_certificate(text.encode("ascii", "replace"))
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (ValueError, x509.ExtensionNotFound):
        raise EnrolmentRefused("this is no certificate of a bank's CA in PEM form") from None
    if not constraints.value.ca:
        raise EnrolmentRefused("this certificate is not a CA's")
    return certificate


def is_named(authority: x509.Certificate, fingerprint: bytes) -> bool:
    """True if the fingerprint is this CA's."""
    own = authority.fingerprint(hashes.SHA256())[:FINGERPRINT_BYTES]
    return hmac.compare_digest(own, fingerprint)


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _read(status: int, body: bytes) -> Mapping[str, object]:
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise EnrolmentRefused(f"what answers here is no bank's enrolment (status {status})")
    if status != 200:
        raise EnrolmentRefused(f"The bank refuses: {told.get('detail', status)}")
    return told
