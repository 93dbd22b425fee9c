"""The test scheme's keys: its authority, one issuer, and each card.

Made at first use below the state directory, never in the source tree. A till
gets the authority's public key and nothing else from here.

cards/ca.pem                the authority, as PKCS 8
cards/ca-public.toml        its public key, in the shape of config/ca_keys.toml
cards/issuer.pem            the issuer of every card
cards/issuer-master-key     TDES, 32 hexadecimal digits; the bank reads it too
cards/icc/NAME.pem          a card's own key
cards/ec/NAME               ECC secrets of kernel 8: authority, issuer, cards
cards/counters/NAME         a card's transaction counter
cards/unsaid/NAME           an answer that a card was torn away with
cards/storage/NAME          what an operator keeps on a card
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha1
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from simulators.card.certificates import SigningKey
from simulators.card.counters import FileCounter
from simulators.card.cryptogram import with_odd_parity
from simulators.card.errors import KeysUnusable
from simulators.card.folder import PrivateFolder
from simulators.card.kernel8 import curve
from simulators.card.storage import Slot
from simulators.card.unsaid import Unsaid

RIDS = tuple(
    bytes.fromhex(f"A000000{scheme}")
    for scheme in ("003", "004", "025", "065", "152", "324", "333")
)
"""The schemes that the one authority certifies for, Visa's first; Discover has two."""
RID_KERNEL_8 = bytes.fromhex("F000000008")
"""No scheme's: a registered identifier never begins with F. The cards of kernel 8 are its."""
CA_INDEX = 0xF1
"""An index that no scheme has published a key under, neither live nor test."""
UNKNOWN_CA_INDEX = 0xF2
"""An index that no till has a key for."""
CA_EXPIRES = date(2049, 12, 31)
CERTIFICATES_EXPIRE = "1249"
"""MMYY of every certificate, long after the cards: a card expires by tag 5F24."""

# Each is longer than the next certificate has room for, so that remainders
# (tags 92 and 9F48) are in use as on real cards.
CA_BITS = 1408
ISSUER_BITS = 1152
PUBLIC_EXPONENT = 3
MASTER_KEY_BYTES = 16
MASTER_KEY_NAME = "issuer-master-key"
CA_PUBLIC_NAME = "ca-public.toml"
EC_CA_NAME, EC_ISSUER_NAME = "ca", "issuer"


@dataclass(frozen=True, slots=True)
class CAPublicKey:
    """The authority's public key, all that a till may know.

    Source: EMV 4.4 Book 2, 11.2.
    """

    rid: bytes
    index: int
    modulus: bytes
    exponent: int
    expires: date
    sha1: bytes
    """Over RID, index, modulus and exponent."""


@dataclass(frozen=True, slots=True)
class ECPublicKey:
    """The authority's ECC public key on P-256, all that a till may know."""

    rid: bytes
    index: int
    x: bytes
    y: bytes
    expires: date


class CardKeys:
    """Every key of the simulated cards below one state directory."""

    def __init__(self, home: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """home: the state directory. random: a source of unpredictable bytes.

        RSA keys come from OpenSSL's own generator, whatever random is.
        """
        self._folder = PrivateFolder(home / "cards")
        self._icc_folder = PrivateFolder(home / "cards" / "icc")
        self._ec_folder = PrivateFolder(home / "cards" / "ec")
        self._counters = PrivateFolder(home / "cards" / "counters")
        self._unsaid = PrivateFolder(home / "cards" / "unsaid")
        self._storage = PrivateFolder(home / "cards" / "storage")
        self._random = random

    @property
    def ca_public_path(self) -> Path:
        """Where the authority's public key is written."""
        return self._folder.path / CA_PUBLIC_NAME

    def ca(self) -> SigningKey:
        """Return the authority's key. Raises KeysUnusable, as all below do."""
        return _rsa_key(self._folder, "ca.pem", CA_BITS)

    def issuer(self) -> SigningKey:
        """Return the issuer's key."""
        return _rsa_key(self._folder, "issuer.pem", ISSUER_BITS)

    def icc(self, name: str, bits: int) -> SigningKey:
        """Return a card's own key. name: the card's, unique."""
        return _rsa_key(self._icc_folder, f"{name}.pem", bits)

    def ec_secret(self, name: str) -> int:
        """Return a secret on P-256 that may be certified. name: whose, unique."""
        content = self._ec_folder.read_or_make(name, self._fresh_ec_secret)
        try:
            secret = int(content, 16)
            if curve.for_certificates(secret) == secret:
                return secret
        except ValueError as error:
            raise _damaged(self._ec_folder.path / name) from error
        raise _damaged(self._ec_folder.path / name)

    def _fresh_ec_secret(self) -> bytes:
        secret = curve.for_certificates(curve.scalar_from(self._random(32)))
        return f"{secret:064X}\n".encode("ascii")

    def ec_ca_public(self) -> ECPublicKey:
        """Return the authority's ECC public key."""
        x, y = curve.coordinates(self.ec_secret(EC_CA_NAME))
        return ECPublicKey(RID_KERNEL_8, CA_INDEX, x, y, CA_EXPIRES)

    def issuer_master_key(self) -> bytes:
        """Return the 16-byte TDES key that every card's key is derived from."""
        name = MASTER_KEY_NAME
        content = self._folder.read_or_make(name, self._fresh_master_key)
        try:
            key = bytes.fromhex(content.decode("ascii"))
        except ValueError as error:
            raise _damaged(self._folder.path / name) from error
        if len(key) != MASTER_KEY_BYTES:
            raise _damaged(self._folder.path / name)
        return key

    def _fresh_master_key(self) -> bytes:
        key = with_odd_parity(self._random(MASTER_KEY_BYTES))
        return key.hex().upper().encode("ascii") + b"\n"

    def counter(self, name: str) -> FileCounter:
        """Return a card's transaction counter. name: the card's, unique."""
        return FileCounter(self._counters, name)

    def unsaid(self, name: str) -> Unsaid:
        """Return what a card could not say at its last tap. name: the card's, unique."""
        return Unsaid(self._unsaid, name)

    def slot(self, name: str) -> Slot:
        """Return where an operator keeps data on a card. name: the card's."""
        return Slot(self._storage, name)

    def ca_public_keys(self) -> tuple[CAPublicKey, ...]:
        """Return the authority's public key for each scheme; write it where a till finds it."""
        key = self.ca()
        publics = tuple(_public(rid, key) for rid in RIDS)
        text = (_as_toml(publics) + _ec_as_toml(self.ec_ca_public())).encode()
        if self._folder.read(CA_PUBLIC_NAME) != text:
            with self._folder.locked():
                self._folder.write(CA_PUBLIC_NAME, text)
        return publics

    def prepare(self) -> Path:
        """Make what a till and a bank need; return the till's file of CA keys.

        Quick when all is there; several processes may call it at once.
        """
        self.issuer_master_key()
        self.ca_public_keys()
        return self.ca_public_path


def prepare(home: Path, today: date) -> Path:
    """Do as CardKeys.prepare, and see that the authority is still valid.

    home: the state directory.
    Raises KeysUnusable, naming the file, if a key can be neither read nor
    made, or if the authority has come to its end.
    """
    if today > CA_EXPIRES:
        raise KeysUnusable(f"{home / 'cards'}: the test authority ended on {CA_EXPIRES}")
    return CardKeys(home).prepare()


def ca_public_keys(home: Path) -> tuple[CAPublicKey, ...]:
    """Return the public key of the authority below a state directory, for each scheme.

    Raises KeysUnusable, naming the file, if it can be neither read nor made.
    """
    return CardKeys(home).ca_public_keys()


def _rsa_key(folder: PrivateFolder, name: str, bits: int) -> SigningKey:
    """Read an RSA key, or make it."""
    content = folder.read_or_make(name, lambda: _fresh_rsa_key(bits))
    path = folder.path / name
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged(path) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != bits:
        raise _damaged(path)
    numbers = key.private_numbers()
    return SigningKey(
        modulus=numbers.public_numbers.n,
        exponent=numbers.public_numbers.e,
        p=numbers.p,
        q=numbers.q,
        d_p=numbers.dmp1,
        d_q=numbers.dmq1,
        q_inverse=numbers.iqmp,
    )


def _fresh_rsa_key(bits: int) -> bytes:
    """Make an RSA key, as PEM."""
    key = rsa.generate_private_key(public_exponent=PUBLIC_EXPONENT, key_size=bits)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _damaged(path: Path) -> KeysUnusable:
    return KeysUnusable(f"{path}: damaged; remove it, and a new key is made")


def _public(rid: bytes, key: SigningKey) -> CAPublicKey:
    digest = sha1(rid + bytes((CA_INDEX,)) + key.modulus_bytes + key.exponent_bytes).digest()
    return CAPublicKey(rid, CA_INDEX, key.modulus_bytes, key.exponent, CA_EXPIRES, digest)


def _ec_as_toml(key: ECPublicKey) -> str:
    """Write the ECC key as an entry of config/ca_keys.toml."""
    return (
        "\n[[ec_keys]]\n"
        f'rid = "{key.rid.hex().upper()}"\n'
        f"index = 0x{key.index:02X}\n"
        f"expires = {key.expires.isoformat()}\n"
        "test = true\n"
        f'x = "{key.x.hex().upper()}"\n'
        f'y = "{key.y.hex().upper()}"\n'
    )


def _as_toml(keys: Iterable[CAPublicKey]) -> str:
    """Write the keys as entries of config/ca_keys.toml."""
    note = "# The simulated cards' authority. Test keys: a live shop refuses them.\n"
    return note + "\n".join(
        "[[ca_keys]]\n"
        f'rid = "{key.rid.hex().upper()}"\n'
        f"index = 0x{key.index:02X}\n"
        f"exponent = {key.exponent}\n"
        f"expires = {key.expires.isoformat()}\n"
        f'sha1 = "{key.sha1.hex().upper()}"\n'
        "test = true\n"
        f'modulus = "{key.modulus.hex().upper()}"\n'
        for key in keys
    )
