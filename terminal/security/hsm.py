"""The till's signing key in a hardware security module, over PKCS #11.

The key is made in the module and never leaves it. The file of the signing key
then holds where it is, as a PKCS #11 URI, and reading that file gives a key
that signs like any other.

Source: PKCS #11 v2.40; RFC 7512 for the URI.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import quote, unquote_to_bytes

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from terminal.errors import KeyModuleLost, KeysUnusable
from terminal.security import passphrase

log = logging.getLogger(__name__)

SCHEME: Final = b"pkcs11:"
MODULE: Final = "module-path"
LABEL: Final = "opentill-"
"""How a till's keys are labelled in their token; behind it stands the till's own tag."""
TAG_BYTES: Final = 4
ID_BYTES: Final = 8
CURVE: Final = "secp256r1"
"""What modules of every make have; not all of them have Ed25519."""
HALF_BYTES: Final = 32

PIN_PLACES: Final = passphrase.Places(
    "OPENTILL_HSM_PIN", "OPENTILL_HSM_PIN_FILE", "opentill-hsm-pin"
)


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key is: module, token, and the key's own number."""

    module: str
    """Path of the PKCS #11 library."""
    token: str
    """The token's label."""
    label: str = ""
    """CKA_LABEL of all keys of one till; empty where only the token is meant."""
    id: bytes = b""
    """CKA_ID of one key."""

    @classmethod
    def parse(cls, text: str) -> KeyPlace:
        """Read a PKCS #11 URI. Raises KeysUnusable, naming the attribute."""
        path, _, query = text.strip().removeprefix(SCHEME.decode()).partition("?")
        if not text.startswith(SCHEME.decode()):
            raise KeysUnusable(f"{text!r} is no PKCS #11 URI: it begins with pkcs11:")
        given = {**_attributes(path, ";"), **_attributes(query, "&")}
        if "pin-value" in given or "pin-source" in given:
            raise KeysUnusable(f"A URI is no place for a PIN: {PIN_PLACES.how}")
        for name in (MODULE, "token"):
            if not given.get(name):
                raise KeysUnusable(
                    f"{text!r} names no {name}: pkcs11:token=LABEL?{MODULE}=/path/of/library.so"
                )
        return cls(
            given[MODULE].decode(),
            given["token"].decode(),
            given.get("object", b"").decode(),
            given.get("id", b""),
        )

    @property
    def text(self) -> str:
        """The URI."""
        number = "".join(f"%{byte:02X}" for byte in self.id)
        return (
            f"pkcs11:token={quote(self.token)};object={quote(self.label)};id={number};type=private"
            f"?{MODULE}={quote(self.module)}"
        )


def is_place(content: bytes) -> bool:
    """True if the file of a private key holds where the key is, and not the key."""
    return content.startswith(SCHEME)


def fresh_place(token: KeyPlace) -> KeyPlace:
    """Return the place of a key that is to be made in this token.

    token: the place of another key of the same till, or only the token.
    """
    with _session(token) as session:
        label = token.label or LABEL + session.generate_random(8 * TAG_BYTES).hex()
        return replace(token, label=label, id=session.generate_random(8 * ID_BYTES))


def make_key(place: KeyPlace) -> HardwareKey:
    """Return the key at this place, made there if it is not there yet.

    Raises KeysUnusable, naming what the module said.
    """
    with _session(place) as session:
        if not list(session.get_objects(_private(place))):
            from pkcs11 import Attribute, KeyType
            from pkcs11.util.ec import encode_named_curve_parameters

            curve = session.create_domain_parameters(
                KeyType.EC,
                {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVE)},
                local=True,
            )
            secret = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
            curve.generate_keypair(
                store=True, label=place.label, id=place.id, private_template=secret
            )
    return open_key(place)


def open_key(place: KeyPlace) -> HardwareKey:
    """Return the key at this place. Raises KeysUnusable."""
    from pkcs11 import Attribute, KeyType, ObjectClass
    from pkcs11.util.ec import encode_ec_public_key

    with _session(place) as session:
        if not list(session.get_objects(_private(place))):
            raise KeysUnusable(
                f"Token {place.token!r} holds no signing key {place.id.hex()}: put the token "
                "back that the till was enrolled with, or enrol again"
            )
        public = session.get_key(
            object_class=ObjectClass.PUBLIC_KEY, key_type=KeyType.EC, id=place.id
        )
        if public[Attribute.EC_PARAMS] != _curve_parameters():
            raise KeysUnusable(f"Key {place.id.hex()} of token {place.token!r} is not on P-256")
        told = serialization.load_der_public_key(encode_ec_public_key(public))
    if not isinstance(told, ec.EllipticCurvePublicKey):
        raise KeysUnusable(f"Key {place.id.hex()} of token {place.token!r} is no EC key")
    return HardwareKey(place, told)


def erase_others(place: KeyPlace, keep: Collection[bytes]) -> None:
    """Destroy all keys of this till in its token but those of these ids. Raises KeysUnusable."""
    from pkcs11 import Attribute

    with _session(place) as session:
        for item in list(session.get_objects({Attribute.LABEL: place.label})):
            if item[Attribute.ID] not in keep:
                item.destroy()


class HardwareKey(ec.EllipticCurvePrivateKey):
    """A P-256 key that signs in its module and is nowhere else."""

    def __init__(self, place: KeyPlace, public: ec.EllipticCurvePublicKey) -> None:
        self.place = place
        self._public = public

    def sign(
        self,
        data: bytes | bytearray | memoryview,
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """Return the signature over the SHA-256 of the data, in DER. Raises KeyModuleLost."""
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise ValueError("a key of the till signs SHA-256 only")
        digest = hashlib.sha256(data).digest()
        try:
            raw = self._sign(digest)
        except KeysUnusable:
            # A module that was restarted, or a token that was put back, is there again.
            _close(self.place)
            try:
                raw = self._sign(digest)
            except KeysUnusable as error:
                raise KeyModuleLost(str(error)) from None
        return encode_dss_signature(
            int.from_bytes(raw[:HALF_BYTES], "big"), int.from_bytes(raw[HALF_BYTES:], "big")
        )

    def _sign(self, digest: bytes) -> bytes:
        from pkcs11 import KeyType, Mechanism, ObjectClass

        with _session(self.place) as session:
            key = session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, key_type=KeyType.EC, id=self.place.id
            )
            signature: bytes = key.sign(digest, mechanism=Mechanism.ECDSA)
            return signature

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-256."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Bits."""
        return self._public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Refuse: it signs, and does nothing else."""
        return _refuse()

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """Refuse: it does not leave its module."""
        return _refuse()

    def private_bytes(self, *args: object, **kwargs: object) -> bytes:
        """Refuse: it does not leave its module."""
        return _refuse()

    def __copy__(self) -> HardwareKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> HardwareKey:
        return self


def _refuse() -> NoReturn:
    raise KeysUnusable("the signing key does not leave its module")


# A process logs in to a token once, for all its threads; PKCS #11 has one
# operation at a time in a session.
_lock = threading.RLock()
_sessions: dict[tuple[str, str], Any] = {}


@contextmanager
def _session(place: KeyPlace) -> Iterator[Any]:
    """Lend the session with a token. Raises KeysUnusable for all that PKCS #11 may say."""
    try:
        import pkcs11
    except ImportError:
        raise KeysUnusable(
            "A key in a hardware module needs python-pkcs11: pip install 'opentill[hsm]'"
        ) from None
    with _lock:
        try:
            at = place.module, place.token
            if at not in _sessions:
                _sessions[at] = _log_in(place)
            yield _sessions[at]
        except pkcs11.exceptions.PKCS11Error as error:
            said = type(error).__name__
            raise KeysUnusable(
                f"Token {place.token!r} of {place.module}: {said}{_STEPS.get(said, '')}"
            ) from None


_STEPS: Final[Mapping[str, str]] = {
    "NoSuchToken": ". Put it in, or look at its label: pkcs11-tool --list-slots",
    "TokenNotPresent": ". Put it in again",
    "DeviceRemoved": ". Put it in again",
    "PinIncorrect": f". Look at its PIN: {PIN_PLACES.how}",
    "PinLocked": ". Its security officer has to set a new PIN",
}


def _log_in(place: KeyPlace) -> Any:
    import pkcs11

    found = PIN_PLACES.look_up()
    if found is None:
        raise KeysUnusable(f"Token {place.token!r} needs its PIN: {PIN_PLACES.how}")
    if not Path(place.module).is_file():
        raise KeysUnusable(f"{place.module}: no such PKCS #11 library")
    try:
        library = pkcs11.lib(place.module)
    except RuntimeError as error:
        raise KeysUnusable(f"{place.module}: no PKCS #11 library: {error}") from None
    pin, _ = found
    return library.get_token(token_label=place.token).open(
        rw=True, user_pin=pin.decode("utf-8", "replace")
    )


def _close(place: KeyPlace) -> None:
    import pkcs11

    with _lock:
        session = _sessions.pop((place.module, place.token), None)
        try:
            if session is not None:
                session.close()
        except pkcs11.exceptions.PKCS11Error as error:
            log.info("a session with token %s was gone: %s", place.token, type(error).__name__)


def _private(place: KeyPlace) -> dict[Any, Any]:
    from pkcs11 import Attribute, ObjectClass

    return {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: place.id}


def _curve_parameters() -> bytes:
    from pkcs11.util.ec import encode_named_curve_parameters

    encoded: bytes = encode_named_curve_parameters(CURVE)
    return encoded


def _attributes(text: str, separator: str) -> dict[str, bytes]:
    pairs = [pair.partition("=") for pair in text.split(separator) if pair]
    return {name: unquote_to_bytes(value) for name, _, value in pairs}
