"""Private keys on disk: OpenSSL, which wrote none of this, is the judge of every file."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.bank.trust.authority import Authority, certificate_pem
from terminal.security import pkcs8

PASSPHRASE = b"a passphrase of a test 0001"


def openssl(*arguments: str) -> str:
    """Run the openssl program. Missing, it is a failure, never a skip."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_openssl_opens_what_we_wrote(tmp_path: Path, kind: str) -> None:
    made: pkcs8.PrivateKey = ed25519.Ed25519PrivateKey.generate()
    if kind == "P-256":
        made = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "key.pem"
    path.write_bytes(pkcs8.write(made, PASSPHRASE))

    opened = openssl("pkey", "-in", str(path), "-passin", f"pass:{PASSPHRASE.decode()}", "-pubout")
    public = made.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode().strip() in opened
    assert "PRIVATE" not in openssl("pkey", "-in", str(path), "-passin", "pass:another passphrase")


def test_openssl_reads_the_scheme_as_scrypt_with_aes_256(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pkcs8.write(ed25519.Ed25519PrivateKey.generate(), PASSPHRASE))

    said = openssl("asn1parse", "-in", str(path))
    for part in ("PBES2", "scrypt", "aes-256-cbc", f"INTEGER           :{pkcs8.COST:04X}"):
        assert part in said


def test_tls_takes_the_file_as_it_is(tmp_path: Path) -> None:
    authority = Authority.create("test", 1_795_500_000_000)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue_client("till", "t", key.public_key(), 1_795_500_000_000, 9)
    (tmp_path / "c.pem").write_text(certificate_pem(certificate))
    (tmp_path / "k.pem").write_bytes(pkcs8.write(key, PASSPHRASE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem", PASSPHRASE)
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem", b"wrong")


@settings(max_examples=10, deadline=None)
@given(st.binary(min_size=1, max_size=200))
def test_any_passphrase_opens_its_own_file_and_no_two_files_are_alike(passphrase: bytes) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    first, second = pkcs8.write(key, passphrase), pkcs8.write(key, passphrase)

    assert pkcs8.is_encrypted(first)
    assert first != second
    opened = serialization.load_pem_private_key(first, passphrase)
    assert isinstance(opened, ed25519.Ed25519PrivateKey)
    assert opened.private_bytes_raw() == key.private_bytes_raw()
