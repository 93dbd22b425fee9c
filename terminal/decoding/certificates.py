"""Certificates of a card opened with the schemes' public keys, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from config.cards import CAKey
from emv import masking, tags
from emv.authentication import (
    Certificate,
    PublicKey,
    open_icc_certificate,
    open_issuer_certificate,
)
from emv.errors import AuthenticationFailed

NONE_FITS = "no CA key here opens it: name a file of keys with --ca-keys"


def describe(
    card: Mapping[int, bytes], ca_keys: Iterable[CAKey], *, whole: bool = False
) -> list[str]:
    """Return what is in the certificates of a card, a line each; none without any.

    card: every object of the card by its tag. ca_keys: those of the index
    that the card names are tried. whole: show the card's number.
    Only what needs no other data is checked: dates and static data are not.
    """
    if tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE not in card:
        return []
    index = card.get(tags.TAG_8F_CA_PUBLIC_KEY_INDEX, b"")
    fitting = [key for key in ca_keys if not index or key.index == index[0]]
    for key in fitting:
        try:
            issuer = _issuer(card, PublicKey.of(key.modulus, _exponent(key)))
            issuer.check_hash()
        except AuthenticationFailed:
            # Another scheme's key of this index, or none of this issuer's.
            continue
        lines = [f"issuer certificate, by CA key {key.name}", *_lines(issuer, issuer.identifier)]
        return lines + _icc_lines(card, issuer.key, whole=whole)
    return [f"issuer certificate: {NONE_FITS}"]


def _exponent(key: CAKey) -> bytes:
    return key.exponent.to_bytes((key.exponent.bit_length() + 7) // 8, "big")


def _issuer(card: Mapping[int, bytes], ca_key: PublicKey) -> Certificate:
    return open_issuer_certificate(
        card[tags.TAG_90_ISSUER_PUBLIC_KEY_CERTIFICATE],
        card.get(tags.TAG_92_ISSUER_PUBLIC_KEY_REMAINDER, b""),
        card.get(tags.TAG_9F32_ISSUER_PUBLIC_KEY_EXPONENT, b""),
        ca_key,
    )


def _icc_lines(card: Mapping[int, bytes], issuer_key: PublicKey, *, whole: bool) -> list[str]:
    if tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE not in card:
        return []
    try:
        opened = open_icc_certificate(
            card[tags.TAG_9F46_ICC_PUBLIC_KEY_CERTIFICATE],
            card.get(tags.TAG_9F48_ICC_PUBLIC_KEY_REMAINDER, b""),
            card.get(tags.TAG_9F47_ICC_PUBLIC_KEY_EXPONENT, b""),
            issuer_key,
        )
    except AuthenticationFailed as failure:
        return [f"ICC certificate: {failure}"]
    number = opened.identifier if whole else masking.mask_pan(opened.identifier)
    return ["ICC certificate", *_lines(opened, number)]


def _lines(opened: Certificate, identifier: str) -> list[str]:
    return [
        f"  of {identifier}, serial number {opened.serial.hex().upper()}",
        f"  valid to {opened.expires.isoformat()}",
        f"  key of {8 * len(opened.modulus)} bits, exponent {int.from_bytes(opened.exponent)}",
        f"  modulus {opened.modulus.hex().upper()}",
    ]
