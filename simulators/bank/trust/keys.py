"""The bank's own keys, loaded; and made, when there are none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc.jwk import ECKey

from simulators.bank.errors import BankFileWrong
from simulators.bank.place import BankPlace
from simulators.bank.trust.authority import (
    Authority,
    certificate_pem,
    load_private_key,
    private_pem,
    public_pem,
)
from simulators.bank.trust.enrolment import ANSWER_KEY_ID

SERVER_NAMES = ["127.0.0.1", "localhost"]


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the bank signs answers with, and opens sealed data with."""

    answer: ed25519.Ed25519PrivateKey
    sealing: ECKey

    @classmethod
    def load(cls, place: BankPlace) -> Keys:
        """Read both keys. Raises BankFileWrong, naming the file."""
        answer = load_private_key(place.answer_key)
        if not isinstance(answer, ed25519.Ed25519PrivateKey):
            raise BankFileWrong(f"{place.answer_key} is not an Ed25519 key")
        sealing = load_private_key(place.sealing_key)
        if not isinstance(sealing, ec.EllipticCurvePrivateKey):
            raise BankFileWrong(f"{place.sealing_key} is not a P-256 key")
        return cls(answer, ECKey.import_key(private_pem(sealing)))

    def public(self) -> dict[str, Any]:
        """Return what a till has to know: answer_key, answer_key_id, sealing_key."""
        return {
            "answer_key": public_pem(self.answer.public_key()),
            "answer_key_id": ANSWER_KEY_ID,
            "sealing_key": dict(self.sealing.as_dict(private=False)),
        }


def create_keys(place: BankPlace, now_ms: int) -> None:
    """Make the authority, the server's certificate and both keys of a new bank.

    The bank's folder must exist.
    """
    authority = Authority.create("OpenTill test bank", now_ms)
    contents = {
        place.ca_key: private_pem(authority.key),
        place.ca_certificate: certificate_pem(authority.certificate).encode(),
        place.answer_key: private_pem(ed25519.Ed25519PrivateKey.generate()),
        place.sealing_key: private_pem(ec.generate_private_key(ec.SECP256R1())),
    }
    for path, content in contents.items():
        write_private(path, content)
    create_server(place, now_ms)


def create_server(place: BankPlace, now_ms: int) -> None:
    """Make the server's key and have the bank's authority certify it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = Authority.load(place).issue_server(SERVER_NAMES, key.public_key(), now_ms)
    write_private(place.server_key, private_pem(key))
    write_private(place.server_certificate, certificate_pem(certificate).encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
