"""What the bank's tills work by: applications, limits and keys, signed and numbered.

What is in them is the till's to read; the bank signs and keeps them.
Source: RFC 7515 for the signature, RFC 9864 for the algorithm's name.
"""

from __future__ import annotations

import base64
import json
import tomllib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select

from simulators.bank.desk import Desk
from simulators.bank.messages import ParametersAnswer, ParametersRequest, moment
from simulators.bank.schema import parameters

TYPE = "opentill-parameters"


@dataclass(frozen=True, slots=True, repr=False)
class ExceptionList:
    """Cards by number, and the key that tills know them by."""

    key: bytes
    cards: tuple[tuple[str, int | None], ...]
    """Number, and sequence number; None: every card of that number."""

    @classmethod
    def read(cls, text: str, key: bytes) -> ExceptionList:
        """Read the cards of a TOML text. Raises ValueError."""
        cards = tomllib.loads(text).get("exceptions", [])
        return cls(key, tuple((str(card["pan"]), card.get("sequence_number")) for card in cards))

    def as_toml(self) -> str:
        """Return what tills are told of it: no number, and not the key."""
        digests = ", ".join(f"'{self._mac(_meant(*card))[:16].hex()}'" for card in self.cards)
        return f"{{ key_check = '{self._mac('')[:8].hex()}', digests = [{digests}] }}"

    def _mac(self, text: str) -> bytes:
        made = hmac.HMAC(self.key, hashes.SHA256())
        made.update(text.encode("ascii"))
        return made.finalize()


def _meant(pan: str, sequence_number: int | None) -> str:
    return pan if sequence_number is None else f"{pan}/{sequence_number:02d}"


def publish(
    connection: Connection,
    key: Ed25519PrivateKey,
    text: str,
    now_ms: int,
    listed: ExceptionList | None = None,
) -> int:
    """Give a TOML text the next version, sign it and keep it; return the version.

    listed: cards that tills are to accept no more.
    """
    version = newest_version(connection) + 1
    exceptions = "" if listed is None else f"exceptions = {listed.as_toml()}\n"
    row = {
        "version": version,
        "document": sign(key, f"version = {version}\n{exceptions}{text}"),
        "exception_key": None if listed is None else listed.key.hex(),
        "made_ms": now_ms,
    }
    connection.execute(parameters.insert(), row)
    return version


def newest_version(connection: Connection) -> int:
    """Return the version that holds; 0 if there is none."""
    return connection.scalar(select(func.max(parameters.c.version))) or 0


def sign(key: Ed25519PrivateKey, text: str) -> str:
    """Return a text as a compact JWS."""
    header = json.dumps({"alg": "Ed25519", "typ": TYPE}).encode()
    signed = f"{_base64(header)}.{_base64(text.encode())}"
    return f"{signed}.{_base64(key.sign(signed.encode()))}"


def tell(desk: Desk, request: ParametersRequest) -> ParametersAnswer:
    """Return the newest, if the till does not have it yet."""
    query = select(parameters).order_by(parameters.c.version.desc()).limit(1)
    found = desk.connection.execute(query).first()
    is_new = found is not None and found.version > int(request.have)
    if found is None or not is_new:
        return ParametersAnswer(at=moment(desk.now_ms), document=None)
    return ParametersAnswer(
        at=moment(desk.now_ms), document=found.document, exception_key=found.exception_key
    )


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
