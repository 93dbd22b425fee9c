"""What the bank's tills work by: applications, limits and keys, signed and numbered.

What is in them is the till's to read; the bank signs and keeps them.
Source: RFC 7515 for the signature, RFC 9864 for the algorithm's name.
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, func, select

from simulators.bank.desk import Desk
from simulators.bank.messages import ParametersAnswer, ParametersRequest, moment
from simulators.bank.schema import parameters

TYPE = "opentill-parameters"


def publish(connection: Connection, key: Ed25519PrivateKey, text: str, now_ms: int) -> int:
    """Give a TOML text the next version, sign it and keep it; return the version."""
    version = newest_version(connection) + 1
    document = sign(key, f"version = {version}\n{text}")
    row = {"version": version, "document": document, "made_ms": now_ms}
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
    document = found.document if found is not None and is_new else None
    return ParametersAnswer(at=moment(desk.now_ms), document=document)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
