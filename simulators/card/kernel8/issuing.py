"""What an issuer puts on a card of kernel 8: records, certificates, keys.

Source: EMV Contactless Book E, 5; Book C-8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from emv import tags, tlv
from emv.bits import AIP
from simulators.card.counters import Counter
from simulators.card.identity import Identity
from simulators.card.kernel8 import curve
from simulators.card.kernel8.channel import derive_card_key
from simulators.card.keys import CA_INDEX, EC_CA_NAME, EC_ISSUER_NAME, UNKNOWN_CA_INDEX, CardKeys
from simulators.card.profile import ApplicationProfile, Flaw, Profile
from simulators.card.static_data import TRANSACTION, data_list

ISSUER_DIGITS = 6
LAST_DAY = "20491231"
ISSUER_SERIAL, ICC_SERIAL = bytes.fromhex("000001"), bytes.fromhex("000000000002")

CDOL1 = data_list(*TRANSACTION, (tags.TAG_9F1D_TERMINAL_RISK_MANAGEMENT_DATA, 8))


@dataclass(frozen=True)
class Secrets:
    """The ECC secrets of the authority, the issuer and one card."""

    ca: int = field(repr=False)
    issuer: int = field(repr=False)
    icc: int = field(repr=False)


class Personalisation8:
    """One kernel 8 application as its issuer made it."""

    def __init__(
        self,
        profile: Profile,
        application: ApplicationProfile,
        issuer_secret: bytes,
        counter: Counter,
        secrets: Callable[[], Secrets],
    ) -> None:
        """issuer_secret: 16 bytes; only the key derived from it stays.

        secrets: called at the first transaction that needs them.
        """
        self.profile = profile
        self.application = application
        self.aid = bytes.fromhex(application.aid)
        self.identity = Identity(
            application.pan or profile.pan, profile.sequence_number, profile.expiry
        )
        self.counter = counter
        own = profile.kernel8
        aip = AIP.OFFLINE_CAPABLE | AIP.COPY_IAD_MAC_AT_OFFSET
        if own.local_authentication:
            aip |= AIP.CDA
        if own.relay is not None:
            aip |= AIP.RELAY_RESISTANCE
        self.aip = aip.encoded
        if profile.flaw is Flaw.CRYPTOGRAM:
            # A forger knows every number on the card, but not the issuer's key.
            issuer_secret = bytes(len(issuer_secret))
        self.card_key = derive_card_key(
            issuer_secret, self.identity.pan, self.identity.sequence_number
        )
        self._secrets = secrets

    @cached_property
    def secret(self) -> int:
        """The card's own."""
        return self._secrets().icc

    @property
    def static_record(self) -> bytes:
        """What the issuer signs: the content of the first record."""
        return _objects(
            (tags.TAG_57_TRACK_2_EQUIVALENT_DATA, self.identity.track_2),
            (tags.TAG_5A_PAN, self.identity.application_pan),
            (tags.TAG_5F24_EXPIRATION_DATE, self.identity.expiration_date),
            (tags.TAG_5F34_PAN_SEQUENCE_NUMBER, self.identity.pan_sequence_number),
        )

    @property
    def static_hash(self) -> bytes:
        """SHA-256 over the signed record and the AIP."""
        return sha256(self.static_record + self.aip).digest()

    @cached_property
    def records(self) -> tuple[bytes, ...]:
        """Contents of every record; the first alone is signed."""
        if not self.profile.kernel8.local_authentication:
            return (self.static_record,)
        secrets = self._secrets()
        known = self.profile.flaw is not Flaw.AUTHORITY
        index = bytes((CA_INDEX if known else UNKNOWN_CA_INDEX,))
        own = self._own_certificate(secrets)
        if self.profile.flaw is Flaw.CERTIFICATE:
            own = own[:-1] + bytes((own[-1] ^ 0x01,))
        return (
            self.static_record,
            _objects(
                (tags.TAG_8F_CA_PUBLIC_KEY_INDEX, index),
                (
                    tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE,
                    self._issuer_certificate(secrets, index),
                ),
            ),
            _objects((tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE, own)),
        )

    def _issuer_certificate(self, secrets: Secrets, index: bytes) -> bytes:
        """Format 12. Source: Book E, 5.1."""
        identifier = bytes.fromhex(self.identity.pan[:ISSUER_DIGITS].ljust(10, "F"))
        head = b"\x12\x00" + identifier + b"\x10" + bytes.fromhex(LAST_DAY) + ISSUER_SERIAL
        signed = head + self.aid[:5] + index + curve.x_of(secrets.issuer)
        return signed + curve.sign(signed, secrets.ca)

    def _own_certificate(self, secrets: Secrets) -> bytes:
        """Format 14. Source: Book E, 5.3."""
        head = b"\x14\x00\x00" + bytes.fromhex(LAST_DAY + "2359") + ICC_SERIAL + b"\x01\x02"
        signed = head + self.static_hash + curve.x_of(secrets.icc)
        return signed + curve.sign(signed, secrets.issuer)


def personalise_8(
    profile: Profile, application: ApplicationProfile, name: str, keys: CardKeys
) -> Personalisation8:
    """Return an application with keys of its own. name: unique, for its files.

    Raises KeysUnusable.
    """
    return Personalisation8(
        profile,
        application,
        keys.issuer_master_key(),
        keys.counter(name),
        lambda: Secrets(
            keys.ec_secret(EC_CA_NAME),
            keys.ec_secret(EC_ISSUER_NAME),
            keys.ec_secret(f"card-{name}"),
        ),
    )


def _objects(*objects: tuple[int, bytes]) -> bytes:
    return b"".join(tlv.encode(tag, value) for tag, value in objects)
