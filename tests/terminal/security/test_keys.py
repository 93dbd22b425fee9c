"""Keys that cannot be trusted are refused, each file by its name."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from simulators.bank import bench
from terminal.bank.signing import P256Signer, P256Verifier
from terminal.errors import KeysUnusable
from terminal.security import keys
from terminal.security.enrolment import enrol
from terminal.security.files import write_file
from terminal.security.folder import TILL_ID
from terminal.security.keys import load_keys

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("shop")
    place = bench.prepare(home, NOW_MS)
    code = bench.issue_enrolment_code(place, "till", "till-1", NOW_MS, os.urandom, merchant="m")
    enrol(home / "till/keys", code, lambda request: bench.enrol(place, request, NOW_MS))
    return home / "till/keys"


@pytest.fixture
def folder(enrolled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(enrolled, tmp_path / "keys"))


ALL = (
    keys.TLS_KEY,
    keys.CERTIFICATES,
    keys.SIGNING_KEY,
    keys.BANK_CA,
    keys.ANSWER_KEY,
    keys.SEALING_KEY,
    TILL_ID,
)


@pytest.mark.parametrize("name", ALL)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(KeysUnusable, match="enrol") as caught:
        load_keys(folder)
    assert name in str(caught.value) or "no keys" in str(caught.value)


@pytest.mark.parametrize("name", ALL)
def test_a_broken_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\x00broken\xff")

    with pytest.raises(KeysUnusable, match=name):
        load_keys(folder)


@pytest.mark.parametrize("name", [keys.TLS_KEY, keys.SIGNING_KEY])
def test_a_private_key_that_others_can_read_is_refused(folder: Path, name: str) -> None:
    (folder / name).chmod(0o640)

    with pytest.raises(KeysUnusable, match=f"{name}: others can read it"):
        load_keys(folder)


def test_a_certificate_of_another_key_is_refused(folder: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    write_file(
        folder / keys.TLS_KEY,
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )

    with pytest.raises(KeysUnusable, match="not the certificate of"):
        load_keys(folder)


def test_a_signing_key_on_p_256_is_used_as_such(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write_file(
        folder / keys.SIGNING_KEY,
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    write_file(
        folder / keys.ANSWER_KEY,
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )

    till = load_keys(folder)
    assert isinstance(till.signer, P256Signer)
    assert isinstance(till.answer_key, P256Verifier)


def test_a_key_of_another_kind_is_refused(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    write_file(
        folder / keys.SIGNING_KEY,
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )

    with pytest.raises(KeysUnusable, match="neither a P-256 nor an Ed25519 key"):
        load_keys(folder)


def test_the_text_of_the_keys_shows_none(folder: Path) -> None:
    shown = repr(load_keys(folder))

    assert "till-1" in shown
    assert "signer" not in shown
    assert "sealing_key" not in shown


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(tmp_path / "till-id", b"old")

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "till-id", b"new")
    assert (tmp_path / "till-id").read_bytes() == b"old"
