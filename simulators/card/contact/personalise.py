"""What an issuer puts on a chip card: records, certificates, lists.

Source: EMV 4.4 Book 3, 7 and Annex C; Book 2, 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

from emv import tags, tlv
from simulators.card.applet import template
from simulators.card.certificates import (
    HEADER,
    PADDING,
    SHA_1,
    TRAILER,
    Certificate,
    SigningKey,
    certify_card,
    certify_issuer,
)
from simulators.card.contact.memory import Remembered
from simulators.card.contact.profile import (
    Application,
    Authentication,
    ContactProfile,
    Flaw,
    Method,
)
from simulators.card.cryptogram import derive_card_key
from simulators.card.identity import Identity
from simulators.card.keys import CA_INDEX, CERTIFICATES_EXPIRE, CardKeys
from simulators.card.personalisation import IDENTIFIER_DIGITS
from simulators.card.static_data import (
    CURRENCY,
    ISSUER_COUNTRY,
    TRANSACTION,
    USAGE_EVERYWHERE,
    data_list,
)

ICC_BITS = 1024
APPLICATION_VERSION = b"\x00\x8c"
FORMAT_SIGNED_STATIC = b"\x03"
DATA_AUTHENTICATION_CODE = b"\xda\xc0"

# AIP. Source: Book 3, Annex C1.
_CARDHOLDER_VERIFICATION = 0x1000
_RISK_MANAGEMENT = 0x0800
_ISSUER_AUTHENTICATION = 0x0400
_AUTHENTICATION = {
    Authentication.NONE: 0x0000,
    Authentication.SDA: 0x4000,
    Authentication.DDA: 0x2000,
    Authentication.CDA: 0x2100,
}

# Issuer action codes in the manner of VIS 1.6: nothing but a forbidden
# service is denied; doubts go online; without the issuer they are refused.
IAC_DENIAL = bytes.fromhex("0010000000")
IAC_ONLINE = bytes.fromhex("FC78FCF800")
IAC_DEFAULT = bytes.fromhex("FC50FC2000")

_CVM_CODES = {
    Method.ENCIPHERED_PIN: 0x04,
    Method.PLAINTEXT_PIN: 0x01,
    Method.PLAINTEXT_PIN_AND_SIGNATURE: 0x03,
    Method.ONLINE_PIN: 0x02,
    Method.SIGNATURE: 0x1E,
    Method.NONE: 0x1F,
}
_APPLY_NEXT = 0x40
_IF_SUPPORTED = 0x03

CDOL1 = data_list(*TRANSACTION, (tags.TAG_9F34_CVM_RESULTS, 3))
CDOL2 = data_list(
    (tags.TAG_8A_AUTHORISATION_RESPONSE_CODE, 2),
    (tags.TAG_91_ISSUER_AUTHENTICATION_DATA, 10),
    *TRANSACTION,
)
DDOL = data_list((tags.TAG_9F37_UNPREDICTABLE_NUMBER, 4))


@dataclass(frozen=True, slots=True)
class Issued:
    """One application as its issuer made it."""

    profile: ContactProfile
    application: Application
    identity: Identity
    card_key: bytes = field(repr=False)
    icc: SigningKey = field(repr=False)
    aip: bytes
    records: tuple[bytes, ...] = field(repr=False)
    """Of one file, templates and all; the first alone is signed."""

    @property
    def aid(self) -> bytes:
        """The application's name."""
        return bytes.fromhex(self.application.aid)


def issue(
    profile: ContactProfile,
    application: Application,
    home: Path,
    remembered: Remembered,
) -> Issued:
    """Make an application, with keys of its own below the state directory.

    Raises KeysUnusable, naming the file.
    """
    keys = CardKeys(home)
    identity = Identity(application.pan or profile.pan, profile.sequence_number, profile.expiry)
    master_key = keys.issuer_master_key()
    if profile.flaw is Flaw.CRYPTOGRAM:
        # A forger knows every number on the card, but not the issuer's key.
        master_key = bytes(len(master_key))
    icc = keys.icc(profile.name, ICC_BITS)
    aip = _aip(profile)
    return Issued(
        profile,
        application,
        identity,
        derive_card_key(master_key, identity.pan, identity.sequence_number),
        icc,
        aip,
        _records(profile, identity, keys, icc, aip, remembered),
    )


def _aip(profile: ContactProfile) -> bytes:
    """Return tag 82."""
    value = _CARDHOLDER_VERIFICATION | _RISK_MANAGEMENT | _AUTHENTICATION[profile.authentication]
    if profile.external_authentication:
        value |= _ISSUER_AUTHENTICATION
    return value.to_bytes(2, "big")


def cvm_list(profile: ContactProfile) -> bytes:
    """Return tag 8E: each method if it can be done, or the first and no other."""
    codes = [_CVM_CODES[method] for method in profile.cvm]
    if profile.insists_on_cvm:
        return bytes(8) + bytes((codes[0], 0x00))
    rules = b"".join(bytes((code | _APPLY_NEXT, _IF_SUPPORTED)) for code in codes[:-1])
    return bytes(8) + rules + bytes((codes[-1], _IF_SUPPORTED))


def _records(
    profile: ContactProfile,
    identity: Identity,
    keys: CardKeys,
    icc: SigningKey,
    aip: bytes,
    remembered: Remembered,
) -> tuple[bytes, ...]:
    """Return everything that can be read, and what signs it."""
    static = _static_objects(profile, identity, remembered)
    signed = b"".join(tlv.encode(tag, value) for tag, value in static)
    records = [signed, _lists(profile, identity)]
    if profile.authentication is not Authentication.NONE:
        issuer = keys.issuer()
        certificate = certify_issuer(
            keys.ca(), issuer, identity.pan[:IDENTIFIER_DIGITS], CERTIFICATES_EXPIRE, serial=1
        )
        records.append(
            tlv.encode(tags.TAG_8F_CA_PUBLIC_KEY_INDEX, bytes((CA_INDEX,)))
            + _certificate(
                certificate,
                tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE,
                tags.TAG_92_ISSUER_PUBLIC_KEY_REMAINDER,
                tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT,
            )
        )
        if profile.authentication is Authentication.SDA:
            proof = _sign_static(issuer, signed + aip)
            records.append(tlv.encode(tags.TAG_93_SIGNED_STATIC_APPLICATION_DATA, proof))
        own = certify_card(
            issuer, icc, identity.pan, CERTIFICATES_EXPIRE, serial=2, static_data=signed + aip
        )
        records.append(
            _certificate(
                own,
                tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE,
                tags.TAG_9F48_ICC_PUBLIC_KEY_REMAINDER,
                tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT,
            )
        )
    return tuple(tlv.encode(tags.TAG_70_RECORD_TEMPLATE, record) for record in records)


def _static_objects(
    profile: ContactProfile, identity: Identity, remembered: Remembered
) -> list[tuple[int, bytes]]:
    """Return what the issuer signs."""
    objects = [
        (tags.TAG_5A_PAN, identity.application_pan),
        (tags.TAG_5F34_PAN_SEQUENCE_NUMBER, identity.pan_sequence_number),
        (tags.TAG_5F24_EXPIRATION_DATE, identity.expiration_date),
        (tags.TAG_5F28_ISSUER_COUNTRY_CODE, ISSUER_COUNTRY),
        (tags.TAG_8E_CVM_LIST, cvm_list(profile)),
        (tags.TAG_9F07_APPLICATION_USAGE_CONTROL, USAGE_EVERYWHERE),
        (tags.TAG_9F08_APPLICATION_VERSION_CARD, APPLICATION_VERSION),
        (tags.TAG_9F0D_IAC_DEFAULT, IAC_DEFAULT),
        (tags.TAG_9F0E_IAC_DENIAL, IAC_DENIAL),
        (tags.TAG_9F0F_IAC_ONLINE, IAC_ONLINE),
        (tags.TAG_9F42_APPLICATION_CURRENCY_CODE, CURRENCY),
        (tags.TAG_9F4A_SDA_TAG_LIST, bytes((tags.TAG_82_AIP,))),
    ]
    if remembered.offline_max is not None:
        lower, upper = remembered.offline_max
        objects += [
            (tags.TAG_9F14_LOWER_CONSECUTIVE_OFFLINE_LIMIT, bytes((lower,))),
            (tags.TAG_9F23_UPPER_CONSECUTIVE_OFFLINE_LIMIT, bytes((upper,))),
        ]
    return objects


def _lists(profile: ContactProfile, identity: Identity) -> bytes:
    """Return track 2 and what the card asks of the terminal."""
    objects = [
        (tags.TAG_57_TRACK_2_EQUIVALENT_DATA, identity.track_2),
        (tags.TAG_8C_CDOL1, CDOL1),
        (tags.TAG_8D_CDOL2, CDOL2),
    ]
    if profile.authentication in (Authentication.DDA, Authentication.CDA):
        objects.append((tags.TAG_9F49_DDOL, DDOL))
    return b"".join(tlv.encode(tag, value) for tag, value in objects)


def _certificate(
    certificate: Certificate, tag: int, remainder_tag: int, exponent_tag: int
) -> bytes:
    """Return a certificate as data objects, the remainder only where there is one."""
    objects = [(tag, certificate.certificate), (exponent_tag, certificate.exponent)]
    if certificate.remainder:
        objects.insert(1, (remainder_tag, certificate.remainder))
    return b"".join(tlv.encode(each, value) for each, value in objects)


def _sign_static(issuer: SigningKey, static_data: bytes) -> bytes:
    """Return tag 93. Source: Book 2, 5.1, Table 3."""
    room = issuer.length - 26
    signed = FORMAT_SIGNED_STATIC + SHA_1 + DATA_AUTHENTICATION_CODE + PADDING * room
    return issuer.sign(HEADER + signed + sha1(signed + static_data).digest() + TRAILER)


def directory_record(applications: list[Issued]) -> bytes:
    """Return the one record of the card's directory. Source: EMV 4.4 Book 1, 12.2.3."""
    entries = b"".join(
        template(
            tags.TAG_61_APPLICATION_TEMPLATE,
            (tags.TAG_4F_ADF_NAME, each.aid),
            (tags.TAG_50_APPLICATION_LABEL, each.application.label.encode()),
            (tags.TAG_87_APPLICATION_PRIORITY_INDICATOR, priority_indicator(each.application)),
        )
        for each in applications
    )
    return tlv.encode(tags.TAG_70_RECORD_TEMPLATE, entries)


def priority_indicator(application: Application) -> bytes:
    """Return tag 87. Source: EMV 4.4 Book 1, Table 48."""
    return bytes((application.priority | (0x80 if application.needs_confirmation else 0),))
