"""What an issuer puts on a card: identity, keys, certificates, static records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from emv import tags, tlv
from simulators.card.certificates import Certificate, SigningKey, certify_card, certify_issuer
from simulators.card.counters import Counter
from simulators.card.cryptogram import derive_card_key
from simulators.card.identity import Identity
from simulators.card.keys import CA_INDEX, CERTIFICATES_EXPIRE, UNKNOWN_CA_INDEX, CardKeys
from simulators.card.profile import ApplicationProfile, Flaw, Profile
from simulators.card.static_data import static_data
from simulators.card.storage import Slot
from simulators.card.unsaid import Unsaid

IDENTIFIER_DIGITS = 6


@dataclass(frozen=True)
class Credentials:
    """What proves a card genuine without its issuer."""

    key: SigningKey = field(repr=False)
    records: tuple[bytes, ...] = field(repr=False)
    """Static records, templates and all; the first alone is signed."""


class Personalisation:
    """One application as its issuer made it."""

    def __init__(
        self,
        profile: Profile,
        application: ApplicationProfile,
        master_key: bytes,
        counter: Counter,
        unsaid: Unsaid,
        slot: Slot,
        make_credentials: Callable[[Personalisation], Credentials],
    ) -> None:
        """master_key: the issuer's, 16 bytes; only the key derived from it stays.

        make_credentials: called at the first transaction that needs them.
        """
        self.profile = profile
        self.application = application
        self.aid = bytes.fromhex(application.aid)
        self.identity = Identity(
            application.pan or profile.pan, profile.sequence_number, profile.expiry
        )
        self.counter = counter
        self.unsaid = unsaid
        self.slot = slot
        self.aip, self.static_record = static_data(profile, application.kernel, self.identity)
        if profile.flaw is Flaw.CRYPTOGRAM:
            # A forger knows every number on the card, but not the issuer's key.
            master_key = bytes(len(master_key))
        self.card_key = derive_card_key(
            master_key, self.identity.pan, self.identity.sequence_number
        )
        self._make_credentials = make_credentials

    @cached_property
    def credentials(self) -> Credentials:
        """The card's RSA key and certificates."""
        return self._make_credentials(self)


def personalise(
    profile: Profile, application: ApplicationProfile, name: str, keys: CardKeys
) -> Personalisation:
    """Return an application with keys of its own. name: unique, for its files.

    Raises KeysUnusable.
    """
    return Personalisation(
        profile,
        application,
        keys.issuer_master_key(),
        keys.counter(name),
        keys.unsaid(name),
        keys.slot(name),
        lambda card: make_credentials(card, keys.icc(name, profile.icc_key_bits), keys),
    )


def make_credentials(card: Personalisation, key: SigningKey, keys: CardKeys) -> Credentials:
    """Certify a card's key up to the authority. Raises KeysUnusable."""
    issuer = keys.issuer()
    pan = card.identity.pan
    issuer_certificate = certify_issuer(
        keys.ca(), issuer, pan[:IDENTIFIER_DIGITS], CERTIFICATES_EXPIRE, serial=1
    )
    own = certify_card(
        issuer, key, pan, CERTIFICATES_EXPIRE, serial=2, static_data=card.static_record + card.aip
    )
    certificate = own.certificate
    if card.profile.flaw is Flaw.CERTIFICATE:
        certificate = certificate[:-1] + bytes((certificate[-1] ^ 0x01,))
    issuer_objects = _objects(
        issuer_certificate,
        tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE,
        tags.TAG_92_ISSUER_PUBLIC_KEY_REMAINDER,
        tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT,
    )
    known = card.profile.flaw is not Flaw.AUTHORITY
    index = tlv.encode(
        tags.TAG_8F_CA_PUBLIC_KEY_INDEX, bytes((CA_INDEX if known else UNKNOWN_CA_INDEX,))
    )
    own_objects = _objects(
        Certificate(certificate, own.remainder, own.exponent),
        tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE,
        tags.TAG_9F48_ICC_PUBLIC_KEY_REMAINDER,
        tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT,
    )
    records = (card.static_record, index + issuer_objects, own_objects)
    return Credentials(
        key, tuple(tlv.encode(tags.TAG_70_RECORD_TEMPLATE, each) for each in records)
    )


def _objects(certificate: Certificate, tag: int, remainder_tag: int, exponent_tag: int) -> bytes:
    """Return a certificate as three data objects, the remainder only where there is one."""
    joined = tlv.encode(tag, certificate.certificate)
    if certificate.remainder:
        joined += tlv.encode(remainder_tag, certificate.remainder)
    return joined + tlv.encode(exponent_tag, certificate.exponent)
