"""The bank's certificate authority: makes itself, servers, tills and wallets.

Elliptic curves only, so that a first run takes no noticeable time.
Source: RFC 5280; NIST P-256 throughout.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.bank.errors import BankFileWrong, EnrolmentRefused
from simulators.bank.place import BankPlace

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

CA_DAYS = 7300
SERVER_DAYS = 3650
LIST_DAYS = 7

# A certificate made now is shown at once to a till whose clock is a little slow.
BACKDATED = datetime.timedelta(days=1)

URI_PREFIX = "urn:opentill:"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and the key that signs others with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, name: str, now_ms: int) -> Authority:
        """Make an authority that signs itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        usage = _key_usage(key_cert_sign=True, crl_sign=True)
        builder = (
            _builder(subject, subject, key.public_key(), now_ms, CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, place: BankPlace) -> Authority:
        """Read the bank's authority. Raises BankFileWrong, naming the file."""
        key = load_private_key(place.ca_key)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BankFileWrong(f"{place.ca_key} is not a P-256 key")
        try:
            certificate = x509.load_pem_x509_certificate(place.ca_certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise BankFileWrong(f"{place.ca_certificate} cannot be read") from error
        return cls(certificate, key)

    def issue_server(self, names: list[str], key: PublicKey, now_ms: int) -> x509.Certificate:
        """Certify a server under its host names and addresses."""
        alternatives: list[x509.GeneralName] = []
        for name in names:
            try:
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
            except ValueError:
                alternatives.append(x509.DNSName(name))
        builder = _builder(_name(names[0]), self.certificate.subject, key, now_ms, SERVER_DAYS)
        return self._sign(builder, alternatives, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_client(
        self, role: str, id: str, key: PublicKey, now_ms: int, days: int
    ) -> x509.Certificate:
        """Certify a till's or a wallet's TLS key."""
        uri = x509.UniformResourceIdentifier(f"{URI_PREFIX}{role}:{id}")
        builder = _builder(_name(id), self.certificate.subject, key, now_ms, days)
        return self._sign(builder, [uri], ExtendedKeyUsageOID.CLIENT_AUTH)

    def issue_signer(
        self, role: str, id: str, key: PublicKey, now_ms: int, days: int
    ) -> x509.Certificate:
        """Certify a till's signing key. It opens no TLS connection."""
        uri = x509.UniformResourceIdentifier(f"{URI_PREFIX}{role}:{id}")
        builder = _builder(_name(id), self.certificate.subject, key, now_ms, days)
        return self._sign(builder, [uri], None)

    def list_revoked(self, serials: list[int], now_ms: int) -> x509.CertificateRevocationList:
        """Sign the list of everything that is not to be trusted any more."""
        now = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(now + datetime.timedelta(days=LIST_DAYS))
            .add_extension(x509.CRLNumber(now_ms), critical=False)
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256())

    def _sign(
        self,
        builder: x509.CertificateBuilder,
        alternatives: list[x509.GeneralName],
        purpose: x509.ObjectIdentifier | None,
    ) -> x509.Certificate:
        issuer_id = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id),
                critical=False,
            )
        )
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        return builder.sign(self.key, hashes.SHA256())


def read_signing_request(pem: str) -> tuple[PublicKey, str]:
    """Return a signing request's key and the RFC 9421 name of its algorithm.

    What the request says about its subject is ignored: names come from the
    one-time code.
    Raises EnrolmentRefused unless the request is signed with its own key, and
    that is Ed25519 or P-256.
    """
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        is_its_own = request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise EnrolmentRefused("a certificate signing request cannot be read") from error
    if not is_its_own:
        raise EnrolmentRefused("a certificate signing request is not signed with its own key")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key, "ed25519"
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key, "ecdsa-p256-sha256"
    raise EnrolmentRefused("a key to be certified is neither Ed25519 nor P-256")


def load_private_key(path: Path) -> object:
    """Return the unencrypted PEM key in a file. Raises BankFileWrong, naming it."""
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BankFileWrong(f"{path} cannot be read as a private key") from error


def private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return a key as PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: PublicKey) -> str:
    """Return a public key as SubjectPublicKeyInfo."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def certificate_pem(certificate: x509.Certificate | x509.CertificateRevocationList) -> str:
    """Return a certificate, or a list of revoked ones, as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now_ms: int, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(**allowed: bool) -> x509.KeyUsage:
    usages = (
        "digital_signature content_commitment key_encipherment data_encipherment "
        "key_agreement key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{usage: allowed.get(usage, False) for usage in usages.split()})
